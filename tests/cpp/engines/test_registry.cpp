// Opening an index of any engine: whatever a file holds, it is refused or it is searched within its bounds.
#include "engines/registry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/storage/index_file.hpp"
#include "support/altered_file.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::buffer_of;
using test::Bytes;
using test::entry_at;
using test::error_of;
using test::get;
using test::kOffsetAt;
using test::kSizeAt;
using test::n_sections;
using test::Patcher;
using test::Random;
using test::refused;
using test::Rows;
using test::small_block_max_index;
using test::small_clustered_index;
using test::small_collection;
using test::small_file;
using test::small_files;
using test::small_graph_index;
using test::small_impact_index;
using test::small_index;
using test::small_postings_index;
using test::TemporaryDirectory;
using test::write_bytes;

TEST(Registry, BuildsAnIndexOfEachEngineByItsName) {
    const Rows docs = small_collection();
    const auto names = engine_names();
    EXPECT_GE(names.size(), 6U);
    for (const std::string_view name : names) {
        const auto index = build_index(name, docs.view(), {}, {.threads = 1});
        EXPECT_EQ(index->engine(), name);
        EXPECT_EQ(index->n_docs(), docs.n_rows());
    }
    EXPECT_EQ(error_of([&] { build_index("fast", docs.view(), {}, {.threads = 1}); }), "there is no engine 'fast'");
}

TEST(Registry, BuildsWithParametersByName) {
    const Rows docs = small_collection();
    const auto index = build_index("clustered", docs.view(), {{"cluster_size", std::int64_t{16}}}, {.threads = 1});
    EXPECT_EQ(index->parameters()[0], (NamedValue{"cluster_size", std::int64_t{16}}));
    EXPECT_EQ(error_of([&] { build_index("postings", docs.view(), {{"m", std::int64_t{1}}}, {.threads = 1}); }),
              "there is no parameter 'm'; there are none");
    EXPECT_EQ(error_of([&] { build_index("graph", docs.view(), {{"m", std::int64_t{0}}}, {.threads = 1}); }),
              "m must be from 1 to 256, got 0");
}

TEST(SearchParams, AreSetByName) {
    const Rows docs = small_collection();
    const auto index = ImpactIndex::build(docs.view(), 1, nullptr);
    const std::int64_t budget = 1;
    test::Hits expected(docs.n_rows(), 3);
    index->search(docs.view(), {3, 1, nullptr}, ImpactSearchParams{.postings_budget = budget}, expected.view());
    const Index& any = *index;
    const auto set = any.with_named_search_params({{"postings_budget", budget}});
    EXPECT_EQ(test::search(*set, docs, 3), expected);
    EXPECT_NE(test::search(any, docs, 3), expected) << "the budget changes nothing";

    const auto more = set->with_named_search_params({{"rescored", std::int64_t{9}}});
    EXPECT_EQ(more->named_search_params(),
              (NamedValues{{"postings_budget", budget}, {"deadline_us", 0.0}, {"rescored", std::int64_t{9}}}));
    EXPECT_EQ(error_of([&] { any.with_named_search_params({{"alpha", 0.5}}); }),
              "there is no parameter 'alpha'; there are postings_budget, deadline_us and rescored");
    EXPECT_EQ(error_of([&] { any.with_named_search_params({{"postings_budget", std::int64_t{-1}}}); }),
              "postings_budget must be >= 0, got -1");
}

TEST(SearchParams, OfAnEngineWithoutAnyAreNone) {
    const Rows docs = small_collection();
    auto index = small_index();
    const auto expected = test::search(*index, docs, 3);
    const auto same = index->with_named_search_params({});
    index.reset();
    EXPECT_EQ(test::search(*same, docs, 3), expected);
    EXPECT_EQ(same->named_search_params(), NamedValues{});
    EXPECT_EQ(error_of([&] { same->with_named_search_params({{"alpha", 0.5}}); }),
              "there is no parameter 'alpha'; there are none");
}

