#include "vocabulary.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

namespace thresher {

namespace {

// One sign of one term, and in how many documents: numbers that order as term and sign do, positive first.
class TermCount {
  public:
    TermCount(std::uint32_t term, bool negative, std::uint32_t count) noexcept
        : packed_(std::uint64_t{term} << 32 | std::uint64_t{negative} << kCountBits | (count - 1)) {}
    std::uint32_t term() const noexcept { return static_cast<std::uint32_t>(packed_ >> 32); }
    bool is_negative() const noexcept { return (packed_ >> kCountBits & 1) != 0; }
    std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(packed_ & kCountMask) + 1; }
    bool is_of_half(const TermCount& other) const noexcept { return (packed_ ^ other.packed_) >> kCountBits == 0; }
    // Of the same half.
    void add(const TermCount& other) noexcept { packed_ += other.count(); }
    bool operator<(const TermCount& other) const noexcept { return packed_ < other.packed_; }

  private:
    static constexpr unsigned kCountBits = 31;  // from 1 to 2^31, the most documents that there are
    static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;

    std::uint64_t packed_;
};

constexpr std::size_t kRowsPerTask = 8192;
constexpr std::size_t kPostingsAtATime = 65536;  // between two interruption points

// Calls visit(term, negative) for each posting of the rows.
template <class Visit>
void for_each_term(const CsrView& docs, std::size_t begin_row, std::size_t end_row, const Visit& visit) {
    const auto end = static_cast<std::size_t>(docs.indptr[end_row]);
    for (auto p = static_cast<std::size_t>(docs.indptr[begin_row]); p < end;) {
        const std::size_t stop = std::min(end, p + kPostingsAtATime);
        interruption_point(stop - p);
        for (; p < stop; ++p) {
            const std::uint32_t term = read_once(docs.terms[p]);
            if (term >= docs.n_terms) reject_changed("docs");
            visit(term, read_once(docs.weights[p]) < 0);
        }
    }
}

// Fibonacci hashing (Knuth, TAOCP 3, 6.4) onto a power of two.
std::size_t hash_position(std::uint32_t term, std::size_t capacity) noexcept {
    const std::uint64_t product = term * std::uint64_t{0x9E3779B97F4A7C15};
    return static_cast<std::size_t>((product >> 32) & (capacity - 1));
}

// One counter for each term and worker, and one of negative weights if there are any: for vocabularies no larger than
// the postings.
std::vector<TermCount> count_in_tables(const CsrView& docs, unsigned threads, Progress& progress) {
    const std::size_t n_terms = static_cast<std::size_t>(docs.n_terms);
    const std::size_t affordable = 1 + docs.nnz() / std::max<std::size_t>(n_terms, 1);
    const unsigned workers = worker_count(threads, std::min(affordable, docs.n_rows() / kRowsPerTask + 1));
    struct Counts {
        std::vector<std::uint32_t> all;
        std::vector<std::uint32_t> negative;
    };
    std::vector<Counts> counts(workers);
    parallel_for_rows(docs.n_rows(), kRowsPerTask, workers, progress,
                      [&](std::size_t begin, std::size_t end, unsigned worker) {
                          auto& mine = counts[worker];
                          mine.all.resize(n_terms);
                          for_each_term(docs, begin, end, [&](std::uint32_t term, bool negative) {
                              ++mine.all[term];
                              if (!negative) return;
                              if (mine.negative.empty()) mine.negative.resize(n_terms);
                              ++mine.negative[term];
                          });
                      });
    std::vector<TermCount> used;
    for (std::size_t term = 0; term < n_terms; ++term) {
        std::uint32_t all = 0;
        std::uint32_t negative = 0;
        for (const Counts& mine : counts) {
            all += mine.all.empty() ? 0 : mine.all[term];
            negative += mine.negative.empty() ? 0 : mine.negative[term];
        }
        if (all != negative) used.emplace_back(static_cast<std::uint32_t>(term), false, all - negative);
        if (negative != 0) used.emplace_back(static_cast<std::uint32_t>(term), true, negative);
    }
    return used;
}

// Sums the counts of equal terms and signs; ascending.
std::vector<TermCount> merge_counts(std::vector<TermCount> counts) {
    std::sort(counts.begin(), counts.end(), interruptible(std::less<TermCount>{}));
    std::size_t n = 0;
    for (const TermCount& entry : counts) {
        if (n != 0 && counts[n - 1].is_of_half(entry)) {
            counts[n - 1].add(entry);
        } else {
            counts[n++] = entry;
        }
    }
    counts.erase(counts.begin() + static_cast<std::ptrdiff_t>(n), counts.end());
    return counts;
}

// Sorting, for vocabularies much larger than the postings: memory follows the postings, not the term ids.
std::vector<TermCount> count_by_sorting(const CsrView& docs, unsigned threads, Progress& progress) {
    std::vector<std::vector<TermCount>> parts((docs.n_rows() + kRowsPerTask - 1) / kRowsPerTask);
    parallel_for_rows(
        docs.n_rows(), kRowsPerTask, threads, progress, [&](std::size_t begin, std::size_t end, unsigned) {
            std::vector<TermCount> part;
            part.reserve(static_cast<std::size_t>(docs.indptr[end] - docs.indptr[begin]));
            for_each_term(docs, begin, end,
                          [&](std::uint32_t term, bool negative) { part.emplace_back(term, negative, 1U); });
            parts[begin / kRowsPerTask] = merge_counts(std::move(part));
        });
    std::vector<TermCount> all;
    for (auto& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
        part = {};
    }
    return merge_counts(std::move(all));
}

// The positions of `used`, which ascend by term, by falling count and then as they are. O(n), and the largest count.
std::vector<std::uint32_t> by_falling_count(const std::vector<TermCount>& used) {
    std::uint32_t max = 0;
    for (const TermCount& entry : used) max = std::max(max, entry.count());
    std::vector<std::uint32_t> next(max + std::size_t{1});  // by max - count: how many, then where the next goes
    for (const TermCount& entry : used) ++next[max - entry.count()];
    std::exclusive_scan(next.begin(), next.end(), next.begin(), 0U);
    std::vector<std::uint32_t> order(used.size());
    for (std::size_t i = 0; i < used.size(); ++i) {
        if (i % kPostingsAtATime == 0) interruption_point(4 * kPostingsAtATime);
        order[next[max - used[i].count()]++] = static_cast<std::uint32_t>(i);
    }
    return order;
}

}  // namespace

