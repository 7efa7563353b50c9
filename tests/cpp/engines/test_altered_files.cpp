// Opening an index of any engine: whatever a file holds, it is refused or it is searched within its bounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/storage/index_file.hpp"
#include "engines/registry.hpp"
#include "support/altered_file.hpp"
#include "support/brute_force.hpp"
#include "support/engine_forms.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::buffer_of;
using test::Bytes;
using test::entry_at;
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
    std::vector<std::uint8_t> exact(queries.n_rows());
    index.search(queries.view(), {10, 1, nullptr}, {10, ids, scores, exact});
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
    constexpr std::size_t kHits = 4;
    const Rows queries =
        index.n_terms() < 14
            ? test::rows_of(1, {{{0, 1.0F}}})
            : test::rows_of(
                  14, {{{0, 1.0F}, {1, 2.0F}, {13, 3.0F}}, {{2, 1.0F}, {5, -0.5F}, {9, 2.0F}}, {{12, -1.0F}}, {}});
    const auto n_docs = static_cast<std::int64_t>(index.n_docs());
    const auto expect_ids = [&](const std::vector<std::int64_t>& ids) {
        for (const std::int64_t id : ids) ASSERT_TRUE(id >= -1 && id < n_docs) << id;
    };
    static const auto kForms = [] {
        std::map<std::string_view, test::EngineForms> forms;
        for (const std::string_view name : engine_names()) forms[name] = test::forms_of(name);
        return forms;
    }();
    const test::EngineForms& forms = kForms.at(index.engine());
    ASSERT_NO_FATAL_FAILURE(expect_ids(test::search(index, queries, kHits).ids));
    for (const auto* all : {&forms.exact, &forms.approximate}) {
        for (const NamedValues& params : *all) {
            const auto set = test::set_to(index, params);
            if (set == nullptr) continue;
            ASSERT_NO_FATAL_FAILURE(expect_ids(test::search(*set, queries, kHits).ids));
        }
    }
    std::vector<std::uint8_t> odd(index.n_docs());
    for (std::size_t doc = 1; doc < odd.size(); doc += 2) odd[doc] = 1;
    test::Hits filled(queries.n_rows(), kHits);
    index.search(queries.view(), {.k = kHits, .threads = 1, .allowed = {index.select(odd)}, .fill = true},
                 filled.view());
    ASSERT_NO_FATAL_FAILURE(expect_ids(filled.ids));
    if (const auto* graph = dynamic_cast<const GraphIndex*>(&index)) {
        for (std::int64_t doc = 0; doc < n_docs; ++doc) ASSERT_NO_FATAL_FAILURE(expect_ids(graph->edges(doc)));
    }
    std::vector<std::int64_t> docs(index.n_docs());
    std::iota(docs.begin(), docs.end(), 0);
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
        // A bit or two of each byte of the smallest file, a sample of the others; the fuzzer goes on from here.
        const std::size_t step = name == "exact" ? 7 : 203;
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
            for (int round = 0; round < 8; ++round) {
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
    ExactIndex::build(docs.view(), {64, 0.1}, {.threads = 1})->save(directory.path("f"), nullptr);
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
            const auto change =
                std::find_if(changes.begin(), changes.end(), [&wanted = name](auto& c) { return c.first == wanted; });
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

// A file whose counts are altered, one at a time.
class Counts {
  public:
    explicit Counts(const Index& index) {
        index.save(directory_.path("good"), nullptr);
        rewriter_.emplace(directory_.path("good"));
        file_.emplace(IndexFile::open(directory_.path("good"), true, nullptr));
        rewriter_->write(directory_.path("bad"), {});
        EXPECT_FALSE(refused(directory_.path("bad"), true)) << "as it was";
    }
    std::uint64_t right(const std::string& name) const { return file_->integer(name); }
    void expect_refused(const std::string& name, std::uint64_t wrong) const {
        rewriter_->write(directory_.path("bad"), {{name, wrong}});
        EXPECT_TRUE(refused(directory_.path("bad"), true)) << name << " " << wrong;
    }
    // Counts that are one off, and those that only their lowest 32 bits would take for the right one.
    void expect_others_refused(const std::vector<std::string>& names,
                               const std::vector<std::uint64_t>& more = {}) const {
        for (const std::string& name : names) {
            for (const std::uint64_t wrong :
                 {right(name) - 1, right(name) + 1, right(name) + (std::uint64_t{1} << 32), UINT64_MAX}) {
                expect_refused(name, wrong);
            }
            for (const std::uint64_t wrong : more) expect_refused(name, wrong);
        }
    }
    // The sections do not tell: what is found is in bounds.
    void expect_in_bounds(const std::string& name, std::uint64_t other) const {
        rewriter_->write(directory_.path("bad"), {{name, other}});
        search_unless_refused(directory_.path("bad"));
    }

  private:
    TemporaryDirectory directory_;
    std::optional<Rewriter> rewriter_;
    std::optional<IndexFile> file_;
};

TEST(OpenIndex, RefusesCountsThatDoNotMatchTheSections) {
    const Counts counts(*small_index());
    counts.expect_others_refused({"n_docs", "nnz", "n_terms", "n_rows", "n_lists"},
                                 {0, std::uint64_t{1} << 31, (std::uint64_t{1} << 31) + 1, std::uint64_t{1} << 32,
                                  (std::uint64_t{1} << 32) + 1, UINT64_MAX - 1});
    for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{65}, std::uint64_t{65536 + 64}, UINT64_MAX}) {
        counts.expect_refused("window", wrong);
    }
}

