// All of the library that is public: an index is built or opened under its engine's name, searched and saved.
//
//   const auto index = thresher::build_index("clustered", docs);
//   const thresher::Hits hits = index->search(queries, {.k = 10});
#pragma once

#include "core/base/error.hpp"
#include "core/base/monitor.hpp"
#include "core/base/version.hpp"
#include "core/documents/csr_view.hpp"
#include "core/documents/documents.hpp"
#include "core/selection/hits.hpp"
#include "core/selection/selection.hpp"
#include "core/storage/named_values.hpp"
#include "core/storage/words.hpp"
#include "engines/index.hpp"
#include "engines/registry.hpp"
#include "engines/search_options.hpp"
