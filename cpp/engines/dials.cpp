#include "dials.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace thresher {

NamedValues Dial::at(double turn) const {
    NamedValues values = fixed;
    if (name.empty()) return values;
    if (integral) {
        values.emplace_back(name, static_cast<std::int64_t>(std::llrint(lowest * std::pow(highest / lowest, turn))));
    } else {
        constexpr double kDecimals = 1000;
        values.emplace_back(name, std::round((lowest + (highest - lowest) * turn) * kDecimals) / kDecimals);
    }
    return values;
}

double Dial::step() const {
    constexpr double kMinFactor = 1.02;
    constexpr double kMinStep = 0.006;
    if (name.empty() || highest == lowest) return 1;
    return integral ? std::min(1.0, std::log(kMinFactor) / std::log(highest / lowest)) : kMinStep;
}

std::vector<NamedValues> settings_of(const Dials& dials, std::size_t n) {
    // Nearer to its ends a dial finds next to nothing, or takes nearly as long as finding everything.
    constexpr double kFast = 0.1;
    constexpr double kThorough = 0.85;
    std::vector<NamedValues> settings{{}};
    const std::size_t n_dials = std::min(dials.size(), n);
    for (std::size_t d = 0; d < n_dials; ++d) {
        const std::size_t n_turns = dials[d].name.empty() ? 1 : n / n_dials;
        for (std::size_t i = 0; i < n_turns; ++i) {
            const double place = static_cast<double>(i) + (static_cast<double>(d) + 0.5) / static_cast<double>(n_dials);
            const double turn = kFast + (kThorough - kFast) * place / static_cast<double>(n_turns);
            NamedValues values = dials[d].at(turn);
            if (std::ranges::find(settings, values) == settings.end()) settings.push_back(std::move(values));
        }
    }
    return settings;
}

}  // namespace thresher
