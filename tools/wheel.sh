#!/usr/bin/env bash
# Builds the wheel into wheelhouse/, repairs it to manylinux_2_28, installs it alone into an empty environment and runs
# the smoke test there. Usage: tools/wheel.sh PYTHON, an interpreter that has the `dev` extra.
set -euo pipefail
python=$(realpath --no-symlinks "$1")
export PATH="$(dirname "$python"):$PATH" PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

platform=manylinux_2_28_$(uname -m)
"$python" -m pip wheel -qq --no-deps --no-build-isolation --wheel-dir "$work" \
    --config-settings=cmake.define.THRESHER_PORTABLE=ON --config-settings="build-dir=build/portable" .
rm -rf wheelhouse
"$python" -m auditwheel repair --only-plat --plat "$platform" --wheel-dir wheelhouse "$work"/thresher-*.whl \
    >"$work/auditwheel.log" 2>&1 || { cat "$work/auditwheel.log" >&2; exit 1; }

listing=$("$python" -m zipfile --list wheelhouse/*.whl | tail -n +2)
if grep -E '^[^ ]*\.(a|cpp|hpp|cmake) ' <<<"$listing"; then
    echo "these belong to C++ users, not into a wheel" >&2
    exit 1
fi
if grep -vE '^(thresher|thresher\.libs|thresher-[0-9.]+\.dist-info)/' <<<"$listing"; then
    echo "a wheel of thresher installs nothing but thresher" >&2
    exit 1
fi

"$python" -m venv "$work/empty"
"$work/empty/bin/pip" install -qq wheelhouse/*.whl
cd "$work"  # so that nothing of the source tree is importable
"$work/empty/bin/python" "$OLDPWD/tests/smoke.py"
du --bytes "$OLDPWD"/wheelhouse/*.whl