TEST(OpenIndex, OfTheSmallFileHasEveryFormOfPosting) {
    const TemporaryDirectory directory;
    small_index()->save(directory.path("f"), nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    EXPECT_GT(file.section<std::uint8_t>("rows/impacts").size(), 0U);
    EXPECT_GT(file.section<std::uint16_t>("lists/docs").size(), 0U);
    EXPECT_GT(file.section<std::uint32_t>("rare/docs").size(), 0U);
    EXPECT_EQ(file.section<std::uint64_t>("lists/bases").size(), 3U) << "two windows";
}

TEST(OpenIndex, OfTheSmallBlockMaxFileHasRowsTilesListsAndAnOrder) {
    const TemporaryDirectory directory;
    for (const bool reversed : {false, true}) {
        small_block_max_index(reversed)->save(directory.path("f"), nullptr);
        const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
        EXPECT_GT(file.integer("n_tile_rows"), 0U);
        EXPECT_GT(file.integer("n_blocks_rows"), file.integer("n_tile_rows"));
        EXPECT_GT(file.section<std::uint32_t>("vocabulary/terms").size(), file.integer("n_blocks_rows")) << "lists";
        EXPECT_EQ(file.section<std::uint32_t>("order/given").size(), reversed ? small_collection().n_rows() : 0U);
    }
}

TEST(OpenIndex, OfTheSmallClusteredFileHasRowsListsRareTermsAnOrderAndNeighbours) {
    const TemporaryDirectory directory;
    for (const bool reordered : {false, true}) {
        small_clustered_index(reordered)->save(directory.path("f"), nullptr);
        const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
        EXPECT_GT(file.integer("n_summaries_rows"), 0U);
        EXPECT_GT(file.integer("n_lists"), file.integer("n_summaries_rows"));
        EXPECT_GT(file.section<std::uint16_t>("lists/docs").size(), 0U);
        EXPECT_GT(file.section<std::uint32_t>("rare/docs").size(), 0U);
        const std::size_t n_docs = small_collection().n_rows();
        EXPECT_EQ(file.section<std::uint32_t>("order/given").size(), reordered ? n_docs : 0U);
        EXPECT_EQ(file.section<std::uint32_t>("neighbours/positions").size(), reordered ? 3 * n_docs : 0U);
    }
}

TEST(OpenIndex, OfTheSmallGraphFileHasEdgesEntriesAndAnOrder) {
    const TemporaryDirectory directory;
    for (const bool reordered : {false, true}) {
        small_graph_index(reordered)->save(directory.path("f"), nullptr);
        const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
        const std::size_t n_docs = small_collection().n_rows();
        EXPECT_GT(file.section<std::uint8_t>("edges/bytes").size(), n_docs);
        EXPECT_GT(file.section<std::uint8_t>("entries/bytes").size(), 0U);
        EXPECT_EQ(file.section<std::uint32_t>("order/given").size(), reordered ? n_docs : 0U);
    }
}

TEST(OpenIndex, OfTheSmallImpactFileHasSegmentsAndRareTerms) {
    const TemporaryDirectory directory;
    small_impact_index()->save(directory.path("f"), nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    EXPECT_GT(file.integer("n_levelled"), 0U);
    EXPECT_GT(file.section<std::uint16_t>("segments/docs").size(), 0U);
    EXPECT_GT(file.section<std::uint32_t>("rare/docs").size(), 0U);
}

// The hits of some queries, and the documents.
std::tuple<std::vector<std::int64_t>, std::vector<float>, std::vector<std::uint32_t>, std::vector<float>> answers_of(
    const Index& index) {
    Random random(3);
    const Rows queries = test::random_rows(random, 20, index.n_terms(), 4, test::signed_real);
    std::vector<std::int64_t> ids(10 * queries.n_rows());
    std::vector<float> scores(ids.size());
    index.search(queries.view(), {10, 1, nullptr}, {10, ids, scores});
    std::vector<std::int64_t> docs(index.n_docs());
    std::iota(docs.begin(), docs.end(), 0);
    const auto rows = index.vectors(docs);
    return {ids, scores, rows.terms, rows.weights};
}

TEST(OpenIndex, OfVersion1IsTheSameIndex) {
    const TemporaryDirectory directory;
    const auto files = test::small_files();
    const std::size_t n = files.size() / 2;
    for (std::size_t i = 0; i < n; ++i) {
        SCOPED_TRACE(files[n + i].name);
        ASSERT_EQ(files[n + i].name, files[i].name + ", version 1");
        write_bytes(directory.path("newer"), files[i].bytes);
        write_bytes(directory.path("older"), files[n + i].bytes);
        EXPECT_EQ(IndexFile::open(directory.path("older"), true, nullptr).format_version(), 1U);
        const auto newer = open_index(directory.path("newer"), true, nullptr);
        for (const bool verify : {false, true}) {
            const auto older = open_index(directory.path("older"), verify, nullptr);
            EXPECT_EQ(older->nbytes(), newer->nbytes());
            EXPECT_EQ(answers_of(*older), answers_of(*newer));
            older->save(directory.path("again"), nullptr);
            EXPECT_EQ(test::read_bytes(directory.path("again")), files[i].bytes) << "saved as the newest version";
        }
    }
}

// Searches all that an index can be asked: whatever the answers, they stay in bounds.
void search_everything(const Index& index) {
    const std::vector<std::int64_t> indptr{0, 3, 6, 7, 7};
    const std::vector<std::uint32_t> terms{0, 1, 13, 2, 5, 9, 12};
    const std::vector<float> weights{1.0F, 2.0F, 3.0F, 1.0F, -0.5F, 2.0F, -1.0F};
    const CsrView queries{14, indptr, terms, weights};
    constexpr std::size_t kHits = 4;
    std::vector<std::int64_t> ids(kHits * 4);
    std::vector<float> scores(kHits * 4);
    const SearchOptions options{kHits, 1, nullptr};
    const HitsView hits{kHits, ids, scores};
    const auto expect_ids = [&] {
        for (const std::int64_t id : ids) {
            ASSERT_GE(id, -1);
            ASSERT_LT(id, static_cast<std::int64_t>(index.n_docs()));
        }
    };
    index.search(queries, options, hits);
    ASSERT_NO_FATAL_FAILURE(expect_ids());
    if (const auto* block_max = dynamic_cast<const BlockMaxIndex*>(&index)) {
        for (const BlockMaxSearchParams& params :
             {BlockMaxSearchParams{.alpha = 0.9}, {.block_budget = 100}, {.superblock_budget = 1}}) {
            block_max->search(queries, options, params, hits);
            ASSERT_NO_FATAL_FAILURE(expect_ids());
        }
    }
    if (const auto* clustered = dynamic_cast<const ClusteredIndex*>(&index)) {
        for (const ClusteredSearchParams& params : {ClusteredSearchParams{.query_cut = 0, .cluster_budget = 100},
                                                    {.query_cut = 1, .heap_factor = 0.5},
                                                    {.cluster_budget = 1, .refine = 2}}) {
            if (params.refine > 0 && clustered->build_params().neighbours == 0) continue;
            clustered->search(queries, options, params, hits);
            ASSERT_NO_FATAL_FAILURE(expect_ids());
        }
    }
    if (const auto* graph = dynamic_cast<const GraphIndex*>(&index)) {
        const std::vector<std::uint8_t> max(index.n_docs(), 1);
        for (const GraphSearchParams& params : {GraphSearchParams{.ef = 4, .entry_terms = 1},
                                                {.ef = 100, .entry_terms = 0},
                                                {.ef = 4, .early_stop = 0.9, .allowed = max}}) {
            graph->search(queries, options, params, hits);
            ASSERT_NO_FATAL_FAILURE(expect_ids());
        }
        for (std::size_t doc = 0; doc < index.n_docs(); ++doc) {
            for (const std::int64_t other : graph->edges(static_cast<std::int64_t>(doc))) {
                ASSERT_GE(other, 0);
                ASSERT_LT(other, static_cast<std::int64_t>(index.n_docs()));
            }
        }
    }
    if (const auto* impact = dynamic_cast<const ImpactIndex*>(&index)) {
        for (const ImpactSearchParams& params :
             {ImpactSearchParams{.postings_budget = 1, .rescored = 4}, {.postings_budget = 20}, {.deadline_us = 1}}) {
            impact->search(queries, options, params, hits);
            ASSERT_NO_FATAL_FAILURE(expect_ids());
        }
    }
    if (const auto* postings = dynamic_cast<const PostingsIndex*>(&index)) {
        for (const char* algorithm : {"maxscore", "wand", "block_max_maxscore", "block_max_wand"}) {
            postings->search(queries, options, {.algorithm = algorithm}, hits);
            ASSERT_NO_FATAL_FAILURE(expect_ids());
        }
    }
    std::vector<std::int64_t> docs(index.n_docs());
    for (std::size_t doc = 0; doc < docs.size(); ++doc) docs[doc] = static_cast<std::int64_t>(doc);
    const auto rows = index.vectors(docs);
    ASSERT_EQ(rows.terms.size(), rows.weights.size());
    for (const std::uint32_t term : rows.terms) ASSERT_LT(term, index.n_terms());
    index.nbytes();
    index.parameters();
}

void search_unless_refused(const std::string& path) {
    std::unique_ptr<Index> index;
    try {
        index = open_index(path, false, nullptr);
    } catch (const FormatError&) {
        return;
    }
    search_everything(*index);
}

TEST(OpenIndex, StaysInBoundsAfterAnySingleBitFlip) {
    const TemporaryDirectory directory;
    for (const auto& [name, whole] : small_files()) {
        SCOPED_TRACE(name);
        Patcher patcher(directory.path("f"), whole);
        // Any bit of the smallest file, a sample of the others.
        const std::size_t step = name == "exact" ? test::kFlipStep : 29 * test::kFlipStep;
        for (std::size_t bit = 8 * entry_at(n_sections(whole)); bit < 8 * whole.size(); bit += step) {
            patcher.flip(bit);
            ASSERT_NO_FATAL_FAILURE(search_unless_refused(directory.path("f")))
                << "byte " << bit / 8 << " bit " << bit % 8;
            patcher.flip(bit);
        }
    }
}

TEST(OpenIndex, StaysInBoundsWhateverASectionHolds) {
    const TemporaryDirectory directory;
    Random random(2);
    for (const auto& [name, whole] : small_files()) {
        SCOPED_TRACE(name);
        for (std::size_t s = 1; s < n_sections(whole); ++s) {
            const auto offset = static_cast<std::size_t>(get<std::uint64_t>(whole, entry_at(s) + kOffsetAt));
            const auto size = static_cast<std::size_t>(get<std::uint64_t>(whole, entry_at(s) + kSizeAt));
            for (int round = 0; round < 40; ++round) {
                Bytes file = whole;
                const auto from =
                    static_cast<std::size_t>(round < 4 ? 0 : test::uniform(random, 0, static_cast<int>(size)));
                for (std::size_t i = from; i < size; ++i) {
                    const int fill[] = {0x00, 0xFF, 0x7F, 0x80};
                    file[offset + i] =
                        static_cast<std::byte>(round < 4 ? fill[round] : static_cast<int>(random() & 0xFF));
                }
                write_bytes(directory.path("f"), file);
                ASSERT_NO_FATAL_FAILURE(search_unless_refused(directory.path("f")))
                    << reinterpret_cast<const char*>(whole.data() + entry_at(s));
            }
        }
    }
}

// The elements of a section, to be altered in place.
template <class T>
std::span<T> elements(Bytes& file, const std::string& name) {
    for (std::size_t s = 0; s < n_sections(file); ++s) {
        if (name != reinterpret_cast<const char*>(file.data() + entry_at(s))) continue;
        const auto offset = get<std::uint64_t>(file, entry_at(s) + kOffsetAt);
        return {reinterpret_cast<T*>(file.data() + offset),
                get<std::uint64_t>(file, entry_at(s) + kSizeAt) / sizeof(T)};
    }
    return {};
}

TEST(OpenIndex, RefusesScalesThatAreNoNumbers) {
    for (const char* name : {"quantiser/maxima", "quantiser/errors"}) {
        for (const float wrong : {HUGE_VALF, -HUGE_VALF, std::nanf(""), -1.0F}) {
            Bytes file = small_file();
            elements<float>(file, name).back() = wrong;
            EXPECT_TRUE(refused(file, false)) << name << " " << wrong;
        }
    }
}

TEST(OpenIndex, WrapsSumsThatOnlyAnAlteredFileCanReach) {
    Rows docs;
    docs.n_terms = 1000;
    for (std::uint32_t doc = 0; doc < 1000; ++doc) docs.add(test::Row{{doc, 1.0F}});
    const TemporaryDirectory directory;
    ExactIndex::build(docs.view(), {64, 0.1}, 1, nullptr)->save(directory.path("f"), nullptr);
    Bytes file = test::read_bytes(directory.path("f"));
    const auto offsets = elements<std::uint64_t>(file, "rare/offsets");
    ASSERT_EQ(offsets.size(), 1001U) << "every term is rare";
    std::fill(offsets.begin() + 1, offsets.end(), 1000U);  // the first list holds all postings, each of document 0
    const auto rare_docs = elements<std::uint32_t>(file, "rare/docs");
    std::fill(rare_docs.begin(), rare_docs.end(), 0U);
    write_bytes(directory.path("f"), file);
    search_unless_refused(directory.path("f"));
}

// The sections of `file`, with other parameters: a file whose checksums are all right.
class Rewriter {
  public:
    explicit Rewriter(const std::string& path) : file_(IndexFile::open(path, true, nullptr)) {}

    void write(const std::string& path, const std::vector<std::pair<std::string, std::uint64_t>>& changes) const {
        Parameters parameters;
        for (const auto& [name, value] : file_.parameters().entries()) {
            const auto change = std::find_if(changes.begin(), changes.end(), [&](auto& c) { return c.first == name; });
            if (change != changes.end()) {
                parameters.set(name, change->second);
            } else if (name == "row_density" || name == "summary_energy" || name.ends_with("_frequency")) {
                parameters.set(name, file_.number(name));
            } else {
                parameters.set(name, file_.integer(name));
            }
        }
        SectionList list;
        for (const Section& section : file_.sections()) {
            if (section.name == "parameters") continue;
            test::add_section(list, file_, section);
        }
        write_index_file(path, file_.engine(), parameters, list, nullptr);
    }

  private:
    IndexFile file_;
};

TEST(OpenIndex, RefusesCountsThatDoNotMatchTheSections) {
    const TemporaryDirectory directory;
    small_index()->save(directory.path("good"), nullptr);
    const Rewriter rewriter(directory.path("good"));
    const auto refuses = [&](const std::string& name, std::uint64_t value) {
        rewriter.write(directory.path("bad"), {{name, value}});
        return refused(directory.path("bad"), true);
    };
    rewriter.write(directory.path("same"), {});
    ASSERT_FALSE(refused(directory.path("same"), true));
    const std::uint64_t n_docs = small_collection().n_rows();
    for (const std::uint64_t wrong :
         {std::uint64_t{0}, n_docs - 1, n_docs + 1, std::uint64_t{1} << 31, (std::uint64_t{1} << 31) + 1,
          std::uint64_t{1} << 32, UINT64_MAX - 1, UINT64_MAX}) {
        EXPECT_TRUE(refuses("n_docs", wrong)) << wrong;
        EXPECT_TRUE(refuses("nnz", wrong)) << wrong;
        EXPECT_TRUE(refuses("n_terms", wrong)) << wrong;
        EXPECT_TRUE(refuses("n_rows", wrong)) << wrong;
        EXPECT_TRUE(refuses("n_lists", wrong)) << wrong;
        EXPECT_TRUE(refuses("window", wrong == 0 || wrong == UINT64_MAX ? wrong : 65)) << wrong;
    }
    EXPECT_TRUE(refuses("window", 65536 + 64));
    EXPECT_TRUE(refuses("n_rows", (std::uint64_t{1} << 32) + 1));
}

TEST(OpenIndex, RefusesBlockMaxCountsThatDoNotMatchTheSections) {
    const TemporaryDirectory directory;
    for (const bool reversed : {false, true}) {
        small_block_max_index(reversed)->save(directory.path("good"), nullptr);
        const Rewriter rewriter(directory.path("good"));
        const auto refuses = [&](const std::string& name, std::uint64_t value) {
            rewriter.write(directory.path("bad"), {{name, value}});
            return refused(directory.path("bad"), true);
        };
        rewriter.write(directory.path("same"), {});
        ASSERT_FALSE(refused(directory.path("same"), true));
        const IndexFile file = IndexFile::open(directory.path("good"), true, nullptr);
        for (const char* name : {"n_blocks_rows", "n_superblocks_rows", "n_tile_rows", "n_docs", "nnz", "n_rows"}) {
            const std::uint64_t right = file.integer(name);
            for (const std::uint64_t wrong : {right - 1, right + 1, right + (std::uint64_t{1} << 32), UINT64_MAX}) {
                // A tile is padded to whole cache lines: it may have room for a row more, and is as safe.
                if (name == std::string("n_tile_rows") && wrong + 1 - right <= 2) continue;
                EXPECT_TRUE(refuses(name, wrong)) << name << " " << wrong;
            }
        }
        for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{5}, std::uint64_t{32},
                                          std::uint64_t{128}, (std::uint64_t{1} << 32) + 4, UINT64_MAX}) {
            EXPECT_TRUE(refuses("block_size", wrong)) << wrong;
        }
        for (const std::uint64_t more : {std::uint64_t{1}, UINT64_MAX}) {  // one more, one less
            rewriter.write(directory.path("other"), {{"n_tile_rows", file.integer("n_tile_rows") + more}});
            search_unless_refused(directory.path("other"));
        }
        for (const std::uint64_t size : {8, 16, 32, 64}) {
            rewriter.write(directory.path("other"), {{"block_size", size}});
            search_unless_refused(directory.path("other"));
        }
    }
}

