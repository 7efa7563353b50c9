// Byte strings of any length, one behind the other: what stores a variable number of things for each document.
//
// A stretch's start takes four bytes however many there are: it counts units of a power of two, one byte until the
// bytes outgrow 4 GiB, and stretches are padded with zeros to whole units. 64 bytes behind each can be read: a kernel
// loads whole registers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../base/prefetch.hpp"
#include "index_file.hpp"

namespace thresher {

class Stretches {
  public:
    Stretches() = default;
    // Stretch i takes size(i) bytes, which write(i, to) fills on one of `threads` threads; they are zero before. size
    // is called more than once. One pass of `progress`.
    static Stretches build(std::size_t n, unsigned threads, Progress& progress,
                           const std::function<std::size_t(std::size_t i)>& size,
                           const std::function<void(std::size_t i, std::uint8_t* to)>& write);

    // The same in steps, where stretches are written in an order of their own.
    class Writer {
      public:
        Writer(std::size_t n, const std::function<std::size_t(std::size_t i)>& size);
        // Where stretch i goes: zeros. Several threads may write, each stretches of its own.
        std::uint8_t* at(std::size_t i) noexcept {
            return bytes_.items.data() + (static_cast<std::size_t>(offsets_.items[i]) << shift_);
        }
        Stretches finish() && { return {std::move(offsets_.buffer), std::move(bytes_.buffer)}; }

      private:
        unsigned shift_;
        Filling<std::uint32_t> offsets_;
        Filling<std::uint8_t> bytes_;
    };

    std::size_t size() const noexcept { return offsets_.size() == 0 ? 0 : offsets_.size() - 1; }
    // With its padding. Clamped, so that an altered file can't lead out of bounds.
    std::span<const std::uint8_t> operator[](std::size_t i) const noexcept {
        const std::size_t end = clamped(offsets_[i + 1]);
        const std::size_t begin = clamped(offsets_[i]);
        return {bytes_.data() + (begin < end ? begin : end), begin < end ? end - begin : 0};
    }
    // Starts fetching what `operator[]` will read; then what the stretch holds.
    void prefetch_offset(std::size_t i) const noexcept { thresher::prefetch(offsets_.data() + i); }
    void prefetch(std::size_t i) const noexcept {
        const auto found = (*this)[i];
        if (found.empty()) return;
        // As many lines as most stretches have, without a branch, which would be hard to foresee: the last one again
        // and again costs nothing.
        constexpr std::size_t kUsual = 8;
        const auto* const last = found.data() + found.size() - 1;
        const auto* line = found.data();
        for (std::size_t l = 0; l < kUsual; ++l, line += 64) thresher::prefetch(line < last ? line : last);
        for (; line <= last; line += 64) thresher::prefetch(line);
    }

    std::size_t nbytes() const noexcept { return offsets_.nbytes() + bytes_.nbytes(); }
    // Of `n` stretches of so many bytes together.
    static double estimated_nbytes(double n, double bytes) noexcept;
    // As the sections <name>/starts and <name>/bytes.
    void save(SectionList& sections, const std::string& name) const;
    static Stretches load(const IndexFile& file, const std::string& name, std::size_t n);

  private:
    Stretches(Buffer<std::uint32_t> offsets, Buffer<std::uint8_t> bytes);
    static constexpr std::size_t kMargin = 64;  // zeros behind the last stretch
    std::size_t clamped(std::uint32_t start) const noexcept {
        const std::size_t offset = static_cast<std::size_t>(start) << shift_;
        return offset < bytes_.size() - kMargin ? offset : bytes_.size() - kMargin;
    }

    unsigned shift_ = 0;             // a unit is 2^shift bytes
    Buffer<std::uint32_t> offsets_;  // n + 1, in units
    Buffer<std::uint8_t> bytes_;
};

}  // namespace thresher
