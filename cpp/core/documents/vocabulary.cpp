#include "vocabulary.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "term_count.hpp"

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 8192;
constexpr std::size_t kPostingsAtATime = 65536;  // between two interruption points
// Entries of a range when parts are merged, and of how many one is looked at to choose the ranges.
constexpr std::size_t kCountsPerTask = 1 << 20;
constexpr std::size_t kSampled = 1024;

// A class of so many terms or more, each in no more than so many documents, begins the tail. A lookup of a term that is
// not listed looks into all classes of the tail: so many at most.
constexpr std::uint32_t kManyTerms = 16384;
constexpr std::uint32_t kFewDocuments = 8;
constexpr const char* kTail = "vocabulary/tail";
constexpr std::uint32_t kHead = 65536;  // slots whose frequencies are read without a search

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

// Merges parts, each ascending, range of terms by range of terms, the ranges of about as many entries each.
std::vector<TermCount> merge_parts(const std::vector<std::vector<TermCount>>& parts, unsigned threads,
                                   Progress& progress) {
    std::size_t total = 0;
    for (const auto& part : parts) total += part.size();
    const std::size_t n_ranges = total / kCountsPerTask + 1;
    std::vector<TermCount> samples;
    for (const auto& part : parts) {
        for (std::size_t i = kSampled - 1; i < part.size(); i += kSampled) samples.push_back(part[i]);
    }
    std::sort(samples.begin(), samples.end());
    const auto begin_of = [&](const std::vector<TermCount>& part, std::size_t range) {
        if (range == 0 || samples.empty()) return range == 0 ? part.begin() : part.end();
        if (range == n_ranges) return part.end();
        const TermCount first(samples[range * samples.size() / n_ranges].term(), false, 1);
        return std::lower_bound(part.begin(), part.end(), first);
    };
    std::vector<std::vector<TermCount>> merged(n_ranges);
    parallel_for(n_ranges, threads, progress, [&](std::size_t range, unsigned) {
        std::vector<TermCount> mine;
        for (const auto& part : parts) mine.insert(mine.end(), begin_of(part, range), begin_of(part, range + 1));
        merged[range] = merge_counts(std::move(mine));
    });
    std::vector<TermCount> all;
    for (auto& part : merged) {
        all.insert(all.end(), part.begin(), part.end());
        part = {};
    }
    return all;
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
    Progress silent(progress.monitor());
    return merge_parts(parts, threads, silent);
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

// The classes of `n` slots, of which frequency(slot) does not rise, as a Vocabulary keeps them.
template <class Frequency>
Buffer<std::uint32_t> classes_of(std::size_t n, const Frequency& frequency) {
    std::vector<std::uint32_t> classes;
    for (std::size_t slot = 0; slot < n; ++slot) {
        if (slot % kPostingsAtATime == 0) interruption_point(4 * kPostingsAtATime);
        if (!classes.empty() && classes[classes.size() - 2] == frequency(slot)) continue;
        classes.insert(classes.end(), {frequency(slot), static_cast<std::uint32_t>(slot)});
    }
    classes.insert(classes.end(), {0U, static_cast<std::uint32_t>(n)});
    Filling<std::uint32_t> filling(classes.size());
    std::ranges::copy(classes, filling.items.begin());
    return std::move(filling.buffer);
}

}  // namespace

Vocabulary Vocabulary::build(const CsrView& docs, unsigned threads, Progress& progress) {
    const bool dense = docs.n_terms <= 4 * static_cast<std::uint64_t>(docs.nnz()) + 65536;
    return of(docs.n_terms,
              dense ? count_in_tables(docs, threads, progress) : count_by_sorting(docs, threads, progress));
}

Vocabulary Vocabulary::merge(std::span<const Counted> parts, unsigned threads, Progress& progress) {
    std::vector<std::vector<TermCount>> used(parts.size());
    std::uint64_t n_terms = 0;
    for (const Counted& part : parts) n_terms = std::max(n_terms, part.vocabulary->n_terms());
    parallel_for(parts.size(), threads, progress, [&](std::size_t p, unsigned) {
        const auto& [vocabulary, counts] = parts[p];
        for (std::uint32_t slot = 0; slot < vocabulary->n_slots(); ++slot) {
            if (slot % kPostingsAtATime == 0) interruption_point(4 * kPostingsAtATime);
            if (counts[slot] == 0) continue;
            used[p].emplace_back(vocabulary->term(slot), vocabulary->is_negative(slot), counts[slot]);
        }
        std::sort(used[p].begin(), used[p].end(), interruptible(std::less<TermCount>{}));
    });
    Progress silent(progress.monitor());
    return of(n_terms, merge_parts(used, threads, silent));
}

