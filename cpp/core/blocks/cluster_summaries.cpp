#include "cluster_summaries.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

namespace thresher {

namespace {

constexpr std::uint32_t kWindow = 65536;
constexpr std::size_t kClustersPerTask = 1024;
constexpr const char* kGroups = "groups";

constexpr std::uint32_t group_size(std::uint32_t cluster_size) noexcept {
    return cluster_size * static_cast<std::uint32_t>(kernels::kGroup);
}

// Reads what the lists hold of a cluster: its summary without the dense rows, pruned.
class SummaryReader {
  public:
    SummaryReader(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t cluster_size,
                  std::uint32_t n_rows, double energy)
        : forward_(forward), quantiser_(quantiser), cluster_size_(cluster_size), n_rows_(n_rows), energy_(energy) {}

    std::size_t n_clusters() const noexcept { return (forward_.n_docs() + cluster_size_ - 1) / cluster_size_; }

    void read(std::size_t cluster, std::vector<Posting>& summary) const {
        summary.clear();
        const std::size_t first = cluster * cluster_size_;
        for (std::size_t doc = first; doc < std::min(first + cluster_size_, forward_.n_docs()); ++doc) {
            forward_.append(doc, summary);
        }
        // What is apart would be all of a cluster's mass.
        for (Posting& posting : summary) posting.weight = std::min(posting.weight, quantiser_.largest(posting.slot));
        const auto has_row = [this](const Posting& posting) { return posting.slot < n_rows_; };
        if (energy_ >= 1) std::erase_if(summary, has_row);  // most of them: there is the less to sort
        // The largest weight of each slot, then the heaviest slots.
        std::sort(summary.begin(), summary.end(), [](const Posting& a, const Posting& b) {
            return a.slot != b.slot ? a.slot < b.slot : a.weight > b.weight;
        });
        summary.erase(std::unique(summary.begin(), summary.end(),
                                  [](const Posting& a, const Posting& b) { return a.slot == b.slot; }),
                      summary.end());
        if (energy_ < 1) {
            keep_heaviest(summary);
            std::erase_if(summary, has_row);
        }
    }

  private:
    void keep_heaviest(std::vector<Posting>& summary) const {
        std::sort(summary.begin(), summary.end(), [](const Posting& a, const Posting& b) {
            return a.weight != b.weight ? a.weight > b.weight : a.slot > b.slot;  // of equal ones, the rarer terms
        });
        double total = 0;
        for (const Posting& posting : summary) total += static_cast<double>(posting.weight);
        double kept = 0;
        std::size_t n = 0;
        while (n < summary.size() && kept < energy_ * total) kept += static_cast<double>(summary[n++].weight);
        summary.resize(n);
    }

