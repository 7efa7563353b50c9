// A posting of one document: a term that it has, as a slot, and the weight.
#pragma once

#include <cstdint>

namespace thresher {

struct Posting {
    std::uint32_t slot;
    float weight;
};

}  // namespace thresher
