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

// All postings by slot, uncompressed.
struct CompressedPostings::Transposed {
    std::vector<std::size_t> offsets;  // n_slots + 1
    Filling<std::uint32_t> docs;
    Filling<std::uint8_t> impacts;

    // Workers take contiguous parts of the documents; where each writes the postings of a slot is counted before, so
    // that documents ascend whatever the number of workers.
    Transposed(const ForwardIndex& forward, std::uint32_t n_slots, const Quantiser& quantiser, unsigned threads,
               Progress& progress)
        : offsets(n_slots + std::size_t{1}), docs(forward.nnz()), impacts(forward.nnz()) {
        const std::size_t n_docs = forward.n_docs();
        const std::size_t affordable = 1 + forward.nnz() / std::max<std::size_t>(n_slots, 1);
        const unsigned parts = worker_count(threads, std::min(affordable, n_docs / kRowsPerTask + 1));
        const std::size_t part_size = (n_docs + parts - 1) / parts;
        std::vector<std::vector<std::size_t>> next(parts, std::vector<std::size_t>(n_slots));
        const auto for_each_posting = [&](const auto& visit) {
            parallel_for(parts, parts, progress, [&](std::size_t part, unsigned) {
                std::vector<Posting> postings;
                const std::size_t end = std::min((part + 1) * part_size, n_docs);
                for (std::size_t doc = part * part_size; doc < end; ++doc) {
                    forward.read(doc, postings);
                    for (const Posting& posting : postings) visit(part, doc, posting);
                }
            });
        };
        for_each_posting([&](std::size_t part, std::size_t, const Posting& posting) { ++next[part][posting.slot]; });
        std::size_t total = 0;
        for (std::uint32_t slot = 0; slot < n_slots; ++slot) {
            offsets[slot] = total;
            for (auto& of_part : next) total += std::exchange(of_part[slot], total);
        }
        offsets[n_slots] = total;
        for_each_posting([&](std::size_t part, std::size_t doc, const Posting& posting) {
            const std::size_t at = next[part][posting.slot]++;
            docs.items[at] = static_cast<std::uint32_t>(doc);
            impacts.items[at] = quantiser.impact(posting.slot, posting.weight);
        });
    }
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
    const Transposed all(forward, vocabulary.n_slots(), quantiser, threads, progress);
    postings.number_blocks();
    postings.encode(all, threads, progress);
    postings.rank(all, threads, progress);
    const std::size_t n_listed = all.offsets[postings.n_lists_];
    Filling<std::uint32_t> docs(all.docs.items.size() - n_listed);
    Filling<std::uint8_t> impacts(docs.items.size());
    std::ranges::copy(all.docs.items.subspan(n_listed), docs.items.begin());
    std::ranges::copy(all.impacts.items.subspan(n_listed), impacts.items.begin());
    postings.rare_ = {std::move(docs.buffer), std::move(impacts.buffer)};
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

void CompressedPostings::encode(const Transposed& all, unsigned threads, Progress& progress) {
    struct Block {
        std::size_t begin;   // its first posting
        std::uint32_t next;  // the first document that it could have
        std::uint8_t size;
        std::uint8_t width;
    };
    const std::size_t n_blocks = first_blocks_[n_lists_];
    std::vector<Block> blocks(n_blocks);
    Filling<std::uint32_t> lasts(n_blocks);
    Filling<std::uint8_t> maxima(n_blocks);
    Progress silent(progress.monitor());
    parallel_for_rows(n_lists_, kSlotsPerTask, threads, silent, [&](std::size_t first, std::size_t end, unsigned) {
        for (std::size_t slot = first; slot < end; ++slot) {
            interruption_point(2 * (all.offsets[slot + 1] - all.offsets[slot]));
            std::uint32_t next = 0;
            std::size_t begin = all.offsets[slot];
            for (std::size_t b = first_blocks_[slot]; b < first_blocks_[slot + 1]; ++b) {
                const std::size_t size = std::min<std::size_t>(kBlock, all.offsets[slot + 1] - begin);
                const auto docs = all.docs.items.subspan(begin, size);
                std::uint32_t max = docs[0] - next;
                for (std::size_t p = 1; p < size; ++p) max = std::max(max, docs[p] - docs[p - 1] - 1);
                blocks[b] = {begin, next, static_cast<std::uint8_t>(size),
                             static_cast<std::uint8_t>(std::bit_width(max))};
                lasts.items[b] = docs[size - 1];
                maxima.items[b] = *std::ranges::max_element(all.impacts.items.subspan(begin, size));
                next = docs[size - 1] + 1;
                begin += size;
            }
        }
    });
    const auto size = [&](std::size_t b) { return block_bytes(blocks[b].size, blocks[b].width); };
    const auto write = [&](std::size_t b, std::uint8_t* to) {
        const Block& block = blocks[b];
        const auto docs = all.docs.items.subspan(block.begin, block.size);
        to[0] = block.width;
        BitWriter gaps(to + 1, block.width);
        for (std::size_t p = 0; p < docs.size(); ++p) gaps.put(docs[p] - (p == 0 ? block.next : docs[p - 1] + 1));
        gaps.finish();
        std::ranges::copy(all.impacts.items.subspan(block.begin, block.size),
                          to + 1 + gap_bytes(block.size, block.width));
    };
    blocks_ = Stretches::build(n_blocks, threads, progress, size, write);
    lasts_ = std::move(lasts.buffer);
    maxima_ = std::move(maxima.buffer);
}

void CompressedPostings::rank(const Transposed& all, unsigned threads, Progress& progress) {
    Progress silent(progress.monitor());
    for (std::size_t r = 0; r < kRanks.size(); ++r) {
        const std::uint32_t rank = kRanks[r];
        const std::uint32_t n = vocabulary_.n_with(rank);
        Filling<std::uint8_t> ranking(n);
        parallel_for_rows(n, kSlotsPerTask, threads, silent, [&](std::size_t first, std::size_t end, unsigned) {
            std::vector<std::uint8_t> impacts;
            for (std::size_t slot = first; slot < end; ++slot) {
                interruption_point(4 * (all.offsets[slot + 1] - all.offsets[slot]));
                impacts.assign(all.impacts.items.data() + all.offsets[slot],
                               all.impacts.items.data() + all.offsets[slot + 1]);
                std::ranges::nth_element(impacts, impacts.begin() + rank - 1, std::greater<>{});
                ranking.items[slot] = impacts[rank - 1];
            }
        });
        rankings_[r] = std::move(ranking.buffer);
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
