#!/usr/bin/env bash
# Sees to GoogleTest for the C++ tests: the system's, or Debian's package, which root installs and anybody else unpacks
# into FOLDER, where tests/cpp/CMakeLists.txt looks too. Says in a line why there is none, and fails.
# Usage: tools/googletest.sh FOLDER
set -euo pipefail
folder=$(realpath --canonicalize-missing "$1")
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
cat >"$probe/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.24)
project(probe CXX)
list(APPEND CMAKE_PREFIX_PATH "$folder/usr")
find_package(GTest REQUIRED)
END
found() { cmake -G Ninja -S "$probe" -B "$probe/build" >/dev/null 2>&1; }

install() {
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends libgtest-dev
}
unpack() {
    (cd "$probe" && apt-get -qq download libgtest-dev)
    rm -rf "$folder"
    dpkg-deb --extract "$probe"/libgtest-dev_*.deb "$folder"
}

found && exit
if command -v apt-get dpkg-deb >/dev/null; then
    echo "getting GoogleTest (Debian: libgtest-dev)" >&2
    if [[ $(id -u) == 0 ]]; then install; else unpack; fi >"$folder.log" 2>&1 || true
    found && exit
fi
echo "no GoogleTest here (Debian: apt-get install libgtest-dev)"
exit 1