TEST(OpenIndex, RefusesBlockMaxCountsThatDoNotMatchTheSections) {
    for (const bool reversed : {false, true}) {
        const Counts counts(*small_block_max_index(reversed));
        counts.expect_others_refused({"n_blocks_rows", "n_superblocks_rows", "n_docs", "nnz", "n_rows"});
        for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{5}, std::uint64_t{32},
                                          std::uint64_t{128}, (std::uint64_t{1} << 32) + 4, UINT64_MAX}) {
            counts.expect_refused("block_size", wrong);
        }
        // A tile is padded to whole cache lines: it may have room for a row more, and is as safe.
        const std::uint64_t n_tile_rows = counts.right("n_tile_rows");
        for (const std::uint64_t wrong : {n_tile_rows + (std::uint64_t{1} << 32), UINT64_MAX}) {
            counts.expect_refused("n_tile_rows", wrong);
        }
        for (const std::uint64_t other : {n_tile_rows - 1, n_tile_rows + 1}) {
            counts.expect_in_bounds("n_tile_rows", other);
        }
        for (const std::uint64_t size : {8, 16, 32, 64}) counts.expect_in_bounds("block_size", size);
    }
}

TEST(OpenIndex, RefusesClusteredCountsThatDoNotMatchTheSections) {
    for (const bool reordered : {false, true}) {
        const Counts counts(*small_clustered_index(reordered));
        counts.expect_others_refused(
            {"n_summaries_rows", "n_tile_rows", "n_lists", "n_rows", "n_docs", "nnz", "neighbours"}, {257});
        for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{5}, std::uint64_t{12},
                                          std::uint64_t{128}, (std::uint64_t{1} << 32) + 4, UINT64_MAX}) {
            counts.expect_refused("cluster_size", wrong);
        }
        for (const std::uint64_t size : {8, 16, 32, 64}) {  // clusters that lists name, and that are not there
            counts.expect_in_bounds("cluster_size", size);
        }
    }
}

TEST(OpenIndex, RefusesGraphCountsThatDoNotMatchTheSections) {
    for (const bool reordered : {false, true}) {
        const Counts counts(*small_graph_index(reordered));
        counts.expect_others_refused({"n_docs", "nnz"});
        for (const std::uint64_t wrong :
             {std::uint64_t{0}, std::uint64_t{257}, (std::uint64_t{1} << 32) + 3, std::uint64_t{1} << 63, UINT64_MAX}) {
            counts.expect_refused("m", wrong);
        }
        for (const char* name : {"m", "ef_construction", "entry_points", "reorder"}) counts.expect_in_bounds(name, 2);
    }
}

TEST(OpenIndex, RefusesImpactCountsThatDoNotMatchTheSections) {
    Counts(*small_impact_index()).expect_others_refused({"n_levelled", "n_docs", "nnz"}, {15});
}

TEST(OpenIndex, RefusesPostingsCountsThatDoNotMatchTheSections) {
    Counts(*small_postings_index()).expect_others_refused({"n_docs", "nnz", "block_size"});
}

TEST(OpenIndex, RefusesAGraphOfMoreNeighboursThanAnIndexIsBuiltWith) {
    const TemporaryDirectory directory;  // without documents no size of a section tells
    const Rows none = test::rows_of(3, {});
    ClusteredIndex::build(none.view(), {.neighbours = 5}, {.threads = 1})->save(directory.path("f"), nullptr);
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
    search_everything(*index);
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
