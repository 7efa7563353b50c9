// What a build of any engine may be told beside the documents and the engine's own parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "../core/base/monitor.hpp"
#include "../core/documents/precision.hpp"

namespace thresher {

struct BuildOptions {
    // The documents, each once, in the order to store them in, for engines that can: blocks and clusters are cut from
    // it. None: the engine's own.
    std::optional<std::span<const std::uint32_t>> order = {};  // NOLINT(readability-redundant-member-init)
    Precision precision = Precision::full;
    unsigned threads = 0;        // 0: one for each core
    Monitor* monitor = nullptr;  // borrowed
};

}  // namespace thresher
