// What an engine says of its search parameters to whoever looks for good ones: `tune`, benchmarks, operating points.
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../core/storage/fields.hpp"

namespace thresher {

// Search parameters of which one is turned, from a fast end to a thorough one: the further, the more is found and the
// longer it takes. The rest are the index's own.
struct Dial {
    NamedValues fixed = {};  // parameters that stay as they are; NOLINT(readability-redundant-member-init)
    std::string name = {};   // of the parameter that is turned; empty if there is nothing to turn; NOLINT(*)
    double lowest = 1;
    double highest = 1;
    bool integral = true;  // whole numbers are turned by factors, others by steps

    // The parameters with the dial at `turn`: 0 is the fast end, 1 the thorough one.
    NamedValues at(double turn) const;
    // The least turn that makes a difference: 2% of a whole number, 0.003 or so of a fraction.
    double step() const;

    bool operator==(const Dial&) const = default;
};

// Those that are best most often first.
using Dials = std::vector<Dial>;

// About `n` settings that are spread over the dials, the index's own among them: each dial is turned as often, and
// where one stands between two turns of another, so that dials that differ little make up a finer one together.
std::vector<NamedValues> settings_of(const Dials& dials, std::size_t n);

// A search parameter by its member: its name and a value.
template <class Params, class Field>
NamedValue named(Field Params::* member, std::type_identity_t<Field> value) {
    return {name_of_field(member), std::move(value)};
}

// A dial that turns a member from `lowest` to `highest`.
template <class Params, class Field>
Dial dial(Field Params::* member, double lowest, double highest, NamedValues fixed = {}) {
    return {std::move(fixed), name_of_field(member), lowest, highest, std::is_integral_v<Field>};
}

}  // namespace thresher
