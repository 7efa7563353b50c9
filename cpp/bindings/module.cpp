// The Python module thresher._core: converts, releases the GIL, calls, wraps. No logic.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "../core/base/error.hpp"
#include "../core/base/scratch_files.hpp"
#include "../core/base/version.hpp"
#include "../core/documents/collected_rows.hpp"
#include "../core/storage/fields.hpp"
#include "../core/storage/words.hpp"
#include "../engines/block_max_index.hpp"
#include "../engines/clustered_index.hpp"
#include "../engines/exact_index.hpp"
#include "../engines/graph_index.hpp"
#include "../engines/impact_index.hpp"
#include "../engines/postings_index.hpp"
#include "../engines/registry.hpp"
#include "../kernels/kernels.hpp"
#include "conversions.hpp"
#include "engine_entries.hpp"
#include "gil.hpp"
#include "hit_arrays.hpp"
#include "segments.hpp"
#include "words.hpp"

namespace py = pybind11;

namespace thresher {
namespace {

// `params`: what the engine's own search takes, or nothing.
template <class Engine, class... Params>
py::tuple search(const Engine& index, const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                 const Array<float>& data, std::uint64_t n_terms, const SearchOptions& options,
                 const py::object& progress, const Params&... params) {
    const CsrView queries = view(indptr, indices, data, n_terms);
    HitArrays arrays(
        {static_cast<py::ssize_t>(queries.n_rows()), static_cast<py::ssize_t>(std::min(options.k, index.n_docs()))});
    const HitsView hits = arrays.view();
    without_gil(progress,
                [&](Monitor* monitor) { index.search(queries, with_monitor(options, monitor), params..., hits); });
    return arrays.take();
}

template <class Engine, class... Params>
py::tuple search_one(const Engine& index, const Array<std::uint32_t>& terms, const Array<float>& weights, std::size_t k,
                     const Params&... params) {
    HitArrays arrays({static_cast<py::ssize_t>(std::min(k, index.n_docs()))});
    const HitsView hits = arrays.view();
    const auto query_terms = items(terms, "terms");
    const auto query_weights = items(weights, "weights");
    without_gil(py::none(), [&](Monitor*) {
        index.search_one(query_terms, query_weights, SearchOptions{.k = k, .threads = 1}, params..., hits);
    });
    return arrays.take();
}

template <class Engine, class... Params>
py::tuple search_all(const Engine& index, const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                     const Array<float>& data, std::uint64_t n_terms, const SearchOptions& options,
                     const py::object& progress, const Params&... params) {
    const CsrView queries = view(indptr, indices, data, n_terms);
    AllHitArrays arrays(queries.n_rows());
    const HitsView hits = arrays.view();
    without_gil(progress, [&](Monitor* monitor) {
        SearchOptions all = with_monitor(options, monitor);
        all.k = SearchOptions::kAll;
        index.search(queries, all, params..., hits);
    });
    return arrays.take();
}

Array<std::int64_t> count(const Index& index, const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                          const Array<float>& data, std::uint64_t n_terms, const SearchOptions& options,
                          const py::object& progress) {
    const CsrView queries = view(indptr, indices, data, n_terms);
    const auto counts =
        without_gil(progress, [&](Monitor* monitor) { return index.count(queries, with_monitor(options, monitor)); });
    return to_array(std::vector<std::int64_t>(counts.begin(), counts.end()));
}

// Options of searches, with the names that they have everywhere.
void define_search_options(py::module_& module) {
    py::class_<SearchOptions> options(module, "SearchOptions");
    options.def(py::init<>());
    SearchOptions::fields([&]<class Field>(const char* name, Field SearchOptions::* member) {
        if constexpr (std::is_same_v<Field, SearchOptions::Selections>) {
            options.def_property(
                name, [member](const SearchOptions& self) { return (self.*member).size(); },
                [member](SearchOptions& self, const std::vector<std::shared_ptr<Selection>>& selections) {
                    (self.*member).assign(selections.begin(), selections.end());
                });
        } else {
            options.def_readwrite(name, member);
        }
    });
}

void define_selection(py::module_& module) {
    using namespace py::literals;
    const auto shared = [](Selection selection) { return std::make_shared<Selection>(std::move(selection)); };
    py::class_<Selection, std::shared_ptr<Selection>>(
        module, "Selection",
        "A set of an index's documents, made by `Index.select`, for `allowed` and `exclude` of its searches.\n\n"
        "Sets of one index combine by `&`, `|`, `-` and `~`; what comes out is another. Any number of searches may "
        "use\n"
        "one at once.")
        .def("__len__", &Selection::size)
        .def_property_readonly("n_docs", &Selection::n_docs, "Documents of the index.")
        .def(
            "ids", [](const Selection& self) { return to_array(self.ids()); }, "The documents' ids, int64, ascending.")
        .def(
            "mask", [](const Selection& self) { return to_array(self.mask()).view("bool"); },
            "A bool for each document of the index, shape (n_docs,).")
        .def("__contains__",
             [](const Selection& self, const py::object& id) {
                 if (!py::isinstance<py::int_>(id) && !PyIndex_Check(id.ptr())) return false;
                 const Py_ssize_t value = PyNumber_AsSsize_t(id.ptr(), nullptr);  // clipped: then it is no document's
                 return value >= 0 && static_cast<std::size_t>(value) < self.n_docs() && self.has_id(value);
             })
        .def("__iter__", [](const Selection& self) { return py::iter(to_array(self.ids()).attr("tolist")()); })
        .def("__reduce__",
             [](const Selection&) -> py::object {
                 throw py::type_error(
                     "a Selection belongs to its index and can't be pickled: send its ids(), and select() them there");
             })
        .def(
            "__and__", [shared](const Selection& a, const Selection& b) { return shared(a & b); }, py::is_operator())
        .def(
            "__or__", [shared](const Selection& a, const Selection& b) { return shared(a | b); }, py::is_operator())
        .def(
            "__sub__", [shared](const Selection& a, const Selection& b) { return shared(a - b); }, py::is_operator())
        .def("__invert__", [shared](const Selection& self) { return shared(~self); })
        .def("__eq__",
             [](const Selection& self, const py::object& other) {
                 return py::isinstance<Selection>(other) && self == other.cast<const Selection&>();
             })
        .def("__hash__",
             [](const Selection& self) {
                 std::uint64_t hash = self.size();
                 for (const std::uint64_t word : self.words()) hash = (hash ^ word) * 0x100000001B3U;
                 return static_cast<std::int64_t>(hash >> 2);
             })
        .def("__repr__", [](const Selection& self) {
            return "<Selection: " + std::to_string(self.size()) + " of " + std::to_string(self.n_docs()) +
                   " documents>";
        });
}

// `order`: of documents, for engines that can store them in one.
template <class Engine>
std::unique_ptr<Engine> build(const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                              const Array<float>& data, std::uint64_t n_terms, const typename Engine::Params& params,
                              const std::optional<Array<std::uint32_t>>& order, Precision precision, unsigned threads,
                              const py::object& progress) {
    const CsrView docs = view(indptr, indices, data, n_terms);
    BuildOptions options{.precision = precision, .threads = threads};
    if (order) options.order = items(*order, "reorder");
    return without_gil(progress, [&](Monitor* monitor) {
        options.monitor = monitor;
        return Engine::build(docs, params, options);
    });
}

// Of other indexes' documents; `live`: for each a mask, or nothing for all.
template <class Engine>
std::unique_ptr<Engine> merge(const std::vector<const Index*>& indexes,
                              const std::vector<std::optional<Array<std::uint8_t>>>& live,
                              const typename Engine::Params& params, Precision precision, unsigned threads,
                              const py::object& progress) {
    for (const Index* index : indexes) {
        if (index == nullptr) throw std::invalid_argument("indexes: no index");
    }
    if (live.size() != indexes.size()) throw std::invalid_argument("live: as many masks as indexes are wanted");
    std::vector<std::span<const std::uint8_t>> masks;
    for (const auto& mask : live) masks.push_back(mask ? items(*mask, "live") : std::span<const std::uint8_t>());
    BuildOptions options{.precision = precision, .threads = threads};
    return without_gil(progress, [&](Monitor* monitor) {
        options.monitor = monitor;
        std::vector<KeptDocuments> parts;
        for (std::size_t i = 0; i < indexes.size(); ++i) parts.push_back(indexes[i]->kept(masks[i]));
        return Engine::build(Documents(std::move(parts)), params, options);
    });
}

template <class Engine, class Class>
void define_build(Class& engine) {
    using namespace py::literals;
    engine.def_static("merge", &merge<Engine>, "indexes"_a, "live"_a, "params"_a, "precision"_a, "threads"_a,
                      "progress"_a);
    engine.def_static("build", &build<Engine>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "params"_a, "order"_a,
                      "precision"_a, "threads"_a, "progress"_a);
}

py::tuple vectors(const Index& index, const Array<std::int64_t>& docs) {
    const auto ids = items(docs, "ids");
    const auto rows = without_gil(py::none(), [&](Monitor*) { return index.vectors(ids); });
    return py::make_tuple(to_array(rows.indptr), to_array(rows.terms), to_array(rows.weights));
}

// A copy, which shares the memory and keeps it.
std::optional<Words> copied(const Words* words) { return words != nullptr ? std::optional(*words) : std::nullopt; }

py::dict to_dict(const Parameters& parameters) {
    py::dict dict;
    for (const auto& [name, value] : parameters.entries()) {
        const bool whole = value.find_first_not_of("0123456789") == std::string::npos;
        dict[py::str(name)] = whole ? py::object(py::int_(py::str(value))) : py::object(py::float_(py::str(value)));
    }
    return dict;
}

// A class of parameters, with the names that they have everywhere.
template <class Params>
py::class_<Params> define_params(py::module_& module, const char* name) {
    py::class_<Params> params(module, name);
    params.def(py::init<>());
    Params::fields([&](const char* field, auto member, const auto&...) { params.def_readwrite(field, member); });
    return params;
}

// A ScratchScope for a `with` statement.
class ScratchContext {
  public:
    explicit ScratchContext(std::shared_ptr<const ScratchFiles> files) : files_(std::move(files)) {}
    void enter() { scope_.emplace(files_.get()); }
    void leave() { scope_.reset(); }

