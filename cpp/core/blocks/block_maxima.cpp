#include "block_maxima.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "../documents/row_room.hpp"

namespace thresher {

namespace {

// A block's byte within its superblock, and how far its code is shifted there.
constexpr std::size_t byte_of(std::size_t block) noexcept { return block / 32 * 16 + block % 16; }
constexpr unsigned shift_of(std::size_t block) noexcept { return block % 32 < 16 ? 0 : 4; }

constexpr std::size_t kBytes = kernels::kSuperblock / 2;  // of a row in a superblock

// Codes of the largest impacts.
class Largest {
  public:
    Largest(std::size_t n_rows, std::uint32_t /*block_size*/) : codes_(n_rows * kBytes) {}
    void add(std::uint32_t slot, std::size_t block, std::uint8_t impact) noexcept {
        const unsigned shift = shift_of(block);
        const unsigned code = BlockMaxima::code_of(impact);
        std::uint8_t& both = codes_[slot * kBytes + byte_of(block)];
        if (((both >> shift) & 15U) < code)
            both = static_cast<std::uint8_t>((both & ~(15U << shift)) | (code << shift));
    }
    // kBytes of each row.
    const std::uint8_t* codes() const noexcept { return codes_.data(); }
    void clear() noexcept { std::fill(codes_.begin(), codes_.end(), std::uint8_t{0}); }

  private:
    std::vector<std::uint8_t> codes_;
};

// Codes of power means. Roots are square roots, so that every machine has the same ones.
class PowerMean {
  public:
    PowerMean(std::size_t n_rows, std::uint32_t block_size)
        : members_(static_cast<float>(block_size)), powers_(n_rows * kernels::kSuperblock), codes_(n_rows * kBytes) {}
    void add(std::uint32_t slot, std::size_t block, std::uint8_t impact) noexcept {
        const float squared = static_cast<float>(impact) * static_cast<float>(impact);
        const float fourth = squared * squared;
        powers_[slot * kernels::kSuperblock + block] += fourth * fourth;
    }
    const std::uint8_t* codes() noexcept {
        for (std::size_t i = 0; i < powers_.size(); ++i) {
            if (powers_[i] == 0) continue;
            const float mean = std::sqrt(std::sqrt(std::sqrt(powers_[i] / members_)));
            const auto code = static_cast<unsigned>(mean / static_cast<float>(BlockMaxima::kCodeStep) + 0.5F);
            const std::size_t block = i % kernels::kSuperblock;
            std::uint8_t& both = codes_[i / kernels::kSuperblock * kBytes + byte_of(block)];
            both = static_cast<std::uint8_t>(both | std::clamp(code, 1U, 15U) << shift_of(block));
        }
        return codes_.data();
    }
    void clear() noexcept {
        std::fill(powers_.begin(), powers_.end(), 0.0F);
        std::fill(codes_.begin(), codes_.end(), std::uint8_t{0});
    }

  private:
    float members_;
    std::vector<float> powers_;  // kSuperblock of each row
    std::vector<std::uint8_t> codes_;
};

}  // namespace

BlockMaxima BlockMaxima::build(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t block_size,
                               std::uint32_t n_rows, unsigned threads, Progress& progress) {
    return build_with<Largest>(forward, quantiser, block_size, n_rows, threads, progress);
}

BlockMaxima BlockMaxima::build_means(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t block_size,
                                     std::uint32_t n_rows, unsigned threads, Progress& progress) {
    return build_with<PowerMean>(forward, quantiser, block_size, n_rows, threads, progress);
}

template <class Codes>
BlockMaxima BlockMaxima::build_with(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t block_size,
                                    std::uint32_t n_rows, unsigned threads, Progress& progress) {
    BlockMaxima maxima;
    maxima.block_size_ = block_size;
    maxima.n_blocks_ = (forward.n_docs() + block_size - 1) / block_size;
    maxima.n_rows_ = n_rows;
    Filling<std::uint8_t> codes(n_rows * maxima.stride());

    const unsigned workers = worker_count(threads, maxima.n_superblocks());
    std::vector<Codes> gathered(workers, Codes(n_rows, block_size));
    std::vector<std::vector<Posting>> postings(workers);
    parallel_for(maxima.n_superblocks(), threads, progress, [&](std::size_t superblock, unsigned worker) {
        Codes& mine = gathered[worker];
        const std::size_t first = superblock * kernels::kSuperblock * block_size;
        const std::size_t end = std::min(first + kernels::kSuperblock * block_size, forward.n_docs());
        for (std::size_t doc = first; doc < end; ++doc) {
            forward.read(doc, postings[worker]);
            for (const auto& [slot, weight] : postings[worker]) {
                if (slot < n_rows) mine.add(slot, (doc - first) / block_size, quantiser.ceiling(slot, weight));
            }
        }
        const std::uint8_t* of_superblock = mine.codes();
        for (std::size_t row = 0; row < n_rows; ++row) {
            std::memcpy(codes.items.data() + row * maxima.stride() + superblock * kBytes, of_superblock + row * kBytes,
                        kBytes);
        }
        mine.clear();
    });
    maxima.codes_ = std::move(codes.buffer);
    return maxima;
}

std::uint8_t BlockMaxima::code(std::uint32_t row_index, std::size_t block) const noexcept {
    return (row(row_index)[byte_of(block)] >> shift_of(block)) & 15U;
}

std::size_t BlockMaxima::room(std::size_t n_docs, std::uint32_t block_size, bool with_superblocks) noexcept {
    const std::size_t n_superblocks = n_superblocks_of((n_docs + block_size - 1) / block_size);
    const std::size_t further = with_superblocks ? stride_of(n_superblocks_of(n_superblocks)) : 0;
    return row_room(stride_of(n_superblocks) + further, 2 * std::size_t{block_size});
}

double BlockMaxima::estimated_nbytes(std::size_t n_docs, std::uint32_t block_size, std::uint32_t n_rows) noexcept {
    const std::size_t n_blocks = (n_docs + block_size - 1) / block_size;
    return static_cast<double>(n_rows) * static_cast<double>(stride_of(n_superblocks_of(n_blocks)));
}

void BlockMaxima::save(const std::string& name, Parameters& counts, SectionList& sections) const {
    counts.set("n_" + name + "_rows", std::uint64_t{n_rows_});
    sections.add(name + "/codes", codes_);
}

BlockMaxima BlockMaxima::load(const IndexFile& file, const std::string& name, std::size_t n_docs,
                              std::uint32_t block_size, std::uint32_t n_slots) {
    BlockMaxima maxima;
    const std::uint64_t n_rows = file.integer("n_" + name + "_rows");
    file.require(n_rows <= n_slots, "more rows of " + name + " than slots");
    maxima.block_size_ = block_size;
    maxima.n_blocks_ = (n_docs + block_size - 1) / block_size;
    maxima.n_rows_ = static_cast<std::uint32_t>(n_rows);
    maxima.codes_ = file.section<std::uint8_t>(name + "/codes", maxima.n_rows_ * maxima.stride());
    return maxima;
}

}  // namespace thresher