TEST(OpenIndex, RefusesClusteredCountsThatDoNotMatchTheSections) {
    const TemporaryDirectory directory;
    for (const bool reordered : {false, true}) {
        small_clustered_index(reordered)->save(directory.path("good"), nullptr);
        const Rewriter rewriter(directory.path("good"));
        const auto refuses = [&](const std::string& name, std::uint64_t value) {
            rewriter.write(directory.path("bad"), {{name, value}});
            return refused(directory.path("bad"), true);
        };
        rewriter.write(directory.path("same"), {});
        ASSERT_FALSE(refused(directory.path("same"), true));
        const IndexFile file = IndexFile::open(directory.path("good"), true, nullptr);
        for (const char* name :
             {"n_summaries_rows", "n_tile_rows", "n_lists", "n_rows", "n_docs", "nnz", "neighbours"}) {
            const std::uint64_t right = file.integer(name);
            for (const std::uint64_t wrong :
                 {right - 1, right + 1, right + (std::uint64_t{1} << 32), std::uint64_t{257}, UINT64_MAX}) {
                EXPECT_TRUE(refuses(name, wrong)) << name << " " << wrong;
            }
        }
        for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{5}, std::uint64_t{12},
                                          std::uint64_t{128}, (std::uint64_t{1} << 32) + 4, UINT64_MAX}) {
            EXPECT_TRUE(refuses("cluster_size", wrong)) << wrong;
        }
        for (const std::uint64_t size : {8, 16, 32, 64}) {  // clusters that lists name, and that are not there
            rewriter.write(directory.path("other"), {{"cluster_size", size}});
            search_unless_refused(directory.path("other"));
        }
    }
}

