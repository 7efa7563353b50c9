// The command line of thresher-bigann.
#pragma once

#include <cstddef>
#include <string>

namespace thresher::bench {

struct Arguments {
    std::string base;
    std::string queries;
    std::string truth;
    std::string engine;
    std::string points;
    std::string index;
    std::size_t k = 10;
    unsigned threads = 1;        // of a batch of queries; 0: one for each core
    unsigned build_threads = 0;  // the same, of a build
    unsigned repeats = 5;
    bool help = false;
};

std::string usage();

// Throws std::invalid_argument, with a message of one line.
Arguments parse_arguments(int argc, char** argv);

}  // namespace thresher::bench
