# `make` lists the goals. Each goal installs what it needs, does nothing twice, and says what it could not do.

SHELL := /bin/bash
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
MODEL ?= Models/digits/model.onnx
RELEASE := .build-release
FORMATTED := Package.swift Sources Tests Benchmarks Examples
FX := $(RELEASE)/release/fx
comma := ,
space := $(subst ,, )
export JOBS

# What the tests read: an interpreter with NumPy, ONNX and ONNX Runtime, and ONNX's own cases as files.
export FX_CASES := $(CURDIR)/.cache/cases
TEST_INPUTS = FX_PYTHON="$$(scripts/python-env.sh python)" && export FX_PYTHON && \
  "$$FX_PYTHON" scripts/onnx-cases.py "$(FX_CASES)"

.DEFAULT_GOAL := help
.PHONY: help deps build run test counts parity gradients conformance validate bits endurance tables passes exports hostile fuzz \
  fuzz-address fuzz-readers fuzz-passes fuzz-distributed distributed big models bench bench-families integer neon quantization \
  bench-graph codegen codegen-native bench-compiled onnx-to-pytorch bench-passes views examples serve-bench walk api release \
  layers consumer lint format sanitize coverage docs digits clean

help: ## list the goals
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the system packages that building and testing need
	@scripts/deps.sh test

build: ## build fx into .build-release/release
	@scripts/deps.sh build
	@swift build -c release -j $(JOBS) --scratch-path $(RELEASE) --product fx

run: build ## build, then inspect, optimize, run, export and profile a model (MODEL=path.onnx, else the shipped digits)
	@$(FX) demo "$(MODEL)"

test: ## run the tests (FILTER=regex for some of them); ends with `N passed, N failed`
	@scripts/deps.sh test
	@python3 scripts/check-layers.py
	@$(if $(FILTER),,$(MAKE) --no-print-directory counts)
	@$(TEST_INPUTS) && scripts/test.sh $(if $(FILTER),--filter "$(FILTER)")

counts: build ## calls for memory per run and instructions of kernels, beside what they may be
	@scripts/deps.sh counts
	@python3 scripts/check-counts.py $(FX)

parity: ## compare the networks of Tests/FXTraceTests/Models with PyTorch at larger sizes (takes 6 GB of disk)
	@scripts/deps.sh test
	@"$$(scripts/python-env.sh exporters)" scripts/make-parity-cases.py .cache/parity
	@FX_PARITY="$(CURDIR)/.cache/parity" scripts/test.sh --filter ParityTests

gradients: ## write PyTorch's gradients of the core operators for the tests again
	@scripts/deps.sh test
	@"$$(scripts/python-env.sh exporters)" scripts/make-gradient-cases.py

codegen: build ## generated programs run by NumPy, PyTorch, XLA and LibTorch: ONNX's cases, then whole models (takes 2 GB of disk)
	@scripts/deps.sh test
	@$(TEST_INPUTS) && FX_CODEGEN_PYTHON="$$(scripts/python-env.sh codegen)" && export FX_CODEGEN_PYTHON && \
	  "$$FX_CODEGEN_PYTHON" scripts/check-torch-names.py docs/Operators.md && \
	  GOAL=$@ scripts/test.sh --filter ProgramTests && \
	  scripts/codegen.sh $(FX) "$$FX_CODEGEN_PYTHON" Models $(wildcard .cache/models)