Vocabulary Vocabulary::build(const CsrView& docs, unsigned threads, Progress& progress) {
    const bool dense = docs.n_terms <= 4 * static_cast<std::uint64_t>(docs.nnz()) + 65536;
    auto used = dense ? count_in_tables(docs, threads, progress) : count_by_sorting(docs, threads, progress);
    if (used.size() >= kNoSlot) throw std::invalid_argument("docs: more than 2^32 - 2 terms are in use");
    const auto order = by_falling_count(used);
    Vocabulary vocabulary;
    vocabulary.n_terms_ = docs.n_terms;
    Filling<std::uint32_t> terms(used.size());
    Filling<std::uint32_t> frequencies(used.size());
    for (std::size_t slot = 0; slot < order.size(); ++slot) {
        terms.items[slot] = used[order[slot]].term();
        frequencies.items[slot] = used[order[slot]].count();
    }
    vocabulary.terms_ = std::move(terms.buffer);
    vocabulary.frequencies_ = std::move(frequencies.buffer);
    if (std::ranges::any_of(used, &TermCount::is_negative)) {
        Filling<std::uint64_t> negative((used.size() + 63) / 64);
        Filling<std::uint32_t> opposites(used.size());
        std::vector<std::uint32_t> slots(used.size());
        for (std::uint32_t slot = 0; slot < order.size(); ++slot) slots[order[slot]] = slot;
        for (std::size_t i = 0; i < used.size(); ++i) {
            const std::uint32_t slot = slots[i];
            negative.items[slot / 64] |= std::uint64_t{used[i].is_negative()} << slot % 64;
            const bool follows = i > 0 && used[i - 1].term() == used[i].term();
            const bool is_followed = i + 1 < used.size() && used[i + 1].term() == used[i].term();
            opposites.items[slot] = follows ? slots[i - 1] : is_followed ? slots[i + 1] : kNoSlot;
        }
        vocabulary.negative_ = std::move(negative.buffer);
        vocabulary.opposites_ = std::move(opposites.buffer);
    }
    vocabulary.index_terms();
    return vocabulary;
}

std::size_t Vocabulary::lookup_size(std::uint64_t n_terms, std::uint64_t n_slots) noexcept {
    if (is_direct(n_terms, n_slots)) return static_cast<std::size_t>(n_terms);
    return 2 * static_cast<std::size_t>(std::bit_ceil(2 * n_slots + 1));
}