TEST(OpenIndex, RefusesGraphCountsThatDoNotMatchTheSections) {
    const TemporaryDirectory directory;
    for (const bool reordered : {false, true}) {
        small_graph_index(reordered)->save(directory.path("good"), nullptr);
        const Rewriter rewriter(directory.path("good"));
        const auto refuses = [&](const std::string& name, std::uint64_t value) {
            rewriter.write(directory.path("bad"), {{name, value}});
            return refused(directory.path("bad"), true);
        };
        rewriter.write(directory.path("same"), {});
        ASSERT_FALSE(refused(directory.path("same"), true));
        const IndexFile file = IndexFile::open(directory.path("good"), true, nullptr);
        for (const char* name : {"n_docs", "nnz"}) {
            const std::uint64_t right = file.integer(name);
            for (const std::uint64_t wrong : {right - 1, right + 1, right + (std::uint64_t{1} << 32), UINT64_MAX}) {
                EXPECT_TRUE(refuses(name, wrong)) << name << " " << wrong;
            }
        }
        for (const std::uint64_t wrong :
             {std::uint64_t{0}, std::uint64_t{257}, (std::uint64_t{1} << 32) + 3, std::uint64_t{1} << 63, UINT64_MAX}) {
            EXPECT_TRUE(refuses("m", wrong)) << wrong;
        }
        for (const char* name : {"m", "ef_construction", "entry_points", "reorder"}) {  // the sections do not tell
            rewriter.write(directory.path("other"), {{name, 2}});
            search_unless_refused(directory.path("other"));
        }
    }
}

