#include "compressed_postings.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "../../kernels/kernels.hpp"
#include "../base/bit_writer.hpp"

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 4096;
constexpr std::size_t kSlotsPerTask = 64;
// Postings of a group are 5 bytes each: a fifth of all, or so many, whose memory is hardly worth a second look.
constexpr std::size_t kMinGroup = std::size_t{2} << 20;
constexpr std::size_t kMaxGroups = 5;
constexpr std::uint8_t kLargestImpact = Quantiser::kMaxImpact;
// Gaps of a block can't add up to 2^32 if they are no wider: its documents ascend whatever its bytes are.
constexpr unsigned kSafeWidth = 24;
static_assert((std::uint64_t{CompressedPostings::kBlock} << kSafeWidth) <= std::uint64_t{1} << 31);
constexpr std::array<std::uint8_t, CompressedPostings::kBlock> kNoImpacts{};

std::size_t gap_bytes(std::size_t n, unsigned width) noexcept { return (n * width + 7) / 8; }
// Bits of a gap in the blocks of a list of `n` of so many documents, on average. The width of a block is that of its
// largest gap; where any documents are as likely, gaps are exponential, and the largest is distributed as Gumbel has
// it.
double usual_gap_bits(double n, double n_docs) {
    constexpr unsigned kQuantiles = 16;
    if (n >= n_docs) return 0;
    const double in_block = std::min<double>(n, CompressedPostings::kBlock);
    double bits = 0;
    for (unsigned i = 0; i < kQuantiles; ++i) {
        const double gumbel = -std::log(-std::log((i + 0.5) / kQuantiles));
        const double largest = n_docs / n * std::max(std::log(in_block) + gumbel, 0.05);
        bits += std::ceil(std::log2(std::min(largest, n_docs) + 1));
    }
    return bits / kQuantiles;
}

std::size_t block_bytes(std::size_t n, unsigned width) noexcept { return 1 + gap_bytes(n, width) + n; }

}  // namespace

// The postings of some slots at a time, uncompressed. All together would take as much as the index that is made of
// them; so documents are read once for each group of slots.
class CompressedPostings::Transposition {
  public:
    struct Group {
        std::uint32_t first;  // slots
        std::uint32_t end;
    };

    // Counts the postings: one pass of `progress`.
    Transposition(const ForwardIndex& forward, std::uint32_t n_slots, const Quantiser& quantiser, unsigned threads,
                  Progress& progress)
        : forward_(forward), quantiser_(quantiser), offsets_(n_slots + std::size_t{1}) {
        const std::size_t affordable = 1 + forward.nnz() / std::max<std::size_t>(n_slots, 1);
        const unsigned parts = worker_count(threads, std::min(affordable, forward.n_docs() / kRowsPerTask + 1));
        starts_.assign(parts, LargeVector<std::size_t>(n_slots));
        for_each_posting(progress,
                         [&](std::size_t part, std::size_t, const Posting& posting) { ++starts_[part][posting.slot]; });
        std::size_t total = 0;
        for (std::uint32_t slot = 0; slot < n_slots; ++slot) {
            offsets_[slot] = total;
            for (auto& of_part : starts_) total += std::exchange(of_part[slot], total);
        }
        offsets_[n_slots] = total;
        divide(n_slots);
    }

    std::span<const Group> groups() const noexcept { return groups_; }
    std::size_t first(std::size_t slot) const noexcept { return offsets_[slot]; }
    std::size_t size(std::size_t slot) const noexcept { return offsets_[slot + 1] - offsets_[slot]; }

    // Makes the postings of a group those that can be looked at.
    void read(const Group& group, Monitor* monitor) {
        if (is_read_ && group.first == group_.first) return;
        group_ = group;
        is_read_ = true;
        if (docs_.items.size() < largest_) {
            docs_ = Filling<std::uint32_t>(largest_);
            impacts_ = Filling<std::uint8_t>(largest_);
        }
        std::vector<LargeVector<std::size_t>> next;
        for (const auto& of_part : starts_) {
            next.emplace_back(of_part.begin() + group.first, of_part.begin() + group.end);
        }
        const std::size_t base = offsets_[group.first];
        Progress silent(monitor);
        for_each_posting(silent, [&](std::size_t part, std::size_t doc, const Posting& posting) {
            if (posting.slot < group.first || posting.slot >= group.end) return;
            const std::size_t at = next[part][posting.slot - group.first]++ - base;
            docs_.items[at] = static_cast<std::uint32_t>(doc);
            impacts_.items[at] = quantiser_.impact(posting.slot, posting.weight);
        });
    }
    // Of slots of that group, documents ascend.
    std::span<const std::uint32_t> docs(std::size_t first, std::size_t end) const noexcept {
        return docs_.items.subspan(offsets_[first] - offsets_[group_.first], offsets_[end] - offsets_[first]);
    }
    std::span<const std::uint8_t> impacts(std::size_t first, std::size_t end) const noexcept {
        return impacts_.items.subspan(offsets_[first] - offsets_[group_.first], offsets_[end] - offsets_[first]);
    }