Vocabulary Vocabulary::of(std::uint64_t n_terms, const std::vector<TermCount>& used) {
    if (used.size() >= kNoSlot) throw std::invalid_argument("docs: more than 2^32 - 2 terms are in use");
    const auto order = by_falling_count(used);
    Vocabulary vocabulary;
    vocabulary.n_terms_ = n_terms;
    vocabulary.n_slots_ = static_cast<std::uint32_t>(used.size());
    vocabulary.classes_ = classes_of(used.size(), [&](std::size_t slot) { return used[order[slot]].count(); });
    std::size_t& tail = vocabulary.first_tail_class_;
    const auto begins_tail = [&](std::size_t c) {
        return vocabulary.frequency_of(c) <= kFewDocuments &&
               vocabulary.first_of(c + 1) - vocabulary.first_of(c) >= kManyTerms;
    };
    while (tail < vocabulary.n_classes() && !begins_tail(tail)) ++tail;
    const std::uint32_t n_listed = vocabulary.first_of(tail);
    Filling<std::uint32_t> terms(n_listed);
    for (std::size_t slot = 0; slot < n_listed; ++slot) terms.items[slot] = used[order[slot]].term();
    vocabulary.terms_ = std::move(terms.buffer);
    if (n_listed < used.size()) {
        const std::uint64_t bound = vocabulary.n_tail_classes() * n_terms;
        std::size_t c = tail;
        vocabulary.tail_ = AscendingNumbers::build(used.size() - n_listed, bound, [&](std::size_t i) {
            if (i == 0) c = tail;
            while (n_listed + i >= vocabulary.first_of(c + 1)) ++c;
            return (c - tail) * n_terms + used[order[n_listed + i]].term();
        });
    }
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
    vocabulary.spread_frequencies();
    return vocabulary;
}

std::size_t Vocabulary::lookup_size(std::uint64_t n_terms, std::uint64_t n_listed) noexcept {
    if (is_direct(n_terms, n_listed)) return static_cast<std::size_t>(n_terms);
    return 2 * static_cast<std::size_t>(std::bit_ceil(2 * n_listed + 1));
}

