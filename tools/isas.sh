#!/usr/bin/env bash
# Prints the instruction sets of this machine that kernels exist for, best first: what THRESHER_ISA may ask of it.
has() { for flag; do grep -qw -- "$flag" /proc/cpuinfo 2>/dev/null || return 1; done; }
if has avx2 fma bmi2; then
    if has avx512f avx512bw avx512vl avx512dq avx512vbmi avx512_vbmi2; then echo avx512; fi
    echo avx2
fi
echo scalar