  private:
    // Workers take contiguous parts of the documents; where each writes the postings of a slot is counted before, so
    // that documents ascend whatever the number of workers.
    template <class Visit>
    void for_each_posting(Progress& progress, const Visit& visit) const {
        const std::size_t n_docs = forward_.n_docs();
        const std::size_t part_size = (n_docs + starts_.size() - 1) / starts_.size();
        const auto parts = static_cast<unsigned>(starts_.size());
        parallel_for(parts, parts, progress, [&](std::size_t part, unsigned) {
            std::vector<Posting> postings;
            const std::size_t end = std::min((part + 1) * part_size, n_docs);
            for (std::size_t doc = part * part_size; doc < end; ++doc) {
                forward_.read(doc, postings);
                for (const Posting& posting : postings) visit(part, doc, posting);
            }
        });
    }

    // Cuts the slots into groups of about so many postings.
    void divide(std::uint32_t n_slots) {
        const std::size_t wanted = std::max(kMinGroup, offsets_[n_slots] / kMaxGroups + 1);
        for (std::uint32_t first = 0; first < n_slots;) {
            const auto beyond = std::upper_bound(offsets_.begin() + first, offsets_.end(), offsets_[first] + wanted);
            const auto end = std::max(first + 1, static_cast<std::uint32_t>(beyond - offsets_.begin()) - 1);
            groups_.push_back({first, end});
            largest_ = std::max(largest_, offsets_[end] - offsets_[first]);
            first = end;
        }
    }

    const ForwardIndex& forward_;
    const Quantiser& quantiser_;
    LargeVector<std::size_t> offsets_;              // slot -> its first posting; n_slots + 1
    std::vector<LargeVector<std::size_t>> starts_;  // (part, slot) -> the part's first posting
    std::vector<Group> groups_;
    std::size_t largest_ = 0;  // postings of a group
    Group group_{0, 0};
    bool is_read_ = false;
    Filling<std::uint32_t> docs_{0};
    Filling<std::uint8_t> impacts_{0};
};

// What is kept of blocks until all of them are known, and the rest of a list.
struct CompressedPostings::Measured {
    Measured(std::size_t n_blocks, std::size_t n_rare)
        : sizes(n_blocks),
          widths(n_blocks),
          lasts(n_blocks),
          maxima(n_blocks),
          rare_docs(n_rare),
          rare_impacts(n_rare) {}

    LargeVector<std::uint8_t> sizes;
    LargeVector<std::uint8_t> widths;
    Filling<std::uint32_t> lasts;
    Filling<std::uint8_t> maxima;
    std::vector<Filling<std::uint8_t>> rankings;
    Filling<std::uint32_t> rare_docs;
    Filling<std::uint8_t> rare_impacts;
};

CompressedPostings::CompressedPostings(const Vocabulary& vocabulary)
    : vocabulary_(vocabulary), n_lists_(vocabulary.n_with(kMaxRare + 1)) {
    for (std::uint32_t frequency = kMaxRare; frequency > 0; --frequency) {
        rare_slots_[frequency] = vocabulary.n_with(frequency + 1);
        if (frequency == kMaxRare) continue;
        const std::size_t n_slots =
            rare_slots_[frequency] - std::min(rare_slots_[frequency], rare_slots_[frequency + 1]);
        rare_offsets_[frequency] = rare_offsets_[frequency + 1] + n_slots * (frequency + 1);
    }
}

std::size_t CompressedPostings::n_rare_postings() const noexcept {
    return rare_offsets_[1] + (vocabulary_.n_slots() - std::min(vocabulary_.n_slots(), rare_slots_[1]));
}

