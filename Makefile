# Each target sets up what it needs: `make test` works on a bare checkout.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# visdom has a place of its own: its pins touch nothing else.
VISDOM ?= .venv-visdom
# So have compilers of CUDA kernels, at the versions that benchmarks/results/cuda_kernels.json was made with.
CUDA ?= .venv-cuda
PORT ?= 8097
JOBS ?= 2
CUDA_TESTS = tests/cuda/test_cuda.py \
	tests/cuda/test_cuda_fused.py \
	tests/cuda/test_cuda_memory.py \
	tests/cuda/test_cuda_matmul.py \
	tests/cuda/test_cuda_conv.py \
	tests/cuda/test_cuda_graph.py \
	tests/cuda/test_cuda_index.py \
	tests/backends/test_philox.py \
	tests/backends/test_dlpack.py

.PHONY: mnist test test-all test-cuda sanitize-cuda test-cuda-compile cuda-table check bench bench-quick bench-cuda dashboard docs clean

mnist: $(VENV)/.base
	$(BIN)/python project/run_mnist_multiclass.py --out runs/mnist
	@echo "figures: runs/mnist/panels"

# What tells that the installation works and the code is right; tests/support/slow.py lists what it leaves out.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

# Everything but each task of the course with other tasks emptied: pytest -m whole_course tests/course
test-all: $(VENV)/.dev
	HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-dev} $(BIN)/python -m pytest -n $(JOBS)

# On a GPU where there is one, else in the simulator; MINITORCH_CUDA_TESTS=gpu insists on a GPU.
test-cuda: $(VENV)/.dev
	$(BIN)/python -m pytest -q $(CUDA_TESTS)
	@if [ "$$MINITORCH_CUDA_TESTS" = gpu ]; then $(MAKE) sanitize-cuda; fi

# Accesses beyond an array, and races in shared memory, on a GPU; it fails where the tool is missing.
sanitize-cuda: $(VENV)/.dev
	for tool in memcheck racecheck; do \
		MINITORCH_CUDA_TESTS=gpu compute-sanitizer --tool $$tool --error-exitcode 3 \
			$(BIN)/python -m pytest -q $(CUDA_TESTS) || exit 1; \
	done

test-cuda-compile: $(VENV)/.dev $(CUDA)/.ready
	MINITORCH_CUDA_PYTHON=$(CUDA)/bin/python $(BIN)/python -m pytest -q tests/cuda/test_cuda_compile.py

cuda-table: $(CUDA)/.ready
	$(CUDA)/bin/python tests/support/cuda_compile.py --write

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict minitorch
	$(BIN)/python -m pytest -q tests/repo/test_architecture.py tests/repo/test_public_names.py tests/repo/test_words.py

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py

bench-quick: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py --quick

bench-cuda: $(VENV)/.bench
	$(BIN)/python benchmarks/gpu.py

dashboard: $(VISDOM)/.ready
	$(VISDOM)/bin/python project/dashboard.py --port $(PORT)

# Into the folder site: it needs no server and no network. The variable leaves out a notice about versions to come.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

clean:
	rm -rf $(VENV) $(VISDOM) $(CUDA) site build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	@touch $@ $(VENV)/.base

$(VENV)/.bench: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -e ".[bench]"
	@touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -e ".[docs]"
	@touch $@

$(CUDA)/.ready: Makefile
	$(PYTHON) -m venv $(CUDA)
	$(CUDA)/bin/python -m pip install --quiet numpy==2.4.6 numba==0.68.1 'numba-cuda[cu13]==0.30.4' cuda-bindings==13.5.0 \
		cuda-core==1.2.2 nvidia-nvvm==13.4.92 nvidia-cuda-nvrtc==13.4.92 nvidia-nvjitlink==13.5.37
	@touch $@

# visdom 0.2.4 is built with a module that setuptools 82 removed, and tornado 6.6 does not serve its page.
$(VISDOM)/.ready: minitorch/dashboard/visdom/assets.json minitorch/dashboard/visdom/assets.py
	$(PYTHON) -m venv $(VISDOM)
	$(VISDOM)/bin/python -m pip install --quiet 'setuptools<82' wheel
	$(VISDOM)/bin/python -m pip install --quiet --no-build-isolation 'visdom==0.2.4' 'tornado>=6.5,<6.6'
	$(VISDOM)/bin/python minitorch/dashboard/visdom/assets.py --python $(VISDOM)/bin/python
	@touch $@
