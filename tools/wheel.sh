#!/usr/bin/env bash
# Repairs a wheel to manylinux_2_28 into wheelhouse/, installs it alone into an empty environment and runs the smoke test
# there. Usage: tools/wheel.sh PYTHON WHEEL, an interpreter that has the `dev` extra, and a wheel with THRESHER_PORTABLE.
set -euo pipefail
python=$(realpath --no-symlinks "$1")
export PATH="$(dirname "$python"):$PATH" PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rm -rf wheelhouse
"$python" -m auditwheel repair --only-plat --plat "manylinux_2_28_$(uname -m)" --wheel-dir wheelhouse "$2" \
    >"$work/auditwheel.log" 2>&1 || { cat "$work/auditwheel.log" >&2; exit 1; }

listing=$("$python" -m zipfile --list wheelhouse/*.whl | tail -n +2)
if grep -E '^[^ ]*\.(a|cpp|hpp|cmake) ' <<<"$listing"; then
    echo "these belong to C++ users, not into a wheel" >&2
    exit 1
fi
if grep -vE '^(thresher|_thresher_command|thresher\.libs|thresher-[0-9.]+\.dist-info)/' <<<"$listing"; then
    echo "a wheel of thresher installs nothing but thresher and where its command starts" >&2
    exit 1
fi

"$python" -m venv "$work/empty"
"$work/empty/bin/pip" install -qq wheelhouse/*.whl
cd "$work"  # so that nothing of the source tree is importable
"$work/empty/bin/python" "$OLDPWD/tests/smoke.py"
du --bytes "$OLDPWD"/wheelhouse/*.whl
