# Everything a developer types. Needs Python 3.11 or newer, a C++20 compiler and make; the rest comes into .venv by pip.
PYTHON    ?= python3
VENV      ?= .venv
FUZZ_RUNS ?= 100000

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory
export PATH := $(abspath $(VENV))/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export Q

python := $(VENV)/bin/python
pip    := $(python) -m pip install -qq
ready  := $(VENV)/.ready
isas   := $(shell tools/isas.sh)
cores  := $(shell nproc 2>/dev/null || echo 2)
cxx     = $(shell find cpp examples tests benchmarks cmake -name '*.[ch]pp' -o -name '*.inc')
native := pyproject.toml CMakeLists.txt $(wildcard cmake/*) $(shell find cpp -type f)

help:  ## list the targets
	@sed -En 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# ---- One virtual environment: the package installed editable, what the targets need besides added as they ask for it.

$(ready)/tools: pyproject.toml
	@echo "setting up $(VENV)" >&2
	@test -x $(python) || $(PYTHON) -m venv $(VENV)
	@$(pip) -r <($(python) tools/requirements.py build) "cmake>=3.24" ninja
	@mkdir -p $(@D) build && touch $@

# The one header that the C++ benchmark takes from others.
$(ready)/json: $(ready)/tools
	@$(pip) --no-deps nlohmann-json==3.12.0
	@touch $@

$(ready)/package: $(ready)/tools $(native)
	@echo "building thresher"
	@$(pip) --no-build-isolation --editable .
	@touch $@

$(ready)/cli: $(ready)/package
	@echo "installing what the command needs"
	@$(pip) -r <($(python) tools/requirements.py $(@F))
	@touch $@

$(ready)/test $(ready)/dev: $(ready)/package benchmarks/pyproject.toml
	@echo "installing what '$(@F)' needs"
	@$(pip) -r <($(python) tools/requirements.py $(@F)) --no-build-isolation --editable benchmarks
	@touch $(@D)/cli $(@D)/test $@

# The lightest peer of the benchmarks.
$(ready)/peer: $(ready)/package
	@$(pip) $$(grep -o 'sparse-dot-topn==[0-9.]*' benchmarks/pyproject.toml)
	@touch $@

$(ready)/torch: $(ready)/test
	@echo "installing torch"
	@$(pip) torch==2.13.0
	@touch $@

# ---- Search.

demo: $(ready)/cli  ## search the documentation of Python and installed packages: make demo Q="parse dates"
	@$(VENV)/bin/thresher demo $${Q:+-- "$$Q"}

# ---- Tests.

test: test-cpp test-python  ## every test; those of kernels on each instruction set of this machine

test-cpp: $(ready)/json  ## the C++ tests alone
	@if cmake --preset dev >build/dev.log 2>&1; then \
	   cmake --build --preset dev -- --quiet; \
	   for isa in $(isas); do echo "C++ tests, $$isa"; THRESHER_ISA=$$isa ctest --preset dev --progress --parallel $(cores); done; \
	 elif grep -qi googletest build/dev.log; then \
	   echo "C++ tests left out: no GoogleTest here (Debian: apt-get install libgtest-dev)"; \
	 else cat build/dev.log; exit 1; fi

test-python: $(ready)/test  ## the Python tests alone
	@echo "Python tests, $(firstword $(isas))"; THRESHER_ISA=$(firstword $(isas)) pytest -q -n auto
	@for isa in $(wordlist 2,9,$(isas)); do \
	   echo "Python tests of kernels, $$isa"; THRESHER_ISA=$$isa pytest -q -n auto -m kernels; \
	 done

test-integrations: $(ready)/torch  ## the tests that need torch; none may be skipped
	@pytest -q -m integration -rs | tee build/integrations.log
	@! grep -E '\b[0-9]+ skipped' build/integrations.log

test-benchmarks: $(ready)/test $(ready)/json $(ready)/peer  ## all the benchmarks on a tiny collection, their output checked
	@$(python) tests/benchmarks.py

sanitize: $(ready)/json  ## the C++ tests under ASan and UBSan, then those that start threads under TSan
	@for preset in asan-ubsan tsan; do \
	   echo "C++ tests, $$preset"; \
	   cmake --preset $$preset >build/$$preset.log 2>&1 || { cat build/$$preset.log; exit 1; }; \
	   cmake --build --preset $$preset -- --quiet; \
	   $(no_aslr) ctest --preset $$preset --progress --parallel $(cores); \
	 done
# ThreadSanitizer's memory layout collides with the address randomisation of newer kernels.
no_aslr := $(shell setarch -R true 2>/dev/null && echo setarch -R)

fuzz: $(ready)/tools  ## FUZZ_RUNS altered index files against the loader (libFuzzer where there is clang)
	@cmake --preset fuzz $(addprefix -DCMAKE_CXX_COMPILER=,$(clang)) >build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }
	@cmake --build --preset fuzz -- --quiet
	@rm -rf build/fuzz/seeds && build/fuzz/tests/fuzz/make_seeds build/fuzz/seeds
	@mkdir -p build/fuzz/corpus
	@build/fuzz/tests/fuzz/fuzz_index_file -runs=$(FUZZ_RUNS) -seed=1 -verbosity=0 -print_final_stats=1 \
	   -artifact_prefix=build/fuzz/ build/fuzz/corpus build/fuzz/seeds $(wildcard tests/fuzz/regressions)
clang := $(firstword $(notdir $(wildcard $(addprefix /usr/bin/clang++,-19 -18 -17 -16 -15 -14))))

# ---- Style.

lint: $(ready)/dev  ## ruff, mypy, clang-format, and the stub against the module
	@ruff check --quiet . && ruff format --quiet --check .
	@mypy --no-error-summary
	@clang-format --dry-run -Werror $(cxx)
	@$(python) tools/stub.py --check
	@echo "lint: clean"

format: $(ready)/dev  ## rewrite Python and C++ sources in the project's style
	@ruff check --quiet --fix . ; ruff format --quiet .
	@clang-format -i $(cxx)

stubs: $(ready)/dev  ## regenerate python/thresher/_core.pyi
	@$(python) tools/stub.py

tidy: $(ready)/dev $(ready)/json  ## clang-tidy over the C++ sources
	@cmake --preset tidy >build/tidy.log 2>&1 || { cat build/tidy.log; exit 1; }
	@cmake --build --preset tidy

# ---- What ships.

wheel: $(ready)/dev  ## a manylinux_2_28 wheel in wheelhouse/, smoke-tested in an empty environment
	@tools/wheel.sh $(python)

# ---- Measurements in C++.

# Nothing but the program's lines may come out on stdout.
bigann: $(ready)/json  ## recall, QPS and latency: make bigann BASE=b.csr QUERIES=q.csr TRUTH=t.gt ENGINE=clustered THREADS=1
	@$(configure_release) >&2
	@cmake --build --preset release --target thresher-bigann -- --quiet >&2
	@build/release/benchmarks/cpp/thresher-bigann $(foreach name,$(bigann_options),$(call given,$(name)))
bigann_options := base queries truth engine points index k threads build-threads repeats
# --name "$NAME", if that is set.
given = $${$(call variable,$(1)):+--$(1) "$$$(call variable,$(1))"}
variable = $(shell echo $(1) | tr a-z- A-Z_)
configure_release := cmake --preset release >build/release.log 2>&1 || { cat build/release.log; exit 1; }

bench-kernels: $(ready)/json  ## time an element and GB/s of every kernel on each instruction set
	@$(configure_release)
	@if grep -q '^benchmark_DIR:PATH=.*NOTFOUND' build/release/CMakeCache.txt; then \
	   echo "the kernels are measured with Google Benchmark (Debian: apt-get install libbenchmark-dev)" >&2; exit 1; \
	 fi
	@cmake --build --preset release --target kernel_bench -- --quiet
	@build/release/benchmarks/cpp/kernel_bench

clean:  ## remove the virtual environment and everything built
	rm -rf $(VENV) build dist wheelhouse .hypothesis .mypy_cache .pytest_cache .ruff_cache

.PHONY: help demo test test-cpp test-python test-integrations test-benchmarks sanitize fuzz lint format stubs tidy wheel \
        bigann bench-kernels clean
