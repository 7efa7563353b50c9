// What parts of an index are made from: documents, or groups of them, and the postings of each.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "posting.hpp"

namespace thresher {

struct PostingSource {
    std::size_t n;
    // Overwrites `postings` with item i's, in any order, a slot at most once; called from several threads at once.
    std::function<void(std::size_t i, std::vector<Posting>& postings)> read;
};

}  // namespace thresher
