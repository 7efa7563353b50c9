// Strings in ascending order of their bytes, each as what tells it from the one before: front coding (Ian Witten,
// Alistair Moffat, Timothy Bell, Managing Gigabytes, 1999).
//
// A string takes a byte, whose high four bits are how many bytes the string before loses at its end, and whose low
// ones how many new bytes come in their place; then the new bytes. 15 means 15 and more: what it is more stands behind
// that byte, seven bits a byte, the lowest first. What sequential numbers and words of a language differ by is short,
// also where what they share is long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace thresher {

// Bytes that two strings have in common at their beginning.
std::size_t shared_prefix(std::string_view a, std::string_view b) noexcept;

// Appends `string`, which comes behind `before` (empty: the first) and shares so many bytes with it.
void append_front_coded(std::string_view before, std::string_view string, std::size_t shared,
                        std::vector<std::uint8_t>& to);

// Reads strings one by one, and never beyond `bytes`, whatever they are.
class FrontReader {
  public:
    explicit FrontReader(std::span<const std::uint8_t> bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
    // Goes on to the next string; false if there is none.
    bool next() noexcept {
        if (at_ == end_) return false;
        const std::uint8_t head = *at_++;
        const std::size_t drop = number(head >> 4);
        const std::size_t add = number(head & 15);
        const std::size_t length = shared_ + added_.size();
        const auto left = static_cast<std::size_t>(end_ - at_);
        shared_ = drop < length ? length - drop : 0;
        added_ = {reinterpret_cast<const char*>(at_), add < left ? add : left};
        at_ += added_.size();
        return true;
    }
    // The string: so many bytes of the one before, and these.
    std::size_t shared() const noexcept { return shared_; }
    std::string_view added() const noexcept { return added_; }

  private:
    std::size_t number(unsigned low) noexcept { return low < 15 ? low : 15 + rest(); }
    std::size_t rest() noexcept;

    const std::uint8_t* at_;
    const std::uint8_t* end_;
    std::size_t shared_ = 0;
    std::string_view added_;
};

}  // namespace thresher
