#include "fields.hpp"

#include <stdexcept>

namespace thresher {

namespace {

template <class T>
void assign_or_reject(const NamedValue& from, T& field, const char* type) {
    const T* value = std::get_if<T>(&from.second);
    if (value == nullptr) throw std::invalid_argument(from.first + " must be " + type);
    field = *value;
}

}  // namespace

void assign(const NamedValue& from, bool& field) { assign_or_reject(from, field, "true or false"); }
void assign(const NamedValue& from, std::int64_t& field) { assign_or_reject(from, field, "a whole number"); }
void assign(const NamedValue& from, std::string& field) { assign_or_reject(from, field, "a string"); }

void assign(const NamedValue& from, double& field) {
    if (const auto* whole = std::get_if<std::int64_t>(&from.second)) {
        field = static_cast<double>(*whole);
    } else {
        assign_or_reject(from, field, "a number");
    }
}

void reject_name(std::string_view name, const std::vector<std::string_view>& known) {
    std::string message = "there is no parameter '" + std::string(name) + "'; there ";
    if (known.empty()) throw std::invalid_argument(message + "are none");
    message += known.size() == 1 ? "is " : "are ";
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (i > 0) message += i + 1 == known.size() ? " and " : ", ";
        message += known[i];
    }
    throw std::invalid_argument(message);
}

}  // namespace thresher
