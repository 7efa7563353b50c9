#include "words.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../core/storage/words.hpp"
#include "conversions.hpp"
#include "gil.hpp"

namespace thresher {

namespace {

constexpr std::size_t kItemsPerPoll = 1 << 14;

void poll(std::size_t item) {
    if (item % kItemsPerPoll == 0 && PyErr_CheckSignals() != 0) throw py::error_already_set();
}

// UTF-8. Half a surrogate pair, which UTF-8 does not have, becomes bytes that no word has.
py::bytes encoded(py::handle string) {
    PyObject* const bytes = PyUnicode_AsEncodedString(string.ptr(), "utf-8", "surrogatepass");
    if (bytes == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::bytes>(bytes);
}

// Throws std::invalid_argument for half a surrogate pair.
py::bytes encoded_word(py::handle string, const std::string& name, std::size_t place) {
    PyObject* const bytes = PyUnicode_AsUTF8String(string.ptr());
    if (bytes != nullptr) return py::reinterpret_steal<py::bytes>(bytes);
    if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError) == 0) throw py::error_already_set();
    PyErr_Clear();
    throw std::invalid_argument(name + ": element " + std::to_string(place) +
                                " has half a surrogate pair, which is no character");
}

py::str decoded(std::string_view bytes) {
    PyObject* const text = PyUnicode_DecodeUTF8(bytes.data(), static_cast<py::ssize_t>(bytes.size()), "replace");
    if (text == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::str>(text);
}

// Python's strings as UTF-8. Those of ASCII, most of them, are read where they are.
class Strings {
  public:
    enum class Use { lookup, words };
    Strings(const py::iterable& strings, const std::string& name, Use use) : strings_(strings) {
        views_.reserve(strings_.size());
        for (const py::handle item : strings_) {
            poll(views_.size());
            if (!PyUnicode_Check(item.ptr())) {
                throw py::type_error(name + ": element " + std::to_string(views_.size()) + " is of type " +
                                     std::string(py::str(py::type::of(item).attr("__name__"))) + ", not str");
            }
            if (PyUnicode_IS_COMPACT_ASCII(item.ptr())) {
                views_.emplace_back(static_cast<const char*>(PyUnicode_DATA(item.ptr())),
                                    static_cast<std::size_t>(PyUnicode_GET_LENGTH(item.ptr())));
            } else {
                const py::bytes bytes = use == Use::words ? encoded_word(item, name, views_.size()) : encoded(item);
                encoded_.append(bytes);
                views_.push_back(bytes);
            }
        }
    }
    std::span<const std::string_view> views() const noexcept { return views_; }

  private:
    py::tuple strings_;
    py::list encoded_;
    std::vector<std::string_view> views_;
};

}  // namespace

void define_words(const py::module_& module) {
    using namespace py::literals;
    py::class_<Words>(module, "Words", "Strings that are numbered from 0 and all different, compressed.")
        .def(py::init([](const py::iterable& words, const std::string& name, unsigned threads) {
                 const Strings strings(words, name, Strings::Use::words);
                 return without_gil(
                     py::none(), [&](Monitor* monitor) { return Words::of(strings.views(), name, threads, monitor); });
             }),
             "words"_a, "name"_a, "threads"_a)
        .def("__len__", &Words::size)
        .def(
            "at",
            [](const Words& words, std::uint32_t number) {
                if (number >= words.size()) throw py::index_error("there is no word " + std::to_string(number));
                return decoded(words[number]);
            },
            "number"_a)
        .def_property_readonly("nbytes", &Words::nbytes)
        .def(
            "find", [](const Words& words, const py::str& word) { return words.find(std::string_view(encoded(word))); },
            "word"_a, "Its number, or None.")
        .def(
            "find_all",
            [](const Words& words, const py::iterable& wanted, const std::string& name) {
                const Strings strings(wanted, name, Strings::Use::lookup);
                Array<std::int64_t> numbers(static_cast<py::ssize_t>(strings.views().size()));
                std::int64_t* to = numbers.mutable_data();
                without_gil(py::none(), [&](Monitor*) {
                    for (const std::string_view word : strings.views()) {
                        interruption_point(1000);
                        const auto number = words.find(word);
                        *to++ = number ? static_cast<std::int64_t>(*number) : -1;
                    }
                });
                return numbers;
            },
            "words"_a, "name"_a, "Their numbers, -1 for those that are not there.")
        .def(
            "take",
            [](const Words& words, const Array<std::int64_t>& numbers) {
                py::list found;
                std::string word;
                for (const std::int64_t number : items(numbers, "numbers")) {
                    poll(found.size());
                    if (number < 0 || static_cast<std::size_t>(number) >= words.size()) {
                        throw std::invalid_argument("numbers: " + std::to_string(number) + " is not in [0, " +
                                                    std::to_string(words.size()) + ")");
                    }
                    words.read(static_cast<std::uint32_t>(number), word);
                    found.append(decoded(word));
                }
                return found;
            },
            "numbers"_a, "The strings of these numbers.");
}

}  // namespace thresher