CompressedPostings CompressedPostings::build(const ForwardIndex& forward, const Vocabulary& vocabulary,
                                             const Quantiser& quantiser, unsigned threads, Progress& progress) {
    CompressedPostings postings(vocabulary);
    Transposition all(forward, vocabulary.n_slots(), quantiser, threads, progress);
    postings.number_blocks();
    postings.encode(all, threads, progress);
    return postings;
}

void CompressedPostings::number_blocks() {
    Filling<std::uint32_t> first_blocks(n_lists_ + std::size_t{1});
    std::size_t n_blocks = 0;
    for (std::uint32_t slot = 0; slot < n_lists_; ++slot) {
        n_blocks += (vocabulary_.document_frequency(slot) + kBlock - 1) / kBlock;
        if (n_blocks > std::numeric_limits<std::uint32_t>::max()) {
            throw std::invalid_argument("docs: too many postings for one index");
        }
        first_blocks.items[slot + 1] = static_cast<std::uint32_t>(n_blocks);
    }
    first_blocks_ = std::move(first_blocks.buffer);
}

// What blocks take is known once all have been looked at, and then they are looked at again.
void CompressedPostings::encode(Transposition& all, unsigned threads, Progress& progress) {
    const std::size_t n_blocks = first_blocks_[n_lists_];
    Measured measured(n_blocks, n_rare_postings());
    for (std::size_t r = 0; r < kRanks.size(); ++r) {
        measured.rankings.emplace_back(vocabulary_.n_with(kRanks[r]));
    }
    const auto groups = all.groups();
    Progress silent(progress.monitor());
    const auto for_each_slot = [&](const Transposition::Group& group, const auto& visit) {
        all.read(group, progress.monitor());
        parallel_for_rows(group.end - group.first, kSlotsPerTask, threads, silent,
                          [&](std::size_t begin, std::size_t end, unsigned) {
                              for (std::size_t i = begin; i < end; ++i) {
                                  const std::size_t slot = group.first + i;
                                  interruption_point(4 * all.size(slot));
                                  visit(slot);
                              }
                          });
    };
    progress.begin_pass();
    for (std::size_t g = 0; g < groups.size(); ++g) {
        for_each_slot(groups[g], [&](std::size_t slot) { measure(all, slot, measured); });
        progress.report(g + 1, groups.size());
    }
    progress.report(1, 1);
    Stretches::Writer writer(n_blocks,
                             [&](std::size_t b) { return block_bytes(measured.sizes[b], measured.widths[b]); });
    progress.begin_pass();
    for (std::size_t g = groups.size(); g-- > 0;) {  // the last one has been read
        if (groups[g].first >= n_lists_) continue;
        for_each_slot(groups[g], [&](std::size_t slot) {
            if (slot < n_lists_) write(all, slot, measured, writer);
        });
        progress.report(groups.size() - g, groups.size());
    }
    progress.report(1, 1);
    blocks_ = std::move(writer).finish();
    lasts_ = std::move(measured.lasts.buffer);
    maxima_ = std::move(measured.maxima.buffer);
    for (std::size_t r = 0; r < kRanks.size(); ++r) rankings_[r] = std::move(measured.rankings[r].buffer);
    rare_ = {std::move(measured.rare_docs.buffer), std::move(measured.rare_impacts.buffer)};
}

void CompressedPostings::measure(const Transposition& all, std::size_t slot, Measured& measured) const {
    const auto list_docs = all.docs(slot, slot + 1);
    const auto list_impacts = all.impacts(slot, slot + 1);
    if (slot >= n_lists_) {
        const std::size_t at = all.first(slot) - all.first(n_lists_);
        std::ranges::copy(list_docs, measured.rare_docs.items.begin() + static_cast<std::ptrdiff_t>(at));
        std::ranges::copy(list_impacts, measured.rare_impacts.items.begin() + static_cast<std::ptrdiff_t>(at));
    }
    for (std::size_t r = 0; r < kRanks.size(); ++r) {
        if (slot >= measured.rankings[r].items.size()) continue;
        std::vector<std::uint8_t> impacts(list_impacts.begin(), list_impacts.end());
        std::ranges::nth_element(impacts, impacts.begin() + kRanks[r] - 1, std::greater<>{});
        measured.rankings[r].items[slot] = impacts[kRanks[r] - 1];
    }
    if (slot >= n_lists_) return;
    std::uint32_t next = 0;
    for (std::size_t b = first_blocks_[slot], begin = 0; b < first_blocks_[slot + 1]; ++b, begin += kBlock) {
        const std::size_t size = std::min<std::size_t>(kBlock, list_docs.size() - begin);
        const auto docs = list_docs.subspan(begin, size);
        std::uint32_t max = docs[0] - next;
        for (std::size_t p = 1; p < size; ++p) max = std::max(max, docs[p] - docs[p - 1] - 1);
        measured.sizes[b] = static_cast<std::uint8_t>(size);
        measured.widths[b] = static_cast<std::uint8_t>(std::bit_width(max));
        measured.lasts.items[b] = docs[size - 1];
        measured.maxima.items[b] = *std::ranges::max_element(list_impacts.subspan(begin, size));
        next = docs[size - 1] + 1;
    }
}

