// Which scores may tie once they are rounded: a hit's score is a float32, and hits of equal scores are ordered by id.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace thresher {

// What a document must score, before rounding, to be returned with at least the float32 that `score` becomes: any that
// scores less is worse, whatever its id. `score` may be rounded already or not, and infinite.
//
// To round to nearest moves a number by at most 2^-24 of itself, or by 2^-150 where float32 is subnormal: here twice,
// that of either score. Sums in double precision (at most 2^22 terms) are off by less than 2^-30 of the sum of their
// positive terms, which 2^-22 leaves room for. Beyond the largest float32 all scores tie, at infinity.
inline double lowest_that_may_tie(double score) noexcept {
    const double finite = std::min<double>(score, std::numeric_limits<float>::max());
    return finite - std::fabs(finite) * 0x1p-22 - 0x1p-149;
}

}  // namespace thresher
