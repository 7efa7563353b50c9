#include "merged_documents.hpp"

#include <algorithm>
#include <utility>

#include "../base/interruption.hpp"
#include "stored_documents.hpp"

namespace thresher {

namespace {

constexpr std::size_t kDocsAtATime = 256;  // between two interruption points

// In how many of the documents each slot is.
std::vector<std::uint32_t> counts_of(const KeptDocuments& part) {
    const auto& [documents, positions] = part;
    const Vocabulary& vocabulary = documents->vocabulary;
    std::vector<std::uint32_t> counts(vocabulary.n_slots());
    if (positions.size() == documents->forward.n_docs()) {
        vocabulary.for_each_class([&](std::uint32_t frequency, std::uint32_t first, std::uint32_t end) {
            std::fill(counts.begin() + first, counts.begin() + end, frequency);
        });
        return counts;
    }
    std::vector<Posting> postings;
    for (std::size_t i = 0; i < positions.size(); ++i) {
        if (i % kDocsAtATime == 0) interruption_point(kDocsAtATime * 1000);
        documents->forward.read(positions[i], postings);
        for (const Posting& posting : postings) ++counts[posting.slot];
    }
    return counts;
}

}  // namespace

Vocabulary merged_vocabulary(const std::vector<KeptDocuments>& parts, unsigned threads, Progress& progress) {
    std::vector<Vocabulary::Counted> counted(parts.size());
    parallel_for(parts.size(), threads, progress, [&](std::size_t part, unsigned) {
        counted[part] = {&parts[part].documents->vocabulary, counts_of(parts[part])};
    });
    return Vocabulary::merge(counted, threads, progress);
}

MergedDocuments::MergedDocuments(const std::vector<KeptDocuments>& parts, const Vocabulary& vocabulary)
    : parts_(parts), slots_(parts.size()) {
    starts_.push_back(0);
    for (std::size_t p = 0; p < parts.size(); ++p) {
        const Vocabulary& own = parts[p].documents->vocabulary;
        slots_[p].reserve(own.n_slots());
        for (std::uint32_t slot = 0; slot < own.n_slots(); ++slot) {
            slots_[p].push_back(vocabulary.posting(own.term(slot), own.is_negative(slot) ? -1.0F : 1.0F).slot);
        }
        starts_.push_back(starts_.back() + parts[p].positions.size());
    }
}

std::size_t MergedDocuments::part_of(std::size_t doc) const noexcept {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), doc);
    return static_cast<std::size_t>(after - starts_.begin()) - 1;
}

float MergedDocuments::max_error(std::size_t doc) const noexcept {
    return parts_[part_of(doc)].documents->forward.max_error();
}

void MergedDocuments::read(std::size_t doc, std::vector<Posting>& postings) const {
    const std::size_t part = part_of(doc);
    const StoredDocuments& documents = *parts_[part].documents;
    documents.forward.read(parts_[part].positions[doc - starts_[part]], postings);
    interruption_point(8 * postings.size());
    // Two runs, of common terms and of others, each in ascending order.
    const auto term_of = [&](const Posting& posting) { return documents.vocabulary.term(posting.slot); };
    const auto comes_before = [&](const Posting& a, const Posting& b) { return term_of(a) < term_of(b); };
    const auto others = std::ranges::is_sorted_until(postings, comes_before);
    std::inplace_merge(postings.begin(), others, postings.end(), comes_before);
    for (Posting& posting : postings) {
        posting.slot = slots_[part][posting.slot];
        if (posting.slot == kNoSlot) reject_changed();
    }
}

}  // namespace thresher
