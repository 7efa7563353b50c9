#!/usr/bin/env bash
# Prints the newest clang++ here that can link a sanitized fuzzer, which needs its runtime (Debian: libclang-rt-*-dev).
for clang in clang++ clang++-{20..14}; do
    echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
        "$clang" -fsanitize=address,undefined,fuzzer -x c++ - -o /dev/null 2>/dev/null && exec which "$clang"
done
