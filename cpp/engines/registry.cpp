#include "registry.hpp"

#include <deque>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "block_max_index.hpp"
#include "clustered_index.hpp"
#include "engine_entry.hpp"
#include "exact_index.hpp"
#include "graph_index.hpp"
#include "impact_index.hpp"
#include "postings_index.hpp"

namespace thresher {

namespace {

// Entries are added and never removed: references to them stay.
struct Registry {
    std::mutex mutex;
    std::deque<EngineEntry> entries{entry_of<ExactIndex>(), entry_of<BlockMaxIndex>(), entry_of<ClusteredIndex>(),
                                    entry_of<GraphIndex>(), entry_of<ImpactIndex>(),   entry_of<PostingsIndex>()};

    const EngineEntry* find(std::string_view name) const {
        for (const EngineEntry& entry : entries) {
            if (entry.name == name) return &entry;
        }
        return nullptr;
    }
};

Registry& registry() {
    static Registry the_one;
    return the_one;
}

const EngineEntry* find(std::string_view name) {
    const std::lock_guard lock(registry().mutex);
    return registry().find(name);
}

}  // namespace

std::vector<std::string_view> engine_names() {
    const std::lock_guard lock(registry().mutex);
    std::vector<std::string_view> names;
    for (const EngineEntry& entry : registry().entries) names.push_back(entry.name);
    return names;
}

const EngineEntry& engine_named(std::string_view name) {
    const EngineEntry* const entry = find(name);
    if (entry == nullptr) throw std::invalid_argument("there is no engine '" + std::string(name) + "'");
    return *entry;
}

void register_engine(EngineEntry entry) {
    const std::lock_guard lock(registry().mutex);
    if (registry().find(entry.name) != nullptr) {
        throw std::invalid_argument("there is an engine '" + entry.name + "' already");
    }
    registry().entries.push_back(std::move(entry));
}

std::unique_ptr<Index> build_index(std::string_view name, const Documents& docs, const NamedValues& params,
                                   const BuildOptions& options) {
    return engine_named(name).build(docs, params, options);
}

std::unique_ptr<Index> open_index(const std::string& path, bool verify, Monitor* monitor) {
    const IndexFile file = IndexFile::open(path, verify, monitor);
    const EngineEntry* const entry = find(file.engine());
    file.require(entry != nullptr, "written for the engine '" + file.engine() + "', which this library does not have");
    return entry->load(file);
}

}  // namespace thresher
