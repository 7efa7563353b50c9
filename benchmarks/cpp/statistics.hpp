// What is told of many measurements.
#pragma once

#include <utility>
#include <vector>

namespace thresher::bench {

double mean(const std::vector<double>& values);

// The value that `share` (in [0, 1]) of the values are below, interpolated linearly between two neighbours, as NumPy's
// percentile does by default. Of at least one value.
double quantile(std::vector<double> values, double fraction);

inline double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

}  // namespace thresher::bench