codegen-native: build ## all of ONNX's cases as C++ (with sanitizers too), CUDA and TensorRT programs; models as programs and libraries
	@scripts/deps.sh test
	@$(TEST_INPUTS) && cuda="$$(scripts/python-env.sh cuda)" && \
	  FX_NVCC="$$(find "$$(dirname "$$cuda")/.." -name nvcc -type f | head -1)" && export FX_NVCC FX_NATIVE=1 && \
	  GOAL=$@ scripts/test.sh --filter 'NativeCaseTests|TensorRTTests|CompiledModelTests' && \
	  FX_NATIVE_FLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all" scripts/test.sh --filter NativeCaseTests/stdCpp || exit 1; \
	  python="$$(scripts/python-env.sh python)"; status=0; \
	  "$$python" scripts/check-native.py $(FX) sanitized $(NATIVE_MODELS) || status=1; \
	  "$$python" scripts/check-native.py $(FX) nvcc $(NATIVE_MODELS) || status=1; \
	  "$$python" scripts/check-native.py $(FX) shim $(NATIVE_MODELS) || status=1; \
	  "$$python" Benchmarks/compiled/compare.py $(FX) $(NATIVE_MODELS) || status=1; exit $$status

# The models that native programs are made of.
NATIVE_MODELS = Models/digits $(wildcard $(addprefix .cache/models/,mlp_mnist lenet resnet18 mobilenet_v2 deit_tiny bert_mini \
  lstm_classifier torch_cond os_loop_if scan_rnn torch_scan ts_loop_if_ts))

bench-compiled: build ## libraries of `fx compile` beside our runtime and ONNX Runtime: the table of docs/NativeCode.md (after `make models`)
	@scripts/deps.sh test
	@"$$(scripts/python-env.sh python)" Benchmarks/compiled/compare.py $(FX) $(NATIVE_MODELS) --times --markdown docs/NativeCode.md

onnx-to-pytorch: build ## PyTorch source of every model of `make models` loads its weights and equals ONNX Runtime: the table of docs/CodeGeneration.md
	@scripts/deps.sh test
	@"$$(scripts/python-env.sh exporters)" scripts/check-pytorch.py $(FX) .cache/models --markdown docs/CodeGeneration.md

conformance: build ## run ONNX's own cases in every mode and write docs/Conformance.md (or CASES=folder, such as .cache/models)
	@scripts/deps.sh test
ifdef CASES
	@scripts/conformance.sh $(FX) $(CASES)
else
	@$(TEST_INPUTS) && RESULTS=.cache/conformance scripts/conformance.sh $(FX) "$(FX_CASES)"; status=$$?; \
	python3 scripts/conformance-report.py .cache/conformance docs/Conformance.md && exit $$status
endif

validate: build ## optimize the models of Models and `make models` at both levels, outputs compared after every pass
	@scripts/validate-models.sh $(FX) $(or $(CASES),Models $(wildcard .cache/models))

endurance: build ## 100,000 runs of the small models without growth of memory; disks that are full or may not be written
	@python3 scripts/check-endurance.py $(FX) Models $(wildcard .cache/models)

bits: build ## the models of Models and `make models` give the same bits at every number of threads, and in every run
	@scripts/check-bits.sh $(FX) $(or $(CASES),Models $(wildcard .cache/models))

passes: ## write what docs/Passes.md says of each pass from the passes' comments
	@scripts/deps.sh build
	@FX_WRITE_DOCS=1 scripts/test.sh --filter documentationIsCurrent

tables: build ## write docs/Operators.md: what each layer knows of every operator
	@$(FX) ops --markdown >docs/Operators.md

exports: build ## write the models of Models and `make models` as ONNX; ONNX's checker and ONNX Runtime judge the files
	@scripts/deps.sh test
	@python="$$(scripts/python-env.sh python)"; folders="$(or $(CASES),Models $(wildcard .cache/models))"; status=0; \
	"$$python" scripts/check-exports.py $(FX) $$folders || status=1; \
	"$$python" scripts/check-exports.py $(FX) $$folders --optimized || status=1; exit $$status

hostile: ## give fx, built with the address sanitizer, damaged and hostile files of every format (COUNT=100 of each)
	@scripts/deps.sh test
	@swift build -j $(JOBS) -Xcc -O2 --sanitize=address --scratch-path .build-address --product fx
	@"$$(scripts/python-env.sh python)" scripts/check-hostile.py .build-address/debug/fx --sanitized --count $(or $(COUNT),100)

