// What a call refuses, in its own words.
#pragma once

#include <stdexcept>
#include <string>

namespace thresher::test {

// The message of the std::invalid_argument that `call` throws, or "no error".
template <class Call>
std::string error_of(const Call& call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace thresher::test
