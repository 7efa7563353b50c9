#include "checks.hpp"

#include <stdexcept>
#include <string>

namespace thresher {

void check_fraction(double fraction, const char* name) {
    if (fraction > 0 && fraction <= 1) return;
    throw std::invalid_argument(std::string(name) + " must be in (0, 1], got " + std::to_string(fraction));
}

void check_count(std::int64_t count, const char* name) {
    if (count >= 0) return;
    throw std::invalid_argument(std::string(name) + " must be >= 0, got " + std::to_string(count));
}

void check_block_size(std::int64_t size, const char* name) {
    if (size == 0 || (size >= 4 && size <= 64 && (size & (size - 1)) == 0)) return;
    throw std::invalid_argument(std::string(name) + " must be 4, 8, 16, 32 or 64, or 0 to choose, got " +
                                std::to_string(size));
}

}  // namespace thresher