fuzz: ## mutated models through import, verification and compilation, each timed and weighed (COUNT=200000, SEED=1)
	@scripts/deps.sh test
	@$(TEST_INPUTS)
	@swift build -c release -j $(JOBS) --scratch-path $(RELEASE) --product fx-fuzz
	@$(RELEASE)/release/fx-fuzz Models "$(FX_CASES)" $(wildcard .cache/models) --count $(or $(COUNT),200000) --seed $(or $(SEED),1) \
	  --workers $(JOBS)

fuzz-address: ## the same under the address sanitizer, where memory is not weighed (COUNT=20000, SEED=1)
	@scripts/deps.sh test
	@$(TEST_INPUTS)
	@swift build -j $(JOBS) -Xcc -O2 --sanitize=address --scratch-path .build-address --product fx-fuzz
	@ASAN_OPTIONS=detect_leaks=0 .build-address/debug/fx-fuzz Models "$(FX_CASES)" $(wildcard .cache/models) \
	  --count $(or $(COUNT),20000) --seed $(or $(SEED),1) --workers $(JOBS)

fuzz-readers: build ## libFuzzer with the address sanitizer on every reader (COUNT=1450000 runs of each, READERS="npy onnx")
	@scripts/deps.sh test
	@$(TEST_INPUTS)
	@swift build -c release -j $(JOBS) --package-path Tests/Fuzzing --scratch-path .build-fuzz -Xswiftc -sanitize=fuzzer$(comma)address \
	  -Xcc -fsanitize=fuzzer-no-link$(comma)address -Xswiftc -use-ld=lld
	@scripts/fuzz-readers.sh .build-fuzz/release/readers-fuzz $(FX) "$(FX_CASES)" $(or $(COUNT),1450000) $(READERS)

fuzz-passes: ## random graphs through every pass, the pipelines and the CPU backend, compared with the reference (COUNT=5000, SEED=1)
	@scripts/deps.sh build
	@swift build -c release -j $(JOBS) --scratch-path $(RELEASE) --product fx-fuzz
	@$(RELEASE)/release/fx-fuzz passes --count $(or $(COUNT),5000) --seed $(or $(SEED),1) --workers $(JOBS)

fuzz-distributed: ## random graphs on random meshes, ranks as threads, compared with one rank (COUNT=1000, SEED=1)
	@scripts/deps.sh test
	@FX_DISTRIBUTED_COUNT=$(or $(COUNT),1000) FX_DISTRIBUTED_SEED=$(or $(SEED),1) scripts/test.sh --filter RandomPlanTests

distributed: ## real processes over MPI beside one: strategies, training, faults, restart, hosts as network namespaces
	@scripts/deps.sh distributed
	@swift build -c release -j $(JOBS) --traits OpenBLAS,MPI --scratch-path .build-mpi --product fx
	@swift build -c release -j $(JOBS) --traits OpenBLAS,MPI --scratch-path .build-mpi --product fx-ranks
	@"$$(scripts/python-env.sh python)" scripts/check-distributed.py .build-mpi/release/fx .build-mpi/release/fx-ranks \
	  Models/digits $(wildcard $(addprefix .cache/models/,mlp_mnist resnet18 bert_mini gpt2))

big: build ## memory that a model of 500 MB takes to open and to convert
	@scripts/deps.sh test
	@"$$(scripts/python-env.sh python)" scripts/check-big-model.py $(FX)

models: ## export the open models to .cache/models (MODELS="lenet gpt2" for some; the exporters take 6 GB of disk)
	@scripts/deps.sh test
	@"$$(scripts/python-env.sh exporters)" Benchmarks/models/export.py $(MODELS)