void CompressedPostings::write(const Transposition& all, std::size_t slot, const Measured& measured,
                               Stretches::Writer& writer) const {
    std::uint32_t next = 0;
    for (std::size_t b = first_blocks_[slot], begin = 0; b < first_blocks_[slot + 1]; ++b, begin += kBlock) {
        const auto docs = all.docs(slot, slot + 1).subspan(begin, measured.sizes[b]);
        std::uint8_t* const to = writer.at(b);
        to[0] = measured.widths[b];
        BitWriter gaps(to + 1, measured.widths[b]);
        for (const std::uint32_t doc : docs) {
            gaps.put(doc - next);
            next = doc + 1;
        }
        gaps.finish();
        std::ranges::copy(all.impacts(slot, slot + 1).subspan(begin, docs.size()),
                          to + 1 + gap_bytes(docs.size(), measured.widths[b]));
    }
}

CompressedPostings::List CompressedPostings::list(std::uint32_t slot) const noexcept {
    const std::uint32_t frequency = vocabulary_.document_frequency(slot);
    if (slot < n_lists_) {
        const std::uint32_t first = first_blocks_[slot];
        return {frequency, first_blocks_[slot + 1] - first, lasts_.data() + first, maxima_.data() + first, first,
                false};
    }
    // An altered file may have any frequencies.
    if (frequency == 0 || frequency > kMaxRare) return {};
    const std::size_t start = rare_offsets_[frequency] + (slot - rare_slots_[frequency]) * std::size_t{frequency};
    if (start + frequency > rare_.size()) return {};
    return {frequency, 1, rare_.docs().data() + start + frequency - 1, &kLargestImpact, start, true};
}

const std::uint8_t* CompressedPostings::read(const List& list, std::uint32_t block,
                                             std::uint32_t* docs) const noexcept {
    const std::uint32_t last = list.lasts[block];
    const std::uint32_t n = list.block_size(block);
    // Of an altered file: ascending all the same, none beyond the last.
    const auto mend = [&](std::uint32_t next) {
        for (std::uint32_t p = 0; p < n; ++p) docs[p] = next = std::clamp(docs[p], next, last);
    };
    if (list.rare) {
        std::copy_n(rare_.docs().data() + list.first, n, docs);
        mend(0);
        return rare_.impacts().data() + list.first;
    }
    const auto bytes = blocks_[list.first + block];
    const unsigned width = bytes.empty() ? 0U : std::min<unsigned>(bytes[0], 32);
    if (bytes.size() < block_bytes(n, width)) {  // of an altered file
        std::fill_n(docs, n, last);
        return kNoImpacts.data();
    }
    const std::uint32_t next = block == 0 ? 0 : list.lasts[block - 1] + 1;
    kernels::active().unpack_documents(bytes.data() + 1, width, n, next, last, docs);
    docs[n - 1] = last;
    if (width > kSafeWidth) mend(next);
    return bytes.data() + 1 + gap_bytes(n, width);
}

std::uint8_t CompressedPostings::kth_impact(std::uint32_t slot, std::size_t k) const noexcept {
    for (std::size_t r = 0; r < kRanks.size(); ++r) {
        if (k <= kRanks[r]) return slot < rankings_[r].size() ? rankings_[r][slot] : std::uint8_t{0};
    }
    return 0;
}

std::size_t CompressedPostings::skips_nbytes() const noexcept {
    std::size_t total = first_blocks_.nbytes() + lasts_.nbytes() + maxima_.nbytes();
    for (const auto& ranking : rankings_) total += ranking.nbytes();
    return total;
}

