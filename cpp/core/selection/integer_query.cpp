#include "integer_query.hpp"

#include <algorithm>
#include <cmath>

namespace thresher {

// The error has two parts: impacts are off by at most the quantiser's error, and integer weights by their rounding
// times the largest impact.
void IntegerQuery::assign(const SlotQuery& query, const Quantiser& quantiser) {
    terms.clear();
    slack = 0;
    lowest = 1;
    double sum = 0;
    double largest = 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        const double weight = std::fabs(static_cast<double>(query.weights[i]) * quantiser.step(query.slots[i]));
        sum += weight;
        largest = std::max(largest, weight);
    }
    unit = std::max(largest / kMaxWeight, sum * Quantiser::kMaxImpact / static_cast<double>(kMaxScore));
    if (unit == 0) return;

    double error = 1;
    bool all_positive = true;
    for (std::size_t i = 0; i < query.size(); ++i) {
        const std::uint32_t slot = query.slots[i];
        const auto given = static_cast<double>(query.weights[i]);
        const double exact = given * quantiser.step(slot) / unit;
        // A positive weight stays positive: a document that matches then always has a positive score.
        const auto weight = static_cast<std::int32_t>(given > 0 ? std::max(std::round(exact), 1.0) : std::round(exact));
        error += std::fabs(given) * quantiser.error(slot) / unit + std::fabs(exact - weight) * Quantiser::kMaxImpact;
        all_positive &= given > 0;
        if (weight != 0) terms.push_back({slot, weight});
    }
    slack = static_cast<std::int64_t>(std::min(std::ceil(error), static_cast<double>(kMaxScore)));
    lowest = all_positive ? 1 : -slack;
}

}  // namespace thresher
