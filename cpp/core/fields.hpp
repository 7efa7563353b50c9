// Parameters by name. A struct of parameters has `fields(visit)`, a static member that calls visit(name, member) for
// each of them, the member being a pointer to a bool, an std::int64_t, a double, or an std::string; for a string, which
// is one of some words, visit(name, member, words). Files, Python and command lines go by it, so that a parameter is
// named once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "index_file.hpp"

namespace thresher {

// As a file has them: a bool is 0 or 1, a word its place among `words`. Numbers are finite and >= 0.
template <class Params>
void write_fields(const Params& params, const std::string& prefix, Parameters& to) {
    Params::fields([&]<class Field>(const char* name, Field Params::* member, const auto&... words) {
        const Field& value = params.*member;
        if constexpr (std::is_same_v<Field, double>) {
            to.set(prefix + name, value);
        } else if constexpr (std::is_same_v<Field, std::string>) {
            const auto place = ((std::ranges::find(words, value) - words.begin()), ...);
            to.set(prefix + name, static_cast<std::uint64_t>(place));
        } else {
            to.set(prefix + name, static_cast<std::uint64_t>(value));
        }
    });
}

// Reads those that the file has and leaves the others as they are; returns whether it has any. Throws FormatError for
// a value that is not of the field's type, but does not know what is out of range.
template <class Params>
bool read_fields(const IndexFile& file, const std::string& prefix, Params& params) {
    bool any = false;
    Params::fields([&]<class Field>(const char* name, Field Params::* member, const auto&... words) {
        const std::string full = prefix + name;
        if (!file.has_parameter(full)) return;
        any = true;
        if constexpr (std::is_same_v<Field, double>) {
            params.*member = file.number(full);
            return;
        } else {
            const std::uint64_t value = file.integer(full);
            const auto within = [&](std::uint64_t most) {
                file.require(value <= most, "parameter " + full + " is out of range: " + std::to_string(value));
            };
            if constexpr (std::is_same_v<Field, bool>) {
                within(1);
                params.*member = value != 0;
            } else if constexpr (std::is_same_v<Field, std::string>) {
                (within(words.size() - 1), ...);
                ((params.*member = std::string(words[static_cast<std::size_t>(value)])), ...);
            } else {
                within(static_cast<std::uint64_t>(std::numeric_limits<Field>::max()));
                params.*member = static_cast<Field>(value);
            }
        }
    });
    return any;
}

}  // namespace thresher