TEST(OpenIndex, RefusesImpactCountsThatDoNotMatchTheSections) {
    const TemporaryDirectory directory;
    small_impact_index()->save(directory.path("good"), nullptr);
    const Rewriter rewriter(directory.path("good"));
    rewriter.write(directory.path("same"), {});
    ASSERT_FALSE(refused(directory.path("same"), true));
    const IndexFile file = IndexFile::open(directory.path("good"), true, nullptr);
    for (const char* name : {"n_levelled", "n_docs", "nnz"}) {
        const std::uint64_t right = file.integer(name);
        for (const std::uint64_t wrong :
             {right - 1, right + 1, right + (std::uint64_t{1} << 32), std::uint64_t{15}, UINT64_MAX}) {
            rewriter.write(directory.path("bad"), {{name, wrong}});
            EXPECT_TRUE(refused(directory.path("bad"), true)) << name << " " << wrong;
        }
    }
}

TEST(OpenIndex, RefusesPostingsCountsThatDoNotMatchTheSections) {
    const TemporaryDirectory directory;
    small_postings_index()->save(directory.path("good"), nullptr);
    const Rewriter rewriter(directory.path("good"));
    rewriter.write(directory.path("same"), {});
    ASSERT_FALSE(refused(directory.path("same"), true));
    const IndexFile file = IndexFile::open(directory.path("good"), true, nullptr);
    for (const char* name : {"n_docs", "nnz", "block_size"}) {
        const std::uint64_t right = file.integer(name);
        for (const std::uint64_t wrong : {right - 1, right + 1, right + (std::uint64_t{1} << 32), UINT64_MAX}) {
            rewriter.write(directory.path("bad"), {{name, wrong}});
            EXPECT_TRUE(refused(directory.path("bad"), true)) << name << " " << wrong;
        }
    }
}

