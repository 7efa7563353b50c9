// Arrays to views and back, parameters to dicts and back.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "../core/documents/csr_view.hpp"
#include "../core/storage/named_values.hpp"

namespace thresher {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
std::span<const T> items(const Array<T>& array, const char* name) {
    if (array.ndim() != 1) {
        throw std::invalid_argument(std::string(name) + " must have one dimension, got " +
                                    std::to_string(array.ndim()));
    }
    return {array.data(), static_cast<std::size_t>(array.size())};
}

inline CsrView view(const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices, const Array<float>& data,
                    std::uint64_t n_terms) {
    return {n_terms, items(indptr, "indptr"), items(indices, "indices"), items(data, "data")};
}

template <class T>
Array<T> to_array(const std::vector<T>& values) {
    return Array<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

using NamedValueMap = std::map<std::string, NamedValue::second_type>;

inline NamedValues named_values_of(const NamedValueMap& map) { return {map.begin(), map.end()}; }

inline py::dict to_dict(const NamedValues& values) {
    py::dict dict;
    for (const auto& item : values) {
        std::visit([&](const auto& value) { dict[py::str(item.first)] = value; }, item.second);
    }
    return dict;
}

}  // namespace thresher