void Vocabulary::index_terms() {
    direct_ = is_direct(n_terms_, n_slots());
    Filling<std::uint32_t> lookup(lookup_size(n_terms_, n_slots()));
    std::fill(lookup.items.begin(), lookup.items.end(), kNoSlot);
    const std::size_t capacity = lookup.items.size() / 2;
    for (std::uint32_t slot = 0; slot < n_slots(); ++slot) {
        if (is_negative(slot) && opposite(slot) != kNoSlot) continue;  // the positive half is found
        if (direct_) {
            lookup.items[terms_[slot]] = slot;
            continue;
        }
        std::size_t position = hash_position(terms_[slot], capacity);
        while (lookup.items[2 * position + 1] != kNoSlot) position = (position + 1) & (capacity - 1);
        lookup.items[2 * position] = terms_[slot];
        lookup.items[2 * position + 1] = slot;
    }
    lookup_ = std::move(lookup.buffer);
}

std::uint32_t Vocabulary::slot(std::uint32_t term) const noexcept {
    std::uint32_t slot = kNoSlot;
    if (direct_) {
        if (term < lookup_.size()) slot = lookup_[term];
    } else {
        const std::size_t capacity = lookup_.size() / 2;
        std::size_t position = hash_position(term, capacity);
        for (std::size_t probes = 0; probes < capacity; ++probes) {  // bounded even on an altered table
            slot = lookup_[2 * position + 1];
            if (slot == kNoSlot || lookup_[2 * position] == term) break;
            position = (position + 1) & (capacity - 1);
        }
    }
    return slot < terms_.size() ? slot : kNoSlot;
}

std::uint64_t Vocabulary::n_postings() const noexcept {
    return std::accumulate(frequencies_.items().begin(), frequencies_.items().end(), std::uint64_t{0});
}

// Document frequencies fall from slot to slot.
std::uint32_t Vocabulary::n_with(double min) const noexcept {
    const auto frequencies = frequencies_.items();
    const auto end = std::partition_point(frequencies.begin(), frequencies.end(),
                                          [min](std::uint32_t frequency) { return frequency >= min; });
    return static_cast<std::uint32_t>(end - frequencies.begin());
}

double Vocabulary::min_documents(double frequency, std::size_t n_docs) noexcept {
    return std::max(1.0, frequency * static_cast<double>(n_docs));
}

std::uint32_t Vocabulary::n_frequent(double frequency, std::size_t n_docs) const noexcept {
    return n_with(min_documents(frequency, n_docs));
}

double Vocabulary::estimated_nbytes(const CollectionStatistics& statistics) noexcept {
    const auto n_slots = static_cast<double>(statistics.n_slots());
    const auto n_lookups = static_cast<double>(lookup_size(statistics.n_terms, statistics.n_slots()));
    const double of_signs = statistics.is_signed ? 1.0 / 8 + sizeof(opposites_[0]) : 0;
    return n_slots * (sizeof(terms_[0]) + sizeof(frequencies_[0]) + of_signs) + n_lookups * sizeof(lookup_[0]);
}

void Vocabulary::save(SectionList& sections) const {
    sections.add("vocabulary/terms", terms_);
    sections.add("vocabulary/frequencies", frequencies_);
    sections.add("vocabulary/lookup", lookup_);
    if (!is_signed()) return;
    sections.add("vocabulary/negative", negative_);
    sections.add("vocabulary/opposites", opposites_);
}

Vocabulary Vocabulary::load(const IndexFile& file, std::uint64_t n_terms) {
    Vocabulary vocabulary;
    vocabulary.n_terms_ = n_terms;
    vocabulary.terms_ = file.section<std::uint32_t>("vocabulary/terms");
    const std::size_t n_slots = vocabulary.terms_.size();
    const bool is_signed = file.has_section("vocabulary/opposites");
    file.require(n_slots <= n_terms * (is_signed ? 2 : 1) && n_slots < kNoSlot, "more slots than terms");
    file.require(std::all_of(vocabulary.terms_.items().begin(), vocabulary.terms_.items().end(),
                             [n_terms](std::uint32_t term) { return term < n_terms; }),
                 "the vocabulary names a term beyond the number of terms");
    vocabulary.direct_ = is_direct(n_terms, n_slots);
    vocabulary.frequencies_ = file.section<std::uint32_t>("vocabulary/frequencies", n_slots);
    vocabulary.lookup_ = file.section<std::uint32_t>("vocabulary/lookup", lookup_size(n_terms, n_slots));
    if (is_signed) {
        vocabulary.negative_ = file.section<std::uint64_t>("vocabulary/negative", (n_slots + 63) / 64);
        vocabulary.opposites_ = file.section<std::uint32_t>("vocabulary/opposites", n_slots);
    }
    return vocabulary;
}

}  // namespace thresher