TEST(OpenIndex, RefusesAGraphOfMoreNeighboursThanAnIndexIsBuiltWith) {
    const TemporaryDirectory directory;  // without documents no size of a section tells
    const Rows none = test::rows_of(3, {});
    ClusteredIndex::build(none.view(), {.neighbours = 5}, std::nullopt, 1, nullptr)->save(directory.path("f"), nullptr);
    const Rewriter rewriter(directory.path("f"));
    for (const std::uint64_t neighbours : {std::uint64_t{0}, std::uint64_t{256}}) {
        rewriter.write(directory.path("other"), {{"neighbours", neighbours}});
        EXPECT_FALSE(refused(directory.path("other"), true)) << neighbours;
    }
    const auto error = [&](std::uint64_t neighbours) {
        rewriter.write(directory.path("other"), {{"neighbours", neighbours}});
        return test::error_of(directory.path("other"));
    };
    EXPECT_EQ(error(257), "its parameters: neighbours must be from 0 to 256, got 257");
    EXPECT_EQ(error(UINT64_MAX), "parameter neighbours is out of range: 18446744073709551615");
}

// A file of one term, with what the engine adds.
void search_a_term_without_documents(const std::string& engine, Parameters parameters, SectionList list) {
    const TemporaryDirectory directory;
    const auto words = buffer_of(std::vector<std::uint32_t>{0});
    const auto ones = buffer_of(std::vector<float>{1});
    const auto start = buffer_of(std::vector<std::uint64_t>{0});
    const auto two_starts = buffer_of(std::vector<std::uint64_t>{0, 0});
    for (const char* name : {"vocabulary/terms", "vocabulary/frequencies", "vocabulary/lookup"}) list.add(name, words);
    const auto format = buffer_of(std::vector<std::uint32_t>{1, 0, 0});
    const auto margin = buffer_of(std::vector<std::uint8_t>(64));
    list.add("forward/format", format);
    list.add("forward/starts", words);
    list.add("forward/bytes", margin);
    for (const char* name : {"quantiser/maxima", "quantiser/errors"}) list.add(name, ones);
    list.add("rows/impacts", Buffer<std::uint8_t>());
    list.add("lists/bases", start);
    list.add("lists/offsets", Buffer<std::uint32_t>());
    list.add("lists/docs", Buffer<std::uint16_t>());
    list.add("lists/impacts", Buffer<std::uint8_t>());
    list.add("rare/offsets", two_starts);
    list.add("rare/docs", Buffer<std::uint32_t>());
    list.add("rare/impacts", Buffer<std::uint8_t>());
    for (const char* name : {"n_docs", "nnz", "n_rows", "n_lists"}) parameters.set(name, std::uint64_t{0});
    parameters.set("n_terms", std::uint64_t{1});
    write_index_file(directory.path("f"), engine, parameters, list, nullptr);
    std::unique_ptr<Index> index;
    try {
        index = open_index(directory.path("f"), true, nullptr);
    } catch (const FormatError& error) {
        EXPECT_EQ(std::string(error.what()).find("no section"), std::string::npos) << error.what();
        EXPECT_EQ(std::string(error.what()).find("no parameter"), std::string::npos) << error.what();
        return;  // refusing it is as good
    }
    std::int64_t id = 0;
    float score = 0;
    const std::uint32_t term = 0;
    const float weight = 1;
    const HitsView hits{1, {&id, 1}, {&score, 1}};
    index->search_one({&term, 1}, {&weight, 1}, hits);
    EXPECT_EQ(id, -1);
    if (const auto* clustered = dynamic_cast<const ClusteredIndex*>(index.get())) {
        clustered->search_one({&term, 1}, {&weight, 1}, {.cluster_budget = 5, .refine = 2}, hits);
        EXPECT_EQ(id, -1);
    }
    if (const auto* graph = dynamic_cast<const GraphIndex*>(index.get())) {
        graph->search_one({&term, 1}, {&weight, 1}, {.ef = 5, .entry_terms = 0, .early_stop = 0.5}, hits);
        EXPECT_EQ(id, -1);
    }
}

