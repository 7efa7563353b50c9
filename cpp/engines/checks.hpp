// Checks of parameters that several engines have.
#pragma once

#include <cstdint>

namespace thresher {

// Each throws std::invalid_argument, with the parameter's name: outside (0, 1]; below 0; none of 4, 8, 16, 32 or 64, or
// 0 to choose.
void check_fraction(double fraction, const char* name);
void check_count(std::int64_t count, const char* name);
void check_block_size(std::int64_t size, const char* name);

}  // namespace thresher