bench: build ## time, memory and start-up beside ONNX Runtime, after `make models` on those too; THREADS=2 BATCH=8 OTHERS="openvino torch" MODELS="gpt2"
	@scripts/deps.sh test
	@"$$(scripts/python-env.sh $(if $(OTHERS),exporters,python))" Benchmarks/compare.py $(FX) Models $(wildcard .cache/models) \
	  --threads $(or $(THREADS),1) --batch $(or $(BATCH),1) --markdown docs/Performance.md \
	  --table "$(or $(THREADS),1) threads$(comma) batch $(or $(BATCH),1)$(if $(OTHERS),$(comma) others)$(if $(MODELS),$(comma) some)" \
	  $(if $(OTHERS),--others $(subst $(space),$(comma),$(strip $(OTHERS)))) \
	  $(if $(MODELS),--models "$(subst $(space),$(comma),$(strip $(MODELS)))")

bench-families: build ## what share of the machine each operator family reaches: a table of docs/Performance.md (after `make models`)
	@scripts/deps.sh test
	@"$$(scripts/python-env.sh python)" Benchmarks/families.py $(FX) Models $(wildcard .cache/models) --markdown docs/Performance.md

integer: build ## models quantized by ONNX Runtime and PyTorch: roundings, outputs on 200 inputs, times (after `make models`; NAMES="resnet50")
	@scripts/deps.sh test
	@python="$$(scripts/python-env.sh exporters)" && \
	  "$$python" Benchmarks/integer/quantize.py Models .cache/integer && \
	  "$$python" Benchmarks/integer/quantize.py .cache/models .cache/integer && \
	  "$$python" Benchmarks/integer/pytorch.py .cache/integer && \
	  "$$python" Benchmarks/integer/layers.py $(FX) \
	    $$(ls .cache/integer/*/model.onnx | grep -E '/(digits|lenet|resnet18|mobilenet_v2|resnet50)\.(qdq|s8|pt2e|qoperator)/') && \
	  "$$python" Benchmarks/integer/decoding.py $(FX) .cache/models; status=$$?; \
	  "$$python" Benchmarks/integer/check.py $(FX) .cache/models .cache/integer $(NAMES) && exit $$status

neon: ## the C kernels for arm64, run by QEMU with and without dot products, and AVX2's and AVX-512's, beside the portable ones
	@scripts/deps.sh neon
	@scripts/check-neon.sh .cache/neon

bench-graph: ## time of graph tooling from 10,000 to 1,000,000 nodes, beside torch.fx after `make models`
	@scripts/deps.sh build
	@swift build -c release -j $(JOBS) --package-path Benchmarks/graph --scratch-path .build-graph
	@.build-graph/release/graph-bench
	@if [ -e .cache/exporters/.stamp ]; then \
	  .cache/exporters/bin/python Benchmarks/graph/compare.py .build-graph/release/graph-bench; fi

bench-passes: build ## nodes left and time taken beside ONNX Runtime, onnxsim and torch.fx, on what `make models` made
	@scripts/deps.sh test
	@swift build -c release -j $(JOBS) --package-path Benchmarks/graph --scratch-path .build-graph
	@python="$$(scripts/python-env.sh passes)"; status=0; \
	"$$python" Benchmarks/passes/node_counts.py $(FX) Models $(wildcard .cache/models) || status=1; \
	"$$python" Benchmarks/passes/speed.py $(FX) .build-graph/release/graph-bench \
	  $(firstword $(wildcard .cache/models/bert_base/model.onnx) Models/digits/model.onnx) \
	  $(if $(wildcard .cache/exporters/.stamp),--torch .cache/exporters/bin/python) || status=1; exit $$status

quantization: build ## trained networks in few bits, and our quantizer beside ONNX Runtime's: the tables of docs/Quantization.md
	@scripts/deps.sh test
	@FX_QUANTIZATION=1 FX_WRITE_DOCS=1 scripts/test.sh --filter 'QuantizationAwareTrainingTests/table'
	@"$$(scripts/python-env.sh exporters)" Benchmarks/quantization/embeddings.py $(FX) --markdown docs/Quantization.md
	@"$$(scripts/python-env.sh python)" Benchmarks/quantization/compare.py $(FX) $(or $(wildcard .cache/models),Models) \
	  --models "$(subst $(space),$(comma),$(or $(strip $(MODELS)),$(QUANTIZED_MODELS)))" \
	  $(if $(MODELS),,--markdown docs/Quantization.md)

# The models that our quantizer is compared with ONNX Runtime's on.
QUANTIZED_MODELS = bert_base bert_mini deit_tiny digits lenet mlp_mnist mobilenet_v2 resnet18 resnet50 squeezenet1_1

views: build ## draw models; Graphviz and headless Chromium judge the drawings (.cache/views keeps them, with screenshots)
	@scripts/deps.sh views
	@python3 scripts/check-views.py $(FX) .cache/views Models/digits/model.onnx \
	  $(foreach name,resnet50 gpt2,$(wildcard .cache/models/$(name)/model.onnx))

examples: ## build, test and run the packages under Examples, which depend on this one as anybody's would (EXAMPLES="TinyTrace" for some)
	@scripts/deps.sh test
	@scripts/examples.sh $(EXAMPLES)

serve-bench: ## the image server of Examples under wrk: answers, latencies, refusals, memory, its end; beside one over ONNX Runtime (DURATION=60)
	@scripts/deps.sh serve
	@swift build -c release -j $(JOBS) --package-path Examples/ImageServer --scratch-path .build-examples --product image-server
	@python3 scripts/serve-bench.py .build-examples/release/image-server Models/digits --seconds $(or $(DURATION),60) \
	  --beside "$$(scripts/python-env.sh serve)"

walk: build ## what a newcomer does, timed: run, optimize, quantize and export a model, trace one, write a pass
	@scripts/walk.sh $(FX)

api: ## changes of the public interface since a commit or tag that break programs (SINCE=v0.1.0)
	@swift package --scratch-path .build-api diagnose-api-breaking-changes $(or $(SINCE),$(shell git describe --tags --abbrev=0 2>/dev/null || git rev-parse HEAD~1))

release: ## archives of the sources and of a static fx, the same bytes every time, in .build-dist
	@scripts/deps.sh build
	@scripts/release.sh

layers: ## check that sources import only what Package.swift declares and the layers allow
	@python3 scripts/check-layers.py --self-test
	@python3 scripts/check-layers.py

consumer: ## check that a fresh package can depend on a version of this one, and what its program links
	@scripts/deps.sh build
	@scripts/check-consumer.sh

lint: ## check formatting and file lengths
	@swift format lint --strict --parallel --recursive $(FORMATTED)
	@scripts/check-lengths.sh

format: ## format every Swift file in place
	@swift format format --in-place --parallel --recursive $(FORMATTED)

sanitize: ## run the tests under the address and the thread sanitizer
	@scripts/deps.sh test
	@set -e; $(TEST_INPUTS); for kind in address thread; do \
	  echo "== $$kind sanitizer"; \
	  TSAN_OPTIONS="suppressions=$(CURDIR)/scripts/thread-sanitizer.txt" \
	  scripts/test.sh --sanitize=$$kind --scratch-path .build-$$kind $(if $(FILTER),--filter "$(FILTER)"); \
	done

coverage: ## lines of the sources that the tests run, by module (LEAST=90 per cent of all)
	@scripts/deps.sh test
	@$(TEST_INPUTS) && scripts/test.sh --enable-code-coverage --scratch-path .build-coverage
	@python3 scripts/coverage.py "$$(swift test --show-codecov-path --scratch-path .build-coverage)" --least $(or $(LEAST),90)

docs: ## build the documentation of every library as a static site in .build-docs
	@scripts/deps.sh test
	@swift build -j $(JOBS) -Xcc -O2
	@python3 scripts/build-docs.py .build-docs

digits: ## train the shipped digits model again
	@scripts/deps.sh test
	@"$$(scripts/python-env.sh digits)" scripts/make-digits-model.py

clean: ## remove everything that was built or downloaded
	@rm -rf .build .build-* .cache
