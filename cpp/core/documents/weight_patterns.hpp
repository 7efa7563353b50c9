// Weights as the forward index stores them: none lost, as patterns of binary16 where every weight of the collection is
// one (encoders that run in half precision give such), otherwise of binary32; or as codes of 8 bits.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "../../kernels/kernels.hpp"
#include "posting.hpp"

namespace thresher {

// The range of a collection's weights, and whether all of them are halves.
class WeightRange {
  public:
    void add(float weight) noexcept;
    void add(const WeightRange& other) noexcept;
    // In which every weight added can be stored as it is.
    kernels::WeightFormat format() const noexcept;

  private:
    bool halves_ = true;
    float min_ = std::numeric_limits<float>::max();
    float max_ = 0;
};

// Writes weights in a format of patterns, one behind the other. False if one does not fit it, which leaves others.
bool write_patterns(std::span<const Posting> postings, const kernels::WeightFormat& format, std::uint8_t* to) noexcept;

// What a document's weights are stored as in codes: times of `scale`, 1 to 255. Scales are so short that the product is
// a float32. Weights that are such times of some number already, as whole numbers up to 255 are, and as what was read
// from codes is, stay what they are: nothing is rounded twice.
float code_scale(std::span<const Posting> postings) noexcept;
// The nearest code; 1 for weights that are less than half of `scale`, since no posting weighs nothing.
std::uint8_t code_of(float weight, float scale) noexcept;
// Writes the scale and the codes. Returns the largest error, rounded up.
float write_codes(std::span<const Posting> postings, std::uint8_t* to) noexcept;

}  // namespace thresher