TEST(OpenIndex, SearchesAFileOfTermsWithoutDocuments) {
    Parameters exact;
    exact.set("window", std::uint64_t{64});
    exact.set("row_density", 0.5);
    search_a_term_without_documents("exact", exact, {});
    for (const std::uint64_t n_rows : {0, 1}) {
        Parameters clustered;
        for (const char* name : {"cluster_size", "neighbours"}) clustered.set(name, std::uint64_t{4});
        for (const char* name : {"reorder", "n_postings"}) clustered.set(name, std::uint64_t{0});
        for (const char* name : {"dense_frequency", "tile_frequency", "summary_energy"}) clustered.set(name, 0.5);
        clustered.set("n_summaries_rows", n_rows);
        clustered.set("n_tile_rows", n_rows);
        const auto codes = buffer_of(std::vector<std::uint8_t>(64 * n_rows));
        SectionList list;
        for (const char* name : {"order/given", "order/positions", "neighbours/positions"}) {
            list.add(name, Buffer<std::uint32_t>());
        }
        list.add("summaries/codes", codes);
        list.add("tiles/codes", Buffer<std::uint8_t>());
        search_a_term_without_documents("clustered", clustered, list);
    }
    Parameters graph;
    for (const char* name : {"m", "ef_construction", "entry_points", "reorder"}) graph.set(name, std::uint64_t{1});
    const auto no_edges = buffer_of(std::vector<std::uint32_t>{0});
    const auto offsets = buffer_of(std::vector<std::uint32_t>{0, 3});
    const auto bytes = buffer_of(std::vector<std::uint8_t>{1, 1, 0x7F});
    const auto heaviest = buffer_of(std::vector<float>{1});
    SectionList list;
    for (const char* name : {"order/given", "order/positions"}) list.add(name, Buffer<std::uint32_t>());
    list.add("edges/starts", no_edges);
    list.add("edges/bytes", bytes);
    list.add("entries/heaviest", heaviest);
    list.add("entries/starts", offsets);
    list.add("entries/bytes", bytes);
    search_a_term_without_documents("graph", graph, list);
}

}  // namespace
}  // namespace thresher
