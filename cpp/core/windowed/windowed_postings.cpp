#include "windowed_postings.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../documents/row_room.hpp"

namespace thresher {

namespace {

// Fewer postings a window than this, on average, and a list's offsets cost more than its postings.
constexpr std::uint64_t kListedFrom = 2;
constexpr double kNoRows = std::numeric_limits<double>::infinity();  // a row density

}  // namespace

WindowedPostings WindowedPostings::build(const ForwardIndex& forward, const Vocabulary& vocabulary,
                                         const Quantiser& quantiser, std::uint32_t window, double row_density,
                                         unsigned threads, Progress& progress) {
    WindowedPostings postings;
    const auto read = [&](std::size_t doc, std::vector<Posting>& into) { forward.read(doc, into); };
    postings.build_from({forward.n_docs(), read}, vocabulary, quantiser, window, row_density, threads, progress);
    return postings;
}

WindowedPostings WindowedPostings::build(const PostingSource& source, const Vocabulary& vocabulary,
                                         const Quantiser& quantiser, std::uint32_t window, unsigned threads,
                                         Progress& progress) {
    WindowedPostings postings;
    postings.build_from(source, vocabulary, quantiser, window, kNoRows, threads, progress);
    return postings;
}

void WindowedPostings::build_from(const PostingSource& source, const Vocabulary& vocabulary, const Quantiser& quantiser,
                                  std::uint32_t window, double row_density, unsigned threads, Progress& progress) {
    n_docs_ = static_cast<std::uint32_t>(source.n);
    window_ = window;
    n_windows_ = (source.n + window - 1) / window;
    const Division division = divide(vocabulary, source.n, window, row_density);
    n_rows_ = division.n_rows;
    n_lists_ = division.n_lists;
    n_rare_ = vocabulary.n_slots() - n_rows_ - n_lists_;
    RareListsBuilder rare(n_rare_);
    count_lists(source, rare, threads, progress);
    rare.place();
    fill(source, quantiser, rare, threads, progress);
    rare_ = rare.finish(n_docs_, threads, progress.monitor());
}

template <class Frequencies>
WindowedPostings::Division WindowedPostings::divide(const Frequencies& frequencies, std::size_t n_items,
                                                    std::uint32_t window, double row_density) {
    const std::size_t n_windows = (n_items + window - 1) / window;
    const std::size_t room = row_room(row_bytes(n_items, window), 1);
    const std::uint32_t n_rows = row_density <= 1 ? frequencies.n_frequent(row_density, room) : 0;
    const std::uint32_t n_listed = frequencies.n_with(static_cast<double>(kListedFrom * n_windows));
    return {n_rows, std::max(n_listed, n_rows) - n_rows};
}

std::size_t WindowedPostings::row_bytes(std::size_t n_docs, std::uint32_t window) noexcept {
    const std::size_t rest = n_docs % window;
    return n_docs / window * stride_for(window) + (rest == 0 ? 0 : stride_for(rest));
}

void WindowedPostings::count_lists(const PostingSource& source, RareListsBuilder& rare, unsigned threads,
                                   Progress& progress) {
    Filling<std::uint32_t> offsets(n_windows_ * (n_lists_ + std::size_t{1}));
    std::vector<std::vector<Posting>> scratch(worker_count(threads, n_windows_));
    parallel_for(n_windows_, threads, progress, [&](std::size_t w, unsigned worker) {
        std::uint32_t* counts = offsets.items.data() + w * (n_lists_ + std::size_t{1});
        for (std::uint32_t doc = 0; doc < window_docs(w); ++doc) {
            source.read(first_doc(w) + doc, scratch[worker]);
            for (const Posting& posting : scratch[worker]) {
                if (posting.slot < n_rows_) continue;
                const std::uint32_t list = posting.slot - n_rows_;
                if (list < n_lists_) {
                    ++counts[list + 1];
                } else {
                    rare.count(list - n_lists_);
                }
            }
        }
        const auto total = std::accumulate(counts, counts + n_lists_ + 1, std::uint64_t{0});
        if (total > std::numeric_limits<std::uint32_t>::max()) {
            throw std::invalid_argument("docs: " + std::to_string(total) +
                                        " postings in one window are too many; build with a smaller window");
        }
        std::partial_sum(counts, counts + n_lists_ + 1, counts);
    });
    Filling<std::uint64_t> bases(n_windows_ + 1);
    for (std::size_t w = 0; w < n_windows_; ++w) {
        bases.items[w + 1] = bases.items[w] + offsets.items[w * (n_lists_ + std::size_t{1}) + n_lists_];
    }
    list_offsets_ = std::move(offsets.buffer);
    list_bases_ = std::move(bases.buffer);
}

void WindowedPostings::fill(const PostingSource& source, const Quantiser& quantiser, RareListsBuilder& rare,
                            unsigned threads, Progress& progress) {
    const std::uint32_t first_rare = n_rows_ + n_lists_;
    Filling<std::uint8_t> cells(cells_size());
    const auto n_listed = static_cast<std::size_t>(list_bases_[n_windows_]);
    Filling<std::uint16_t> list_docs(n_listed);
    Filling<std::uint8_t> list_impacts(n_listed);
    struct Scratch {
        std::vector<Posting> postings;
        std::vector<std::uint32_t> next;  // list -> where its next posting goes
    };
    std::vector<Scratch> scratch(worker_count(threads, n_windows_));
    parallel_for(n_windows_, threads, progress, [&](std::size_t w, unsigned worker) {
        auto& [postings, next] = scratch[worker];
        const std::uint32_t* offsets = list_offsets_.data() + w * (n_lists_ + std::size_t{1});
        next.assign(offsets, offsets + n_lists_);
        std::uint8_t* rows = cells.items.data() + w * full_stride() * n_rows_;
        std::uint16_t* docs = list_docs.items.data() + list_bases_[w];
        std::uint8_t* impacts = list_impacts.items.data() + list_bases_[w];
        for (std::uint32_t doc = 0; doc < window_docs(w); ++doc) {
            source.read(first_doc(w) + doc, postings);
            for (const auto& [slot, weight] : postings) {
                const std::uint8_t impact = quantiser.impact(slot, weight);
                if (slot < n_rows_) {
                    rows[slot * stride(w) + doc] = impact;
                } else if (slot < first_rare) {
                    const std::uint32_t p = next[slot - n_rows_]++;
                    docs[p] = static_cast<std::uint16_t>(doc);
                    impacts[p] = impact;
                } else {
                    rare.put(slot - first_rare, first_doc(w) + doc, impact);
                }
            }
        }
    });

    cells_ = std::move(cells.buffer);
    list_docs_ = std::move(list_docs.buffer);
    list_impacts_ = std::move(list_impacts.buffer);
}

WindowedPostings::Lists WindowedPostings::lists(std::size_t w) const noexcept {
    // Clamped, so that an altered file can't lead out of bounds.
    const std::uint64_t end = std::min<std::uint64_t>(list_bases_[w + 1], list_docs_.size());
    const std::uint64_t base = std::min(list_bases_[w], end);
    const auto n =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(end - base, std::numeric_limits<std::uint32_t>::max()));
    return {list_offsets_.data() + w * (n_lists_ + std::size_t{1}), n, list_docs_.data() + base,
            list_impacts_.data() + base};
}

