// Summaries of clusters: the largest weight of any member of every term, but for what is pruned by the rules.
#include "core/blocks/cluster_summaries.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "support/document_parts.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Row;
using test::Rows;
using test::TemporaryDirectory;

struct Built : test::DocumentParts {
    using DocumentParts::DocumentParts;
    ClusterSummaries summaries(std::uint32_t cluster_size, std::uint32_t n_rows,
                               const ClusterSummaries::Pruning& pruning, unsigned threads = 1,
                               std::optional<std::uint32_t> n_group_rows = {}) const {
        Progress progress = test::silent();
        return ClusterSummaries::build(forward, vocabulary, quantiser, cluster_size, n_rows, n_group_rows, pruning,
                                       threads, progress);
    }
};

using Lists = std::map<std::uint32_t, std::map<std::uint32_t, int>>;  // slot -> cluster -> impact

// What is in the lists, each cluster once.
Lists lists_of(const ClusterSummaries& summaries, const Vocabulary& vocabulary) {
    const WindowedPostings& postings = summaries.lists();
    EXPECT_EQ(postings.n_rows(), 0U);
    Lists lists;
    const auto add = [&](std::uint32_t slot, std::uint32_t cluster, int impact) {
        EXPECT_GT(impact, 0);
        EXPECT_TRUE(lists[slot].emplace(cluster, impact).second) << "slot " << slot << " cluster " << cluster;
    };
    for (std::size_t w = 0; w < postings.n_windows(); ++w) {
        const auto of_window = postings.lists(w);
        for (std::uint32_t list = 0; list < postings.n_lists(); ++list) {
            for (std::uint32_t p = of_window.offsets[list]; p < of_window.offsets[list + 1]; ++p) {
                add(list, postings.first_doc(w) + of_window.docs[p], of_window.impacts[p]);
            }
        }
    }
    for (std::uint32_t slot = postings.n_lists(); slot < vocabulary.n_slots(); ++slot) {
        const auto rare = postings.rare(slot);
        for (std::size_t p = 0; p < rare.docs.size(); ++p) add(slot, rare.docs[p], rare.impacts[p]);
    }
    return lists;
}

// The same by the rules, from the documents alone.
Lists expected_lists(const Built& built, std::uint32_t cluster_size, std::uint32_t n_rows,
                     const ClusterSummaries::Pruning& pruning) {
    Lists lists;
    std::vector<Posting> postings;
    for (std::size_t first = 0; first < built.forward.n_docs(); first += cluster_size) {
        std::map<std::uint32_t, float> largest;
        for (std::size_t doc = first; doc < std::min(first + cluster_size, built.forward.n_docs()); ++doc) {
            built.forward.read(doc, postings);
            for (const auto& [slot, weight] : postings) largest[slot] = std::max(largest[slot], weight);
        }
        std::vector<std::pair<std::uint32_t, float>> summary(largest.rbegin(), largest.rend());  // rarer terms first
        std::stable_sort(summary.begin(), summary.end(), [](auto& a, auto& b) { return a.second > b.second; });
        double total = 0;
        for (const auto& [slot, weight] : summary) total += static_cast<double>(weight);
        double kept = 0;
        for (const auto& [slot, weight] : summary) {
            if (pruning.energy < 1 && kept >= pruning.energy * total) break;
            kept += static_cast<double>(weight);
            if (slot < n_rows) continue;
            lists[slot][static_cast<std::uint32_t>(first / cluster_size)] = built.quantiser.impact(slot, weight);
        }
    }
    if (pruning.n_postings == 0) return lists;
    for (auto& [slot, list] : lists) {
        // The least impact that leaves no more than `n_postings`, or the largest there is.
        std::vector<int> impacts;
        for (const auto& [cluster, impact] : list) impacts.push_back(impact);
        std::sort(impacts.rbegin(), impacts.rend());
        int min = impacts.front();
        for (std::size_t n = 1; n <= impacts.size(); ++n) {
            const bool last_of_its_impact = n == impacts.size() || impacts[n] != impacts[n - 1];
            if (last_of_its_impact && n <= pruning.n_postings) min = impacts[n - 1];
        }
        std::erase_if(list, [&](const auto& posting) { return posting.second < min; });
    }
    return lists;
}

std::size_t size_of(const Lists& lists) {
    std::size_t n = 0;
    for (const auto& [slot, list] : lists) n += list.size();
    return n;
}

bool includes(const Lists& more, const Lists& fewer) {
    return std::all_of(fewer.begin(), fewer.end(), [&](const auto& entry) {
        const auto found = more.find(entry.first);
        return found != more.end() &&
               std::includes(found->second.begin(), found->second.end(), entry.second.begin(), entry.second.end());
    });
}

