#include "window_scan.hpp"

namespace thresher {

void ScanPlan::clear() noexcept {
    rows_.clear();
    row_weights_.clear();
    lists_.clear();
    list_weights_.clear();
    rare_.clear();
}

void ScanPlan::add(const WindowedPostings& postings, std::uint32_t slot, std::int32_t weight) {
    if (slot < postings.n_rows()) {
        rows_.push_back(slot);
        row_weights_.push_back(static_cast<std::int16_t>(weight));
    } else if (slot < postings.n_rows() + postings.n_lists()) {
        lists_.push_back(slot - postings.n_rows());
        list_weights_.push_back(weight);
    } else {
        rare_.push_back({postings.rare(slot), weight, 0});
    }
}

void ScanPlan::seal() {
    if (rows_.size() % 2 == 0) return;
    rows_.push_back(rows_.back());
    row_weights_.push_back(0);
}

void WindowScan::accumulate(const WindowedPostings& postings, std::size_t w, ScanPlan& plan) {
    std::int32_t* scores = scores_.items.data();
    const auto lists = postings.lists(w);
    kernels::active().accumulate_lists(plan.lists_.data(), plan.list_weights_.data(), plan.lists_.size(), lists.offsets,
                                       lists.n_postings, lists.docs, lists.impacts, scores);
    const std::uint32_t first = postings.first_doc(w);
    const std::uint32_t n_docs = postings.window_docs(w);
    for (ScanPlan::Rare& rare : plan.rare_) {
        for (; rare.next < rare.postings.docs.size(); ++rare.next) {
            const std::uint32_t doc = rare.postings.docs[rare.next] - first;
            if (doc >= n_docs) break;
            // Unsigned: wraps rather than undefined on altered files.
            reinterpret_cast<std::uint32_t*>(scores)[doc] +=
                static_cast<std::uint32_t>(rare.weight) * rare.postings.impacts[rare.next];
        }
    }
}

}  // namespace thresher
