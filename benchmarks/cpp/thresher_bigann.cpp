// thresher-bigann: recall against speed of any engine on files of the BigANN benchmark's sparse track. `usage` in
// arguments.cpp says how to call it.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "arguments.hpp"
#include "bigann_files.hpp"
#include "core/base/error.hpp"
#include "core/base/version.hpp"
#include "engines/exact_index.hpp"
#include "engines/registry.hpp"
#include "kernels/kernels.hpp"
#include "measure.hpp"
#include "points.hpp"
#include "recall.hpp"
#include "statistics.hpp"

namespace thresher::bench {
namespace {

using Json = nlohmann::ordered_json;

void tell(const std::string& what) { std::fprintf(stderr, "%s\n", what.c_str()); }

std::string shape_of(const CsrView& rows) {
    return std::to_string(rows.n_rows()) + " x " + std::to_string(rows.n_terms) + ", " + std::to_string(rows.nnz()) +
           " nonzeros";
}

// The exact answers, which the file that was given holds, or which exhaustive search finds.
struct Truth {
    GroundTruth answers;
    const char* source;
    std::size_t n_docs;  // at least
    std::vector<std::int32_t> ids;
    std::vector<float> scores;
};

struct Ready {
    std::unique_ptr<Index> index;
    std::optional<double> build_s;  // none if it was opened
};

CsrFile read_base(const Arguments& arguments, const CsrView& queries, const char* what_for) {
    if (arguments.base.empty()) throw std::invalid_argument(std::string("--base is needed ") + what_for);
    CsrFile base = read_csr(arguments.base);
    tell("documents: " + shape_of(base.rows));
    base.rows.n_terms = std::max(base.rows.n_terms, queries.n_terms);  // terms that no document has give nothing
    return base;
}

Truth given_truth(const Arguments& arguments, std::size_t n_queries) {
    Truth truth{read_ground_truth(arguments.truth), "given", 0, {}, {}};
    if (truth.answers.n_queries != n_queries) {
        throw FormatError(arguments.truth, "answers to " + std::to_string(truth.answers.n_queries) +
                                               " queries, but there are " + std::to_string(n_queries));
    }
    if (truth.answers.k < arguments.k) {
        throw FormatError(arguments.truth, "the best " + std::to_string(truth.answers.k) +
                                               " of each query, but --k is " + std::to_string(arguments.k));
    }
    for (const std::int32_t id : truth.answers.ids)
        truth.n_docs = std::max(truth.n_docs, static_cast<std::size_t>(id + 1));
    return truth;
}

Truth computed_truth(const Arguments& arguments, const CsrView& queries) {
    const CsrFile base = read_base(arguments, queries, "to compute a truth that is not given");
    tell("computing the truth");
    const auto exact = ExactIndex::build(base.rows, {}, {.threads = arguments.build_threads});
    const std::size_t n = queries.n_rows() * arguments.k;
    std::vector<std::int64_t> ids(n);
    Truth truth{{}, "computed", base.rows.n_rows(), {}, std::vector<float>(n)};
    std::vector<std::uint8_t> exact_rows(queries.n_rows());
    exact->search(queries, {arguments.k, arguments.build_threads, nullptr},
                  {arguments.k, ids, truth.scores, exact_rows});
    for (const std::int64_t id : ids) truth.ids.push_back(static_cast<std::int32_t>(id));
    truth.answers = {queries.n_rows(), arguments.k, truth.ids, truth.scores, nullptr};
    return truth;
}

template <class Call>
void naming(const std::string& file, const Call& call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        throw FormatError(file, error.what());
    }
}

// Finds what is wrong in the points, by the index that was opened or else by an empty one.
void check_points(const Index* index, const Arguments& arguments, const Points& points) {
    naming(arguments.points, [&] {
        const std::vector<std::int64_t> no_rows{0};
        std::unique_ptr<Index> empty;
        if (index == nullptr) {
            empty = build_index(arguments.engine, CsrView{0, no_rows, {}, {}}, points.build, {.threads = 1});
            index = empty.get();
        }
        for (const NamedValues& search : points.searches) index->with_named_search_params(search);
    });
}

Ready built(const Arguments& arguments, const NamedValues& params, const CsrView& queries) {
    Ready ready;
    const CsrFile base = read_base(arguments, queries, "to build an index");
    tell("building " + arguments.engine);
    ready.build_s = seconds_of(
        [&] { ready.index = build_index(arguments.engine, base.rows, params, {.threads = arguments.build_threads}); });
    if (!arguments.index.empty()) ready.index->save(arguments.index, nullptr);
    return ready;
}

Ready opened(const Arguments& arguments) {
    tell("opening " + arguments.index);
    Ready ready{open_index(arguments.index, true, nullptr), std::nullopt};
    if (!arguments.engine.empty() && ready.index->engine() != arguments.engine) {
        throw FormatError(arguments.index, "an index of the engine " + std::string(ready.index->engine()) +
                                               ", not of " + arguments.engine);
    }
    return ready;
}

Json to_json(const NamedValues& values) {
    Json json = Json::object();
    for (const NamedValue& value : values) {
        std::visit([&](const auto& item) { json[value.first] = item; }, value.second);
    }
    return json;
}

std::size_t nbytes(const Index& index) {
    std::size_t all = 0;
    for (const auto& part : index.nbytes()) all += part.second;
    return all;
}

Json report(const Ready& ready, const Truth& truth, const CsrView& queries, const Arguments& arguments,
            const Index& index) {
    const unsigned threads = worker_count(arguments.threads, queries.n_rows());
    const Measured measured = measure(index, queries, arguments.k, threads, arguments.repeats);
    Json line;
    line["engine"] = index.engine();
    line["params"] = to_json(index.named_search_params());
    line["k"] = arguments.k;
    line["threads"] = threads;
    line["recall"] = recall_at_k(truth.answers, arguments.k, measured.ids, StoredScores(index, queries));
    line["qps"] = static_cast<double>(queries.n_rows()) / measured.batch_s;
    line["cpus"] = measured.cpus;
    line["mean_us"] = mean(measured.query_us);
    line["p50_us"] = quantile(measured.query_us, 0.50);
    line["p95_us"] = quantile(measured.query_us, 0.95);
    line["p99_us"] = quantile(measured.query_us, 0.99);
    line["build_s"] = ready.build_s ? Json(*ready.build_s) : Json();
    line["build_threads"] = worker_count(arguments.build_threads, index.n_docs());
    line["build"] = to_json(index.parameters());
    line["index_bytes"] = nbytes(index);
    line["rss_bytes"] = resident_bytes();
    line["n_docs"] = index.n_docs();
    line["n_queries"] = queries.n_rows();
    line["repeats"] = arguments.repeats;
    line["truth"] = truth.source;
    line["version"] = kLibraryVersion;
    line["isa"] = kernels::active().name;
    return line;
}

void run(Arguments arguments) {
    CsrFile queries = read_csr(arguments.queries);
    tell("queries: " + shape_of(queries.rows));
    if (queries.rows.n_rows() == 0) throw FormatError(arguments.queries, "no queries");
    std::error_code ignored;
    const bool exists = !arguments.index.empty() && std::filesystem::exists(arguments.index, ignored);
    Ready ready;
    if (exists) {
        ready = opened(arguments);
        arguments.engine = ready.index->engine();
    }
    if (arguments.engine.empty()) throw std::invalid_argument("--engine is needed");
    Points points;
    if (!arguments.points.empty()) {
        points = read_points(arguments.points);
        check_points(ready.index.get(), arguments, points);  // before what takes long
    }
    const Truth truth = arguments.truth.empty() ? computed_truth(arguments, queries.rows)
                                                : given_truth(arguments, queries.rows.n_rows());
    if (!exists) ready = built(arguments, points.build, queries.rows);
    if (truth.n_docs > ready.index->n_docs()) {
        throw FormatError(arguments.truth.empty() ? arguments.base : arguments.truth,
                          "document " + std::to_string(truth.n_docs - 1) + ", but the index has only " +
                              std::to_string(ready.index->n_docs()));
    }
    queries.rows.n_terms = ready.index->n_terms();
    if (arguments.points.empty()) points = usual_points(arguments.engine, ready.index->n_docs(), arguments.k);
    for (const NamedValues& search : points.searches) {
        const auto index = ready.index->with_named_search_params(search);
        tell("searching with " + to_json(index->named_search_params()).dump());
        std::cout << report(ready, truth, queries.rows, arguments, *index).dump() << std::endl;
    }
    if (!std::cout) throw std::runtime_error("can't write to stdout");
}

// What is wrong in what was given, or else in the program.
int fail(const std::exception& error, int code) {
    tell(std::string("thresher-bigann: ") + error.what());
    return code;
}

}  // namespace
}  // namespace thresher::bench

int main(int argc, char** argv) {
    using thresher::bench::fail;
    try {
        auto arguments = thresher::bench::parse_arguments(argc, argv);
        if (arguments.help) {
            std::fputs(thresher::bench::usage().c_str(), stderr);
        } else {
            thresher::bench::run(std::move(arguments));
        }
        return 0;
    } catch (const std::invalid_argument& error) {
        return fail(error, 2);
    } catch (const thresher::FormatError& error) {
        return fail(error, 2);
    } catch (const thresher::FileError& error) {
        return fail(error, 2);
    } catch (const std::exception& error) {
        return fail(error, 1);
    }
}