TEST(ClusterSummaries, AreNeverBelowAMembersWeight) {
    Random random(1);
    for (const std::size_t n_docs : {1, 3, 4, 5, 64, 1001}) {
        const Built built(test::random_rows(random, n_docs, 200, 8, test::real_weight));
        const std::uint32_t n_slots = built.vocabulary.n_slots();
        for (const std::uint32_t cluster_size : {4U, 16U, 64U}) {
            for (const std::uint32_t n_rows : {0U, n_slots / 3, n_slots}) {
                const auto summaries = built.summaries(cluster_size, n_rows, {0, 1.0});
                ASSERT_EQ(summaries.rows().n_rows(), n_rows);
                ASSERT_EQ(summaries.rows().n_blocks(), (n_docs + cluster_size - 1) / cluster_size);
                Lists lists = lists_of(summaries, built.vocabulary);
                ASSERT_TRUE(lists.empty() || lists.begin()->first >= n_rows) << "dense or listed";
                std::vector<Posting> postings;
                for (std::uint32_t doc = 0; doc < n_docs; ++doc) {
                    built.forward.read(doc, postings);
                    const std::uint32_t cluster = doc / cluster_size;
                    for (const auto& [slot, weight] : postings) {
                        const double step = built.quantiser.step(slot);
                        if (slot < n_rows) {
                            ASSERT_GE(17 * step * summaries.rows().code(slot, cluster),
                                      static_cast<double>(weight) * (1 - 1e-15));
                        } else {
                            ASSERT_TRUE(lists[slot].contains(cluster));
                            ASSERT_GE(step * lists[slot][cluster] + built.quantiser.error(slot),
                                      static_cast<double>(weight) * (1 - 1e-15));
                        }
                    }
                }
                ASSERT_EQ(lists, expected_lists(built, cluster_size, n_rows, {0, 1.0})) << "and hold nothing else";
            }
        }
    }
}

TEST(ClusterSummaries, ArePrunedByTheRules) {
    Random random(2);
    const auto levels = [](Random& source) { return static_cast<float>(test::uniform(source, 1, 4)); };
    const auto one = [](Random&) { return 1.0F; };
    const Built collections[] = {Built(test::random_rows(random, 1500, 60, 8, test::real_weight)),
                                 Built(test::random_rows(random, 1500, 60, 8, levels)),  // ties
                                 Built(test::random_rows(random, 700, 60, 8, one))};
    for (const Built& built : collections) {
        for (const std::uint32_t cluster_size : {4U, 32U}) {
            for (const std::uint32_t n_rows : {0U, 5U}) {
                for (const std::size_t n_postings : {0, 1, 2, 30, 200, 100000}) {
                    for (const double energy : {1e-9, 0.5, 0.9, 1.0}) {
                        const ClusterSummaries::Pruning pruning{n_postings, energy};
                        const auto summaries = built.summaries(cluster_size, n_rows, pruning);
                        Lists expected = expected_lists(built, cluster_size, n_rows, pruning);
                        ASSERT_EQ(lists_of(summaries, built.vocabulary), expected)
                            << "clusters of " << cluster_size << ", " << n_rows << " rows, " << n_postings
                            << " postings, energy " << energy;
                    }
                }
            }
        }
    }
}

TEST(ClusterSummaries, KeepMoreOfMore) {
    Random random(3);
    const Built built(test::random_rows(random, 2000, 100, 10, test::real_weight));
    Lists before;
    for (const double energy : {1e-9, 0.2, 0.5, 0.8, 0.95, 1.0}) {
        const Lists lists = lists_of(built.summaries(8, 3, {0, energy}), built.vocabulary);
        EXPECT_TRUE(includes(lists, before)) << "energy " << energy;
        EXPECT_GT(size_of(lists), size_of(before));
        before = lists;
    }
    before.clear();
    for (const std::size_t n_postings : {1, 3, 10, 30, 100}) {
        const Lists lists = lists_of(built.summaries(8, 3, {n_postings, 1.0}), built.vocabulary);
        EXPECT_TRUE(includes(lists, before)) << n_postings << " postings";
        EXPECT_GT(size_of(lists), size_of(before));
        before = lists;
    }
    EXPECT_TRUE(includes(lists_of(built.summaries(8, 3, {0, 1.0}), built.vocabulary), before)) << "0 is all";
}

