// How the time of a build grows where it is more than so much for each document.
#pragma once

namespace thresher {

// How much longer a document takes in a larger collection, as fractions of what it takes in a small one.
struct BuildGrowth {
    double doubling = 0;  // in one of twice the size
    double million = 0;   // with each million of documents

    bool is_linear() const noexcept { return doubling == 0 && million == 0; }
};

}  // namespace thresher