    const ForwardIndex& forward_;
    const Quantiser& quantiser_;
    std::uint32_t cluster_size_;
    std::uint32_t n_rows_;
    double energy_;
};

// The least impact that each slot's list keeps, so that lists have `n_postings` clusters at most (more only where more
// have the largest impact there is). Counts impacts for those slots whose list could be longer.
std::vector<std::uint8_t> min_impacts(const SummaryReader& reader, const Vocabulary& vocabulary,
                                      const Quantiser& quantiser, std::uint32_t n_rows, std::size_t n_postings,
                                      unsigned threads, Progress& progress) {
    std::uint32_t n_long = n_rows;
    if (n_postings != 0) {
        n_long = std::max(n_rows, vocabulary.n_with(static_cast<double>(n_postings) + 1));
    }
    const std::size_t n_counts = std::size_t{n_long - n_rows} * 256;
    const unsigned workers = worker_count(threads, reader.n_clusters() / kClustersPerTask + 1);
    std::vector<std::vector<std::uint32_t>> counts(workers);
    std::vector<std::vector<Posting>> summaries(workers);
    if (n_counts == 0) {
        progress.begin_pass();
        return {};
    }
    parallel_for_rows(reader.n_clusters(), kClustersPerTask, workers, progress,
                      [&](std::size_t begin, std::size_t end, unsigned worker) {
                          counts[worker].resize(n_counts);
                          for (std::size_t cluster = begin; cluster < end; ++cluster) {
                              reader.read(cluster, summaries[worker]);
                              for (const auto& [slot, weight] : summaries[worker]) {
                                  if (slot >= n_long) continue;
                                  ++counts[worker][(slot - n_rows) * std::size_t{256} + quantiser.impact(slot, weight)];
                              }
                          }
                      });
    std::vector<std::uint8_t> min(n_long - n_rows, 1);
    for (std::size_t list = 0; list < min.size(); ++list) {
        interruption_point(256 * counts.size());
        std::size_t kept = 0;
        unsigned impact = 256;
        while (impact > 1) {
            std::size_t n = 0;
            for (const auto& mine : counts) n += mine.empty() ? 0 : mine[list * 256 + impact - 1];
            if (kept > 0 && kept + n > n_postings) break;
            kept += n;
            --impact;
        }
        min[list] = static_cast<std::uint8_t>(impact);
    }
    return min;
}

}  // namespace

ClusterSummaries ClusterSummaries::build(const ForwardIndex& forward, const Vocabulary& vocabulary,
                                         const Quantiser& quantiser, std::uint32_t cluster_size, std::uint32_t n_rows,
                                         std::optional<std::uint32_t> n_group_rows, const Pruning& pruning,
                                         unsigned threads, Progress& progress) {
    ClusterSummaries summaries;
    summaries.rows_ = BlockMaxima::build(forward, quantiser, cluster_size, n_rows, threads, progress);
    if (n_group_rows) {
        summaries.groups_ = BlockMaxima::build_means(forward, quantiser, group_size(cluster_size),
                                                     std::max(n_rows, *n_group_rows), threads, progress);
    } else {
        progress.begin_pass();
    }
    const SummaryReader reader(forward, quantiser, cluster_size, n_rows, pruning.energy);
    const auto min = min_impacts(reader, vocabulary, quantiser, n_rows, pruning.n_postings, threads, progress);
    const auto read = [&](std::size_t cluster, std::vector<Posting>& postings) {
        reader.read(cluster, postings);
        if (min.empty()) return;
        std::erase_if(postings, [&](const Posting& posting) {
            const std::uint32_t list = posting.slot - n_rows;
            return list < min.size() && quantiser.impact(posting.slot, posting.weight) < min[list];
        });
    };
    summaries.lists_ =
        WindowedPostings::build({reader.n_clusters(), read}, vocabulary, quantiser, kWindow, threads, progress);
    return summaries;
}

std::size_t ClusterSummaries::group_room(std::size_t n_docs, std::uint32_t cluster_size) noexcept {
    return BlockMaxima::room(n_docs, group_size(cluster_size), false);
}

std::vector<EstimatedPart> ClusterSummaries::estimated_parts(const CollectionStatistics& statistics,
                                                             std::uint32_t cluster_size, std::uint32_t n_rows,
                                                             std::optional<std::uint32_t> n_group_rows,
                                                             const Pruning& pruning) {
    const std::size_t n_docs = statistics.n_docs;
    const std::size_t n_clusters = (n_docs + cluster_size - 1) / cluster_size;
    const double max =
        pruning.n_postings == 0 ? std::numeric_limits<double>::infinity() : static_cast<double>(pruning.n_postings);
    auto parts = WindowedPostings::estimated_parts(statistics, n_clusters, kWindow, n_rows, max);
    for (EstimatedPart& part : parts) part.usual *= pruning.energy;
    parts.insert(parts.begin(), {"summaries", BlockMaxima::estimated_nbytes(n_docs, cluster_size, n_rows)});
    double groups = 0;
    if (n_group_rows) {
        groups = BlockMaxima::estimated_nbytes(n_docs, group_size(cluster_size), std::max(n_rows, *n_group_rows));
    }
    parts.push_back({kGroups, groups});
    return parts;
}

void ClusterSummaries::save(Parameters& counts, SectionList& sections) const {
    rows_.save("summaries", counts, sections);
    lists_.save(counts, sections);
    if (groups_.n_blocks() > 0) groups_.save(kGroups, counts, sections);
}

ClusterSummaries ClusterSummaries::load(const IndexFile& file, std::size_t n_docs, std::uint32_t cluster_size,
                                        std::uint32_t n_slots) {
    ClusterSummaries summaries;
    summaries.rows_ = BlockMaxima::load(file, "summaries", n_docs, cluster_size, n_slots);
    const auto n_clusters = static_cast<std::uint32_t>(summaries.rows_.n_blocks());
    summaries.lists_ = WindowedPostings::load(file, n_clusters, n_slots, kWindow);
    if (file.has_parameter("n_groups_rows")) {
        summaries.groups_ = BlockMaxima::load(file, kGroups, n_docs, group_size(cluster_size), n_slots);
        file.require(summaries.groups_.n_rows() >= summaries.rows_.n_rows(), "fewer rows of groups than of clusters");
    }
    file.require(summaries.lists_.n_rows() == 0, "lists of clusters with rows");
    return summaries;
}

}  // namespace thresher