std::vector<EstimatedPart> CompressedPostings::estimated_parts(const CollectionStatistics& statistics) {
    const auto n_docs = static_cast<double>(statistics.n_docs);
    const std::uint32_t n_lists = statistics.n_with(kMaxRare + 1);
    double n_blocks = 0;
    double bytes = 0;
    for (std::uint32_t slot = 0; slot < n_lists; ++slot) {
        const double n = statistics.frequencies[slot];
        const double blocks = std::ceil(n / kBlock);
        n_blocks += blocks;
        // Beside the width of its gaps, a block has half a byte that is left over, on average.
        bytes += n * (1 + usual_gap_bits(n, n_docs) / 8) + blocks * 1.5;
    }
    double n_ranked = 0;
    for (const std::uint32_t rank : kRanks) n_ranked += statistics.n_with(rank);
    const double skips =
        n_blocks * (sizeof(lasts_[0]) + sizeof(maxima_[0])) + (n_lists + 1.0) * sizeof(first_blocks_[0]) + n_ranked;
    const double rare = statistics.postings(n_lists, statistics.n_slots());
    return {{"blocks", Stretches::estimated_nbytes(n_blocks, bytes)},
            {"skips", skips},
            {"rare", RarePostings::estimated_nbytes(rare)}};
}

void CompressedPostings::save(Parameters& counts, SectionList& sections) const {
    counts.set("block_size", std::uint64_t{kBlock});
    sections.add("lists/first_blocks", first_blocks_);
    sections.add("lists/lasts", lasts_);
    sections.add("lists/maxima", maxima_);
    for (std::size_t r = 0; r < kRanks.size(); ++r) {
        sections.add("lists/impacts_" + std::to_string(kRanks[r]), rankings_[r]);
    }
    blocks_.save(sections, "blocks");
    rare_.save(sections, "impacts");
}

CompressedPostings CompressedPostings::load(const IndexFile& file, const Vocabulary& vocabulary, std::size_t n_docs) {
    const std::uint64_t block_size = file.integer("block_size");
    file.require(block_size == kBlock, "blocks of " + std::to_string(block_size) + " postings");
    CompressedPostings postings(vocabulary);
    const std::uint32_t n_lists = postings.n_lists_;
    postings.first_blocks_ = file.section<std::uint32_t>("lists/first_blocks", n_lists + std::size_t{1});
    const auto& first_blocks = postings.first_blocks_;
    bool numbered = first_blocks[0] == 0;
    for (std::uint32_t slot = 0; slot < n_lists; ++slot) {
        const std::uint64_t n = (std::uint64_t{vocabulary.document_frequency(slot)} + kBlock - 1) / kBlock;
        numbered = numbered && n > 0 && first_blocks[slot + 1] == first_blocks[slot] + n;
    }
    file.require(numbered, "the blocks of its lists are not those that its terms have");
    const std::size_t n_blocks = first_blocks[n_lists];
    postings.lasts_ = file.section<std::uint32_t>("lists/lasts", n_blocks);
    const auto all_documents = [&](const Buffer<std::uint32_t>& docs) {
        return std::ranges::all_of(docs.items(), [&](std::uint32_t doc) { return doc < n_docs; });
    };
    for (std::uint32_t slot = 0; slot < n_lists; ++slot) {
        const auto lasts =
            postings.lasts_.items().subspan(first_blocks[slot], first_blocks[slot + 1] - first_blocks[slot]);
        file.require(std::ranges::is_sorted(lasts, std::ranges::less_equal{}), "the blocks of a list do not ascend");
    }
    postings.maxima_ = file.section<std::uint8_t>("lists/maxima", n_blocks);
    for (std::size_t r = 0; r < kRanks.size(); ++r) {
        postings.rankings_[r] =
            file.section<std::uint8_t>("lists/impacts_" + std::to_string(kRanks[r]), vocabulary.n_with(kRanks[r]));
    }
    postings.blocks_ = Stretches::load(file, "blocks", n_blocks);
    postings.rare_ = RarePostings::load(file, "impacts", postings.n_rare_postings());
    file.require(all_documents(postings.lasts_) && all_documents(postings.rare_.docs()),
                 "a posting's document is beyond the number of documents");
    return postings;
}

}  // namespace thresher
