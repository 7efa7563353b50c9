#!/usr/bin/env bash
# Prints the newest clang++ here that compiles our C++20, for which it must be 16 or newer, and can link a sanitized fuzzer,
# which needs its runtime (Debian: libclang-rt-*-dev).
program='#include <utility>
extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) {
    const auto [zero, one] = std::pair(0, 1);
    return [&] { return zero; }();
}'
for clang in clang++ clang++-{21..16}; do
    "$clang" -std=c++20 -fsanitize=address,undefined,fuzzer -x c++ - -o /dev/null 2>/dev/null <<<"$program" &&
        exec which "$clang"
done
