#include "arguments.hpp"

#include <getopt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>

#include "engines/registry.hpp"

namespace thresher::bench {

namespace {

constexpr const char* kUsage = R"(thresher-bigann: recall against speed on files of the BigANN benchmark's sparse track

usage: thresher-bigann --base FILE --queries FILE --engine NAME [options]

  --base FILE         documents (.csr); not needed with an --index that exists and a --truth
  --queries FILE      queries (.csr)
  --truth FILE        ground truth; without one it is computed
  --engine NAME       one of those below
  --points FILE       operating points (JSON); without one they follow from the engine
  --index FILE        open this index if it exists, otherwise save the one built to it
  --k K               documents to return (10)
  --threads N         threads of a batch of queries, 0 for all cores (1)
  --build-threads N   threads of the build, 0 for all cores (0)
  --repeats N         measurements of each point, of which the median is told (5)

Prints a JSON object a line for each operating point on stdout, and all else on stderr.
engines: )";

constexpr std::size_t kMaxHits = 1'000'000;
constexpr unsigned kMaxThreads = 1024;
constexpr unsigned kMaxRepeats = 1'000'000;

std::string names_of_engines() {
    std::string names;
    for (const std::string_view name : engine_names()) names += (names.empty() ? "" : ", ") + std::string(name);
    return names;
}

template <class T>
T number(std::string_view name, std::string_view text, T min, T max) {
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
        throw std::invalid_argument("--" + std::string(name) + " must be a whole number from " + std::to_string(min) +
                                    " to " + std::to_string(max) + ", got '" + std::string(text) + "'");
    }
    return value;
}

std::string known_engine(std::string name) {
    std::replace(name.begin(), name.end(), '_', '-');
    const auto names = engine_names();
    if (std::find(names.begin(), names.end(), name) != names.end()) return name;
    throw std::invalid_argument("--engine must be one of " + names_of_engines() + ", got '" + name + "'");
}

void set(Arguments& arguments, std::string_view name, const std::string& value) {
    if (name == "base") arguments.base = value;
    if (name == "queries") arguments.queries = value;
    if (name == "truth") arguments.truth = value;
    if (name == "engine") arguments.engine = known_engine(value);
    if (name == "points") arguments.points = value;
    if (name == "index") arguments.index = value;
    if (name == "k") arguments.k = number<std::size_t>(name, value, 1, kMaxHits);
    if (name == "threads") arguments.threads = number(name, value, 0U, kMaxThreads);
    if (name == "build-threads") arguments.build_threads = number(name, value, 0U, kMaxThreads);
    if (name == "repeats") arguments.repeats = number(name, value, 1U, kMaxRepeats);
}

}  // namespace

std::string usage() { return kUsage + names_of_engines() + "\n"; }

Arguments parse_arguments(int argc, char** argv) {
    static constexpr std::array<option, 12> kOptions{{
        {"base", required_argument, nullptr, 0},
        {"queries", required_argument, nullptr, 0},
        {"truth", required_argument, nullptr, 0},
        {"engine", required_argument, nullptr, 0},
        {"points", required_argument, nullptr, 0},
        {"index", required_argument, nullptr, 0},
        {"k", required_argument, nullptr, 0},
        {"threads", required_argument, nullptr, 0},
        {"build-threads", required_argument, nullptr, 0},
        {"repeats", required_argument, nullptr, 0},
        {"help", no_argument, nullptr, 'h'},
        {nullptr, 0, nullptr, 0},
    }};
    Arguments arguments;
    optind = 0;  // GNU's getopt starts anew
    opterr = 0;
    int which = 0;
    for (;;) {
        const int found = getopt_long(argc, argv, ":h", kOptions.data(), &which);
        if (found == -1) break;
        if (found == ':') throw std::invalid_argument(std::string(argv[optind - 1]) + " needs a value");
        if (found == '?') throw std::invalid_argument("there is no option " + std::string(argv[optind - 1]));
        if (found == 'h') arguments.help = true;
        if (found != 0) continue;
        const std::string value = optarg;
        if (value.empty()) throw std::invalid_argument(std::string("--") + kOptions[which].name + " is empty");
        set(arguments, kOptions[which].name, value);
    }
    if (arguments.help) return arguments;
    if (optind < argc) throw std::invalid_argument("unexpected argument '" + std::string(argv[optind]) + "'");
    if (arguments.queries.empty()) throw std::invalid_argument("--queries is needed");
    return arguments;
}

}  // namespace thresher::bench