TEST(ClusterSummaries, KeepAListOfEqualClustersWhole) {
    const Built built(test::rows_of(2, std::vector<Row>(100, Row{{0, 2.0F}, {1, 0.5F}})));
    for (const std::size_t n_postings : {0, 1, 24, 25}) {
        const Lists lists = lists_of(built.summaries(4, 1, {n_postings, 1.0}), built.vocabulary);
        EXPECT_EQ(size_of(lists), 25U) << n_postings << ": all of them have the largest impact there is";
    }
    EXPECT_EQ(size_of(lists_of(built.summaries(4, 0, {0, 0.79}), built.vocabulary)), 25U) << "the heavier term";
    EXPECT_EQ(size_of(lists_of(built.summaries(4, 0, {0, 0.8}), built.vocabulary)), 25U) << "which has 0.8 of the mass";
    EXPECT_EQ(size_of(lists_of(built.summaries(4, 0, {0, 0.81}), built.vocabulary)), 50U);
}

// The mass of a summary hides a term where it is heaviest; the clusters that are left tie.
TEST(ClusterSummaries, KeepTheLargestImpactThatMassLeaves) {
    Rows docs;
    docs.n_terms = 2;
    for (int cluster = 0; cluster < 50; ++cluster) {
        for (int doc = 0; doc < 4; ++doc) {
            const bool is_heavy = cluster >= 7 && cluster < 10;
            docs.add(is_heavy ? Row{{0, 8.0F}, {1, 400.0F}} : Row{{0, 4.0F}});
        }
    }
    const Built built(docs);
    const Lists lists = lists_of(built.summaries(4, 0, {10, 0.9}), built.vocabulary);
    EXPECT_EQ(lists.at(built.vocabulary.slot(0)).size(), 47U) << "all have the largest impact there is";
    EXPECT_EQ(lists.at(built.vocabulary.slot(1)).size(), 3U);
}

TEST(ClusterSummaries, DoNotTakeWhatIsApartForACluster) {
    Rows docs;
    docs.n_terms = 2;
    for (int doc = 0; doc < 200; ++doc) docs.add(Row{{0, 4.0F}, {1, doc == 5 ? 1e6F : 1.0F}});
    const Built built(docs);
    ASSERT_EQ(built.quantiser.outliers().size(), 1U);
    const Lists lists = lists_of(built.summaries(4, 0, {0, 0.9}), built.vocabulary);
    EXPECT_EQ(lists.at(built.vocabulary.slot(0)).size(), 50U);
}

std::vector<std::vector<std::byte>> saved(const ClusterSummaries& summaries) {
    Parameters counts;
    SectionList list;
    summaries.save(counts, list);
    std::vector<std::vector<std::byte>> sections;
    for (const Section& section : list.sections()) sections.emplace_back(section.bytes.begin(), section.bytes.end());
    return sections;
}

TEST(ClusterSummaries, DoNotDependOnTheNumberOfThreads) {
    Random random(4);
    const Built built(test::random_rows(random, 20000, 300, 8, test::real_weight));
    for (const ClusterSummaries::Pruning& pruning :
         {ClusterSummaries::Pruning{0, 1.0}, {40, 1.0}, {0, 0.6}, {40, 0.6}}) {
        const auto one = saved(built.summaries(4, 10, pruning));
        for (unsigned threads = 2; threads <= 4; ++threads) {
            EXPECT_EQ(saved(built.summaries(4, 10, pruning, threads)), one)
                << threads << " threads, " << pruning.n_postings << " postings, energy " << pruning.energy;
        }
    }
}

TEST(ClusterSummaries, ReportProgressInTheirPasses) {
    Random random(6);
    const Built built(test::random_rows(random, 2000, 100, 5, test::real_weight));
    for (const std::size_t n_postings : {0, 10}) {
        test::RecordingMonitor monitor;
        Progress progress(&monitor, ClusterSummaries::kPasses, 2000);
        ClusterSummaries::build(built.forward, built.vocabulary, built.quantiser, 4, 3, 20, {n_postings, 1.0}, 2,
                                progress);
        std::set<std::uint64_t> done;
        for (const auto& report : monitor.reports()) done.insert(report.first);
        for (unsigned pass = 1; pass <= ClusterSummaries::kPasses; ++pass) {
            if (pass == 3 && n_postings == 0) continue;  // nothing is counted
            EXPECT_TRUE(done.contains(2000 * pass / ClusterSummaries::kPasses)) << "pass " << pass;
        }
        EXPECT_EQ(*done.rbegin(), 2000U);
    }
}

TEST(ClusterSummaries, OfNoDocumentsAndOfEmptyOnes) {
    for (const std::size_t n_docs : {0, 1, 9}) {
        const Built built(test::rows_of(5, std::vector<Row>(n_docs)));
        for (const ClusterSummaries::Pruning& pruning : {ClusterSummaries::Pruning{0, 1.0}, {1, 0.5}}) {
            const auto summaries = built.summaries(4, 0, pruning);
            EXPECT_EQ(summaries.rows().n_blocks(), (n_docs + 3) / 4);
            EXPECT_TRUE(lists_of(summaries, built.vocabulary).empty());
        }
    }
}