  private:
    std::shared_ptr<const ScratchFiles> files_;
    std::optional<ScratchScope> scope_;
};

// Before `define_engine_entries`, which takes it.
void define_statistics(py::module_& module) {
    using namespace py::literals;
    py::class_<CollectionStatistics>(module, "CollectionStatistics", "What the size of an index depends on.")
        .def(py::init([](const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                         const Array<float>& data, std::uint64_t n_terms, std::size_t n_docs, unsigned threads) {
                 const CsrView docs = view(indptr, indices, data, n_terms);
                 return without_gil(py::none(), [&](Monitor* monitor) {
                     Progress progress(monitor);
                     const CanonicalCsr canonical(docs, "docs", threads, progress);
                     return CollectionStatistics::of(canonical.view(), n_docs, threads, progress);
                 });
             }),
             "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "n_docs"_a, "threads"_a)
        .def_readonly("n_docs", &CollectionStatistics::n_docs)
        .def_readonly("n_terms", &CollectionStatistics::n_terms)
        .def_property_readonly("n_slots", &CollectionStatistics::n_slots, "Terms that occur.")
        .def_property_readonly("nnz", &CollectionStatistics::nnz)
        .def_property_readonly(
            "frequencies", [](const CollectionStatistics& statistics) { return to_array(statistics.frequencies); },
            "Document frequencies of the terms that occur, falling.");
}

// What an engine has whose searches take parameters of their own.
template <class Engine, class Params>
void define_search(py::class_<Engine, Index>& engine) {
    using namespace py::literals;
    engine
        .def("search_with", &search<Engine, Params>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a,
             "progress"_a, "params"_a)
        .def("search_all_with", &search_all<Engine, Params>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a,
             "options"_a, "progress"_a, "params"_a)
        .def("search_one_with", &search_one<Engine, Params>, "terms"_a, "weights"_a, "k"_a, "params"_a)
        .def("own_search_params", &Engine::search_params, "A copy of the parameters of searches that are given none.")
        .def("with_search_params", &Engine::with_search_params, "params"_a);
}

py::dict describe(const py::bytes& path) {
    const IndexFile file = IndexFile::open(path, false, nullptr);
    py::list sections;
    for (const Section& section : file.sections()) {
        py::dict row;
        row["name"] = section.name;
        row["dtype"] = name_of(section.type);
        row["length"] = section.bytes.size() / size_of(section.type);
        row["offset"] = section.offset;
        row["nbytes"] = section.bytes.size();
        sections.append(row);
    }
    py::dict dict;
    dict["engine"] = file.engine();
    dict["format_version"] = file.format_version();
    dict["library_version"] = file.library_version();
    dict["params"] = to_dict(file.parameters());
    dict["sections"] = sections;
    return dict;
}

// Messages and names hold paths, which need not be UTF-8.
py::object decode_path(const char* text) { return py::reinterpret_steal<py::object>(PyUnicode_DecodeFSDefault(text)); }

PyObject* format_error = nullptr;  // the Python class, set once when the module is made

void translate_errors(std::exception_ptr error) {
    try {
        if (error) std::rethrow_exception(error);
    } catch (const FormatError& wrong_file) {
        PyErr_SetObject(format_error, decode_path(wrong_file.what()).ptr());
    } catch (const FileError& refused) {
        errno = refused.code().value();
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, decode_path(refused.path().c_str()).ptr());
    }
}

}  // namespace
}  // namespace thresher