std::size_t WindowedPostings::lists_nbytes() const noexcept {
    return list_bases_.nbytes() + list_offsets_.nbytes() + list_docs_.nbytes() + list_impacts_.nbytes();
}

EstimatedPart WindowedPostings::estimated_lists(std::size_t n_windows, std::uint32_t n_lists) {
    const auto windows = static_cast<double>(n_windows);
    return {"lists", sizeof(list_bases_[0]) * (windows + 1) + sizeof(list_offsets_[0]) * windows * (n_lists + 1.0)};
}

std::uint32_t WindowedPostings::n_rows_of(const CollectionStatistics& statistics, std::uint32_t window,
                                          double row_density) {
    return divide(statistics, statistics.n_docs, window, row_density).n_rows;
}

std::vector<EstimatedPart> WindowedPostings::estimated_parts(const CollectionStatistics& statistics,
                                                             std::uint32_t window, double row_density) {
    const auto [n_rows, n_lists] = divide(statistics, statistics.n_docs, window, row_density);
    EstimatedPart lists = estimated_lists((statistics.n_docs + window - 1) / window, n_lists);
    lists.fixed += static_cast<double>(kListedBytes) * statistics.postings(n_rows, n_rows + n_lists);
    const std::uint32_t listed = n_rows + n_lists;
    const double rare_postings = statistics.postings(listed, statistics.n_slots());
    const EstimatedPart rare{
        "rare", RareLists::estimated_nbytes(statistics.n_slots() - listed, rare_postings, statistics.n_docs)};
    const double rows = static_cast<double>(n_rows) * static_cast<double>(row_bytes(statistics.n_docs, window));
    return {{"rows", rows}, lists, rare};
}