TEST(ClusterSummaries, HaveGroupsIfAskedFor) {
    Random random(7);
    const Built built(test::random_rows(random, 3000, 200, 8, test::real_weight));
    EXPECT_EQ(built.summaries(4, 9, {0, 1.0}).groups().n_blocks(), 0U);
    Progress progress = test::silent();
    const TemporaryDirectory directory;
    for (const std::uint32_t n_group_rows : {0U, 5U, 9U, 60U}) {
        const auto summaries = built.summaries(4, 9, {0, 1.0}, 2, n_group_rows);
        const BlockMaxima& groups = summaries.groups();
        const auto expected =
            BlockMaxima::build_means(built.forward, built.quantiser, 128, std::max(9U, n_group_rows), 1, progress);
        ASSERT_EQ(groups.n_blocks(), (3000 + 127) / 128);
        ASSERT_EQ(groups.n_rows(), expected.n_rows()) << "of every term that has a row of clusters, at least";
        for (std::uint32_t row = 0; row < groups.n_rows(); ++row) {
            for (std::size_t group = 0; group < groups.n_blocks(); ++group) {
                ASSERT_EQ(groups.code(row, group), expected.code(row, group));
            }
        }
        Parameters counts;
        SectionList sections;
        summaries.save(counts, sections);
        write_index_file(directory.path("f"), "test", counts, sections, nullptr);
        const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
        EXPECT_EQ(saved(ClusterSummaries::load(file, 3000, 4, built.vocabulary.n_slots())), saved(summaries));
    }
}

TEST(ClusterSummaries, RefuseFewerRowsOfGroupsThanOfClusters) {
    Random random(8);
    const Built built(test::random_rows(random, 3000, 200, 8, test::real_weight));
    Progress progress = test::silent();
    Parameters counts;
    SectionList sections;
    const auto summaries = built.summaries(4, 9, {0, 1.0});
    const auto groups = BlockMaxima::build_means(built.forward, built.quantiser, 128, 8, 1, progress);
    summaries.save(counts, sections);
    groups.save("groups", counts, sections);
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "test", counts, sections, nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    EXPECT_THROW(ClusterSummaries::load(file, 3000, 4, built.vocabulary.n_slots()), FormatError);
}

TEST(ClusterSummaries, GoThroughAFile) {
    Random random(5);
    const Built built(test::random_rows(random, 3000, 200, 8, test::real_weight));
    const std::uint32_t n_slots = built.vocabulary.n_slots();
    const auto summaries = built.summaries(8, 9, {50, 0.9});
    Parameters counts;
    SectionList sections;
    summaries.save(counts, sections);
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "test", counts, sections, nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    const auto loaded = ClusterSummaries::load(file, 3000, 8, n_slots);
    EXPECT_EQ(saved(loaded), saved(summaries));
    EXPECT_EQ(lists_of(loaded, built.vocabulary), lists_of(summaries, built.vocabulary));
    EXPECT_EQ(loaded.rows().n_blocks(), 375U);
    EXPECT_THROW(ClusterSummaries::load(file, 3000, 8, n_slots - 1), FormatError);
    EXPECT_THROW(ClusterSummaries::load(file, 3000, 4, n_slots), FormatError) << "another number of clusters";

    Parameters wrong_counts;
    SectionList wrong_sections;
    summaries.rows().save("summaries", wrong_counts, wrong_sections);
    const Built other(test::random_rows(random, 375, 200, 30, test::real_weight));  // as many as there are clusters
    Progress progress = test::silent();
    const auto rows_of_clusters =
        WindowedPostings::build(other.forward, other.vocabulary, other.quantiser, 65536, 0.1, 1, progress);
    ASSERT_GT(rows_of_clusters.n_rows(), 0U);
    rows_of_clusters.save(wrong_counts, wrong_sections);
    write_index_file(directory.path("wrong"), "test", wrong_counts, wrong_sections, nullptr);
    const IndexFile wrong = IndexFile::open(directory.path("wrong"), true, nullptr);
    try {
        ClusterSummaries::load(wrong, 3000, 8, other.vocabulary.n_slots());
        FAIL() << "rows of postings are not summaries";
    } catch (const FormatError& error) {
        EXPECT_TRUE(std::string(error.what()).ends_with("lists of clusters with rows")) << error.what();
    }
}

}  // namespace
}  // namespace thresher
