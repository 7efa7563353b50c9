// Parameters by name. A struct of parameters has `fields(visit)`, a static member that calls visit(name, member) for
// each of them, the member being a pointer to a bool, an std::int64_t, a double, or an std::string; for a string, which
// is one of some words, visit(name, member, words). Files, Python and whoever learns names at run time go by it, so
// that a parameter is named once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "index_file.hpp"
#include "named_values.hpp"

namespace thresher {

// The parameters of an engine that has none of a kind.
struct NoParams {
    template <class Visit>
    static void fields(const Visit& /*visit*/) {}
};

// Each throws std::invalid_argument for a value of another type; a whole number is a number.
void assign(const NamedValue& from, bool& field);
void assign(const NamedValue& from, std::int64_t& field);
void assign(const NamedValue& from, double& field);
void assign(const NamedValue& from, std::string& field);

[[noreturn]] void reject_name(std::string_view name, const std::vector<std::string_view>& known);

// Leaves fields that are not among `values` as they are. Throws std::invalid_argument for a name that is none of a
// field, and for a value of another type; ranges are for the engine to check.
template <class Params>
void set_fields(const NamedValues& values, Params& params) {
    for (const NamedValue& value : values) {
        std::vector<std::string_view> known;
        bool found = false;
        Params::fields([&](const char* name, auto member, const auto&...) {
            known.emplace_back(name);
            if (name != value.first) return;
            assign(value, params.*member);
            found = true;
        });
        if (!found) reject_name(value.first, known);
    }
}

// The name of a field, by its member.
template <class Params, class Field>
std::string name_of_field(Field Params::* wanted) {
    std::string found;
    Params::fields([&]<class Other>(const char* name, Other Params::* member, const auto&...) {
        if constexpr (std::is_same_v<Other, Field>) {
            if (member == wanted) found = name;
        }
    });
    return found;
}

template <class Params>
NamedValues named_values(const Params& params) {
    NamedValues values;
    Params::fields([&](const char* name, auto member, const auto&...) { values.emplace_back(name, params.*member); });
    return values;
}

// Those that are not the defaults.
template <class Params>
NamedValues changed_values(const Params& params) {
    const Params defaults;
    NamedValues values;
    Params::fields([&](const char* name, auto member, const auto&...) {
        if (params.*member != defaults.*member) values.emplace_back(name, params.*member);
    });
    return values;
}

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
            const auto within = [&](std::uint64_t max) {
                file.require(value <= max, "parameter " + full + " is out of range: " + std::to_string(value));
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