std::vector<EstimatedPart> WindowedPostings::estimated_parts(const CollectionStatistics& statistics,
                                                             std::size_t n_items, std::uint32_t window,
                                                             std::uint32_t first, double max) {
    constexpr double kUsual = 0.8;  // items of a list for each document with the term, where items are of four
    const auto n_lists = divide(statistics, n_items, window, kNoRows).n_lists;
    const std::uint32_t n_without = std::min(first, n_lists);  // lists without postings
    const auto postings = [&](std::uint32_t begin, std::uint32_t end) { return statistics.postings(begin, end, max); };
    EstimatedPart lists = estimated_lists((n_items + window - 1) / window, n_lists);
    lists.variable = static_cast<double>(kListedBytes) * postings(n_without, n_lists);
    lists.usual = kUsual;
    const auto rare_bytes = [&](double n) {
        return RareLists::estimated_nbytes(statistics.n_slots() - n_lists, n, n_items);
    };
    EstimatedPart rare{"rare", rare_bytes(0)};
    rare.variable = rare_bytes(postings(std::max(first, n_lists), statistics.n_slots())) - rare.fixed;
    rare.usual = 1;
    return {lists, rare};
}

void WindowedPostings::save(Parameters& counts, SectionList& sections) const {
    counts.set("n_rows", std::uint64_t{n_rows_});
    counts.set("n_lists", std::uint64_t{n_lists_});
    sections.add("rows/impacts", cells_);
    sections.add("lists/bases", list_bases_);
    sections.add("lists/offsets", list_offsets_);
    sections.add("lists/docs", list_docs_);
    sections.add("lists/impacts", list_impacts_);
    rare_.save(sections, "impacts");
}

WindowedPostings WindowedPostings::load(const IndexFile& file, std::uint32_t n_docs, std::uint32_t n_slots,
                                        std::uint32_t window) {
    WindowedPostings postings;
    postings.n_docs_ = n_docs;
    postings.window_ = window;
    postings.n_windows_ = (std::size_t{n_docs} + window - 1) / window;
    const std::uint64_t n_rows = file.integer("n_rows");
    const std::uint64_t n_lists = file.integer("n_lists");
    file.require(n_rows <= n_slots && n_lists <= n_slots - n_rows, "more rows and lists than slots");
    postings.n_rows_ = static_cast<std::uint32_t>(n_rows);
    postings.n_lists_ = static_cast<std::uint32_t>(n_lists);
    postings.n_rare_ = n_slots - postings.n_rows_ - postings.n_lists_;
    postings.cells_ = file.section<std::uint8_t>("rows/impacts", postings.cells_size());
    postings.list_bases_ = file.section<std::uint64_t>("lists/bases", postings.n_windows_ + 1);
    postings.list_offsets_ =
        file.section<std::uint32_t>("lists/offsets", postings.n_windows_ * (postings.n_lists_ + std::size_t{1}));
    postings.list_docs_ = file.section<std::uint16_t>("lists/docs");
    postings.list_impacts_ = file.section<std::uint8_t>("lists/impacts", postings.list_docs_.size());
    postings.rare_ = RareLists::load(file, postings.n_rare_, n_docs, "impacts");
    return postings;
}

}  // namespace thresher