PYBIND11_MODULE(_core_of_main_interpreter, module, py::mod_gil_not_used()) {
    using namespace py::literals;
    using thresher::BlockMaxIndex;
    using thresher::BlockMaxParams;
    using thresher::BlockMaxSearchParams;
    using thresher::ClusteredIndex;
    using thresher::ClusteredParams;
    using thresher::ClusteredSearchParams;
    using thresher::CollectedRows;
    using thresher::ExactIndex;
    using thresher::ExactParams;
    using thresher::GraphIndex;
    using thresher::GraphParams;
    using thresher::GraphSearchParams;
    using thresher::ImpactIndex;
    using thresher::ImpactSearchParams;
    using thresher::Index;
    using thresher::Monitor;
    using thresher::NoParams;
    using thresher::PostingsIndex;
    using thresher::PostingsSearchParams;
    using thresher::ScratchContext;
    using thresher::ScratchFiles;

    module.doc() = "The C++ core of thresher.";
    module.attr("__version__") = thresher::kLibraryVersion;
    thresher::format_error = PyErr_NewExceptionWithDoc(
        "thresher._core.FormatError", "A file that is not an index, is truncated or altered, or is of a newer format.",
        PyExc_ValueError, nullptr);
    if (thresher::format_error == nullptr) throw py::error_already_set();
    module.attr("FormatError") = py::handle(thresher::format_error);
    py::register_exception_translator(&thresher::translate_errors);

    thresher::kernels::active();  // a foreign THRESHER_ISA is an ImportError here, not a surprise at the first search
    module.def("isa", [] { return thresher::kernels::active().name; }, "The instruction set in use.");
    module.def("describe", &thresher::describe, "path"_a, "Header, parameters and sections of an index file.");
    py::enum_<thresher::Precision>(module, "Precision", "What an index keeps of the weights that it is given.")
        .value("FULL", thresher::Precision::full)
        .value("CODES", thresher::Precision::codes)
        .value("BOTH", thresher::Precision::both);
    thresher::define_selection(module);
    thresher::define_search_options(module);
    thresher::define_words(module);
    py::class_<Index>(module, "Index")
        .def_property_readonly("engine", &Index::engine)
        .def_property_readonly("n_docs", &Index::n_docs)
        .def_property_readonly("n_terms", &Index::n_terms)
        .def_property_readonly("nnz", &Index::nnz)
        .def_property_readonly("precision", &Index::precision)
        .def_property_readonly("max_error", &Index::max_error)
        .def_property_readonly("params", [](const Index& index) { return thresher::to_dict(index.parameters()); })
        .def_property_readonly("search_params",
                               [](const Index& index) { return thresher::to_dict(index.named_search_params()); })
        .def_property_readonly("nbytes",
                               [](const Index& index) {
                                   py::dict parts;
                                   for (const auto& [part, size] : index.nbytes()) parts[py::str(part)] = size;
                                   return parts;
                               })
        .def("search", &thresher::search<Index>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a,
             "progress"_a)
        .def("search_all", &thresher::search_all<Index>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a,
             "progress"_a)
        .def(
            "check",
            [](const Index& index, const thresher::Array<std::int64_t>& indptr,
               const thresher::Array<std::uint32_t>& indices, const thresher::Array<float>& data, std::uint64_t n_terms,
               const thresher::SearchOptions& options) {
                const auto queries = thresher::view(indptr, indices, data, n_terms);
                thresher::without_gil(py::none(), [&](Monitor*) { index.check(queries, options); });
            },
            "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a)
        .def("count", &thresher::count, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a, "progress"_a)
        .def(
            "select_mask",
            [](const Index& index, const thresher::Array<std::uint8_t>& mask, const std::string& name) {
                const auto selection = index.select(thresher::items(mask, name.c_str()), name.c_str());
                return std::const_pointer_cast<thresher::Selection>(selection);
            },
            "mask"_a, "name"_a)
        .def(
            "select_ids",
            [](const Index& index, const thresher::Array<std::int64_t>& ids, const std::string& name) {
                const auto selection = index.select(thresher::items(ids, name.c_str()), name.c_str());
                return std::const_pointer_cast<thresher::Selection>(selection);
            },
            "ids"_a, "name"_a)
        .def("search_one", &thresher::search_one<Index>, "terms"_a, "weights"_a, "k"_a)
        .def("vectors", &thresher::vectors, "ids"_a)
        .def_property_readonly("words", [](const Index& index) { return thresher::copied(index.words()); })
        .def_property_readonly("names", [](const Index& index) { return thresher::copied(index.names()); })
        .def("with_words", &Index::with_words, "words"_a, "names"_a)
        .def(
            "save",
            [](const Index& index, const py::bytes& path) {
                thresher::without_gil(py::none(),
                                      [&, name = std::string(path)](Monitor* monitor) { index.save(name, monitor); });
            },
            "path"_a);

    py::class_<ScratchFiles, std::shared_ptr<ScratchFiles>>(module, "ScratchFiles",
                                                            "A folder for temporary files without names.")
        .def(py::init([](const py::bytes& directory) { return std::make_shared<ScratchFiles>(directory); }),
             "directory"_a);
    py::class_<ScratchContext>(module, "ScratchScope", "Within it, large arrays of builds are in temporary files.")
        .def(py::init<std::shared_ptr<const ScratchFiles>>(), "files"_a)
        .def("__enter__", &ScratchContext::enter)
        .def("__exit__",
             [](ScratchContext& self, const py::object&, const py::object&, const py::object&) { self.leave(); });

    py::class_<CollectedRows>(module, "CollectedRows")
        .def(py::init([](const std::optional<std::shared_ptr<ScratchFiles>>& files) {
                 return CollectedRows(files ? files->get() : nullptr);
             }),
             "files"_a, "Rows in memory, or in temporary files.")
        .def_property_readonly("n_rows", &CollectedRows::n_rows)
        .def(
            "add",
            [](CollectedRows& rows, const thresher::Array<std::int64_t>& indptr,
               const thresher::Array<std::uint32_t>& indices, const thresher::Array<float>& data, std::uint64_t n_terms,
               const std::string& name, unsigned threads) {
                const auto part = thresher::view(indptr, indices, data, n_terms);
                thresher::without_gil(py::none(), [&](Monitor* monitor) {
                    thresher::Progress progress(monitor);
                    rows.add(part, name, threads, progress);
                });
            },
            "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "name"_a, "threads"_a)
        .def(
            "arrays",
            [](const py::object& self) {
                const auto rows = self.cast<const CollectedRows&>().view();
                const auto array = [&](const auto& items) {
                    return py::array(static_cast<py::ssize_t>(items.size()), items.data(), self);
                };
                return py::make_tuple(array(rows.indptr), array(rows.terms), array(rows.weights), rows.n_terms);
            },
            "indptr, indices, data (which point into the object until the next `add`) and the number of terms.");

    thresher::define_params<NoParams>(module, "NoParams");
    thresher::define_params<ExactParams>(module, "ExactParams");

    py::class_<ExactIndex, Index> exact(module, "ExactIndex");
    thresher::define_build<ExactIndex>(exact);

    thresher::define_params<BlockMaxParams>(module, "BlockMaxParams");

    thresher::define_params<BlockMaxSearchParams>(module, "BlockMaxSearchParams");

    py::class_<BlockMaxIndex, Index> block_max(module, "BlockMaxIndex");
    thresher::define_search<BlockMaxIndex, BlockMaxSearchParams>(block_max);
    thresher::define_build<BlockMaxIndex>(block_max);

    thresher::define_params<ClusteredParams>(module, "ClusteredParams");

    thresher::define_params<ClusteredSearchParams>(module, "ClusteredSearchParams");

    py::class_<ClusteredIndex, Index> clustered(module, "ClusteredIndex");
    thresher::define_search<ClusteredIndex, ClusteredSearchParams>(clustered);
    thresher::define_build<ClusteredIndex>(clustered);

    thresher::define_params<GraphParams>(module, "GraphParams");

    thresher::define_params<GraphSearchParams>(module, "GraphSearchParams");

    py::class_<GraphIndex, Index> graph(module, "GraphIndex");
    thresher::define_search<GraphIndex, GraphSearchParams>(graph);
    thresher::define_build<GraphIndex>(graph);
    graph.def(
        "edges", [](const GraphIndex& index, std::int64_t doc) { return thresher::to_array(index.edges(doc)); },
        "doc"_a);

    thresher::define_params<ImpactSearchParams>(module, "ImpactSearchParams");

    py::class_<ImpactIndex, Index> impact(module, "ImpactIndex");
    thresher::define_search<ImpactIndex, ImpactSearchParams>(impact);
    thresher::define_build<ImpactIndex>(impact);

    thresher::define_params<PostingsSearchParams>(module, "PostingsSearchParams");

    py::class_<PostingsIndex, Index> postings(module, "PostingsIndex");
    thresher::define_search<PostingsIndex, PostingsSearchParams>(postings);
    thresher::define_build<PostingsIndex>(postings);

    thresher::define_statistics(module);
    thresher::define_engine_entries(module);
    thresher::define_segments(module);

    module.def(
        "open_index",
        [](const py::bytes& path, bool verify) {
            return thresher::without_gil(py::none(), [&, name = std::string(path)](Monitor* monitor) {
                return thresher::open_index(name, verify, monitor);
            });
        },
        "path"_a, "verify"_a, "Map an index file of any engine.");
}

// pybind11 would wait here for ever for the GIL of the main interpreter, which this thread has (before Python 3.12).
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "thresher does not work in a subinterpreter");
        return nullptr;
    }
    return PyInit__core_of_main_interpreter();
}