void Vocabulary::index_terms() {
    const auto n_listed = static_cast<std::uint32_t>(terms_.size());
    direct_ = is_direct(n_terms_, n_listed);
    Filling<std::uint32_t> lookup(lookup_size(n_terms_, n_listed));
    std::fill(lookup.items.begin(), lookup.items.end(), kNoSlot);
    const std::size_t capacity = lookup.items.size() / 2;
    for (std::uint32_t slot = 0; slot < n_listed; ++slot) {
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

std::uint32_t Vocabulary::listed_slot(std::uint32_t term) const noexcept {
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

std::uint32_t Vocabulary::slot(std::uint32_t term) const noexcept {
    const std::uint32_t listed = listed_slot(term);
    if (listed != kNoSlot || n_tail_classes() == 0 || term >= n_terms_) return listed;
    for (std::size_t c = n_tail_classes(); c-- > 0;) {  // the last class has the most terms
        const std::size_t found = tail_.find(c * n_terms_ + term);
        if (found == tail_.size()) continue;
        const auto slot = static_cast<std::uint32_t>(terms_.size() + found);
        return is_negative(slot) && opposite(slot) != kNoSlot ? opposite(slot) : slot;
    }
    return kNoSlot;
}

void Vocabulary::spread_frequencies() {
    Filling<std::uint32_t> head(std::min(n_slots_, kHead));
    for_each_class([&](std::uint32_t frequency, std::uint32_t first, std::uint32_t end) {
        for (std::size_t slot = first; slot < std::min<std::size_t>(end, head.items.size()); ++slot) {
            head.items[slot] = frequency;
        }
    });
    head_ = std::move(head.buffer);
}

std::size_t Vocabulary::class_of(std::uint32_t slot) const noexcept {
    std::size_t c = 0;
    for (std::size_t end = n_classes(); end - c > 1;) {
        const std::size_t middle = c + (end - c) / 2;
        (first_of(middle) <= slot ? c : end) = middle;
    }
    return c;
}

std::uint64_t Vocabulary::n_postings() const noexcept {
    std::uint64_t n = 0;
    for_each_class([&](std::uint32_t frequency, std::uint32_t first, std::uint32_t end) {
        n += std::uint64_t{frequency} * (end - first);
    });
    return n;
}

// Document frequencies fall from class to class.
std::uint32_t Vocabulary::n_with(double min) const noexcept {
    std::size_t c = 0;
    for (std::size_t end = n_classes(); c < end;) {
        const std::size_t middle = c + (end - c) / 2;
        if (frequency_of(middle) >= min) {
            c = middle + 1;
        } else {
            end = middle;
        }
    }
    return n_slots_ == 0 ? 0 : first_of(c);
}

double Vocabulary::min_documents(double frequency, std::size_t n_docs) noexcept {
    return std::max(1.0, frequency * static_cast<double>(n_docs));
}

std::uint32_t Vocabulary::n_frequent(double frequency, std::size_t n_docs) const noexcept {
    return n_with(min_documents(frequency, n_docs));
}

std::uint32_t Vocabulary::estimated_listed(const CollectionStatistics& statistics) noexcept {
    for (std::uint32_t frequency = kFewDocuments; frequency > 0; --frequency) {
        const std::uint32_t first = statistics.n_with(frequency + 1.0);
        if (statistics.n_with(frequency) - first >= kManyTerms) return first;
    }
    return statistics.n_slots();
}

double Vocabulary::estimated_nbytes(const CollectionStatistics& statistics) noexcept {
    const std::uint32_t n_slots = statistics.n_slots();
    const std::uint32_t n_listed = estimated_listed(statistics);
    std::uint64_t n_tail_classes = 0;
    for (std::uint32_t frequency = kFewDocuments; frequency > 0; --frequency) {
        const std::uint32_t end = statistics.n_with(frequency);
        if (end > n_listed && end > statistics.n_with(frequency + 1.0)) ++n_tail_classes;
    }
    std::size_t n_classes = 1;
    double last = 0;
    for (const double frequency : statistics.frequencies) {
        if (frequency != last) ++n_classes;
        last = frequency;
    }
    double bytes = 2.0 * static_cast<double>(n_classes) * sizeof(classes_[0]) + n_listed * sizeof(terms_[0]) +
                   static_cast<double>(lookup_size(statistics.n_terms, n_listed)) * sizeof(lookup_[0]);
    if (n_listed < n_slots) {
        bytes += AscendingNumbers::estimated_nbytes(n_slots - n_listed, n_tail_classes * statistics.n_terms);
    }
    if (statistics.is_signed) {
        bytes += (n_slots + 63) / 64 * double{sizeof(negative_[0])} + n_slots * double{sizeof(opposites_[0])};
    }
    return bytes;
}

void Vocabulary::save(SectionList& sections) const {
    sections.add("vocabulary/classes", classes_);
    sections.add("vocabulary/terms", terms_);
    sections.add("vocabulary/lookup", lookup_);
    if (tail_.size() > 0) tail_.save(sections, kTail);
    if (!is_signed()) return;
    sections.add("vocabulary/negative", negative_);
    sections.add("vocabulary/opposites", opposites_);
}

Vocabulary Vocabulary::load(const IndexFile& file, std::uint64_t n_terms) {
    Vocabulary vocabulary;
    vocabulary.n_terms_ = n_terms;
    vocabulary.terms_ = file.section<std::uint32_t>("vocabulary/terms");
    const std::size_t n_listed = vocabulary.terms_.size();
    const bool is_signed = file.has_section("vocabulary/opposites");
    const std::uint64_t most = std::min<std::uint64_t>(n_terms * (is_signed ? 2 : 1), kNoSlot - 1);
    file.require(n_listed <= most, "more slots than terms");
    if (file.has_section("vocabulary/frequencies")) {  // versions 1 to 3: of each slot, all of which are listed
        const auto frequencies = file.section<std::uint32_t>("vocabulary/frequencies", n_listed);
        vocabulary.classes_ = classes_of(n_listed, [&](std::size_t slot) { return frequencies[slot]; });
    } else {
        vocabulary.classes_ = file.section<std::uint32_t>("vocabulary/classes");
    }
    file.require(vocabulary.classes_.size() >= 2 && vocabulary.classes_.size() % 2 == 0, "no classes of terms");
    const std::size_t n_classes = vocabulary.n_classes();
    bool numbered = vocabulary.first_of(0) == 0 && vocabulary.frequency_of(n_classes) == 0;
    for (std::size_t c = 0; c < n_classes; ++c) {
        numbered = numbered && vocabulary.frequency_of(c) > vocabulary.frequency_of(c + 1) &&
                   vocabulary.first_of(c) < vocabulary.first_of(c + 1);
    }
    file.require(numbered, "its terms are not numbered by falling document frequency");
    vocabulary.n_slots_ = vocabulary.first_of(n_classes);
    file.require(vocabulary.n_slots_ <= most, "more slots than terms");
    vocabulary.spread_frequencies();
    while (vocabulary.first_tail_class_ < n_classes && vocabulary.first_of(vocabulary.first_tail_class_) < n_listed) {
        ++vocabulary.first_tail_class_;
    }
    file.require(
        vocabulary.first_of(vocabulary.first_tail_class_) == n_listed && vocabulary.n_tail_classes() <= kFewDocuments,
        "the terms that are listed are not those of whole classes");
    file.require(std::all_of(vocabulary.terms_.items().begin(), vocabulary.terms_.items().end(),
                             [n_terms](std::uint32_t term) { return term < n_terms; }),
                 "the vocabulary names a term beyond the number of terms");
    vocabulary.direct_ = is_direct(n_terms, n_listed);
    vocabulary.lookup_ = file.section<std::uint32_t>("vocabulary/lookup", lookup_size(n_terms, n_listed));
    if (n_listed < vocabulary.n_slots_) {
        vocabulary.tail_ =
            AscendingNumbers::load(file, kTail, vocabulary.n_slots_ - n_listed, vocabulary.n_tail_classes() * n_terms);
    }
    if (is_signed) {
        const std::size_t n_slots = vocabulary.n_slots_;
        vocabulary.negative_ = file.section<std::uint64_t>("vocabulary/negative", (n_slots + 63) / 64);
        vocabulary.opposites_ = file.section<std::uint32_t>("vocabulary/opposites", n_slots);
    }
    return vocabulary;
}

}  // namespace thresher
