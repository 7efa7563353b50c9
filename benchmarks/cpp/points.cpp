#include "points.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/storage/mapped_file.hpp"
#include "engines/engine_entry.hpp"

namespace thresher::bench {

namespace {

using Json = nlohmann::ordered_json;

NamedValue value_of(const std::string& path, const std::string& name, const Json& json) {
    if (json.is_boolean()) return {name, json.get<bool>()};
    if (json.is_string()) return {name, json.get<std::string>()};
    if (json.is_number_float()) return {name, json.get<double>()};
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    const bool fits = !json.is_number_unsigned() || json.get<std::uint64_t>() <= kMax;
    if (json.is_number_integer() && fits) return {name, json.get<std::int64_t>()};
    throw FormatError(path, "'" + name + "' must be a number, true, false or a string, got " + json.dump());
}

NamedValues values_of(const std::string& path, const Json& json) {
    if (!json.is_object()) throw FormatError(path, "parameters must be an object, got " + json.dump());
    NamedValues values;
    for (const auto& item : json.items()) values.push_back(value_of(path, item.key(), item.value()));
    return values;
}

}  // namespace

Points read_points(const std::string& path) {
    const MappedFile file = map_file(path);
    const auto* text = reinterpret_cast<const char*>(file.bytes.data());
    Json json;
    try {
        json = Json::parse(text, text + file.bytes.size());
    } catch (const Json::exception& error) {
        throw FormatError(path, std::string("not JSON: ") + error.what());
    }
    Json searches = json;
    Points points;
    if (json.is_object()) {
        for (const auto& item : json.items()) {
            if (item.key() != "build" && item.key() != "search") {
                throw FormatError(path, "there may be 'build' and 'search', got '" + item.key() + "'");
            }
        }
        if (json.contains("build")) points.build = values_of(path, json["build"]);
        searches = json.value("search", Json());
    }
    if (!searches.is_array() || searches.empty()) throw FormatError(path, "'search' must be a list of points");
    for (const Json& search : searches) points.searches.push_back(values_of(path, search));
    return points;
}

Points usual_points(std::string_view engine, std::size_t n_docs, std::size_t k) {
    constexpr std::size_t kPoints = 16;
    return {{}, settings_of(engine_named(engine).dials(n_docs, k), kPoints)};
}

}  // namespace thresher::bench
