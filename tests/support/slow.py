"""The tests that `make test` leaves out and `make test-all` runs.

`make test` takes minutes: each operation in each backend, each layer, each command. What is here takes long beside what
it adds: other processes, browsers, several orders of CUDA threads in the simulator, large networks, trainings that are
stopped and resumed, the second dtype and layout of what is compiled for each, random programs.
"""

from __future__ import annotations

import re

# File below tests/: regular expressions for the beginnings of tests' names. They get the marker `slow`.
SLOW: dict[str, tuple[str, ...]] = {
    "backends/test_backends.py": (
        r"test_value\[(permuted|strided)-fast-(?!neg|mul|sum|matmul|conv)",
        r"test_value_in_float32\[fast",
        r"test_gradient\[(permuted|strided)-fast",
        r"test_gradient_agrees_with_the_reference_backend\[float32",
        r"test_fused_kernels_agree_with_their_composition\[float32",
    ),
    "backends/test_bounds.py": (r"test_kernels_check_bounds_on_demand\[fast",),
    "backends/test_dlpack.py": (
        r"test_memory_lives_as_long",
        r"test_memory_of_another_library.*CudaOps",
        r"test_memory_of_a_gpu_that_cannot_be_used\[giver[123]",
    ),
    "backends/test_fusion.py": (r"test_it_is_the_chain\[.*float32",),
    "backends/test_jit.py": (
        r"test_kernels_are_compiled_once",
        r"test_without_a_writable_cache",
        r"test_damaged_files",
        r"test_what_others_may_write",
        r"test_a_warm_cache_that_a_group_shares",
        r"test_lambdas_closures",
    ),
    "backends/test_threads.py": (
        r"test_threads_that_have_nothing_to_do",
        r"test_the_number_of_threads",
        r"test_without_threads",
        r"test_one_thread",
        r"test_after_a_fork",
        r"test_a_program_ends_at_once",
        r"test_several_python_threads",
        r"test_two_processes",
        r"test_threads_that_use_a_kernel_first",
        r"test_the_kernels_of_the_course_run_after_a_fork",
        r"test_a_layer_of_threads",
    ),
    "cli/test_cifar10.py": (
        r"test_resumed_run_equals",
        r"test_equal_runs",
        r"test_mixed_labels_train",
        r"test_real_cifar",
    ),
    "cli/test_classify.py": (
        r"test_one_s_own_digit",
        r"test_published_weights_without_pytorch",
        r"test_the_script_is_the_command",
    ),
    "cli/test_mnist.py": (
        r"test_resumed_run_equals",
        r"test_equal_runs",
        r"test_ctrl_c",
        r"test_diverging_run",
        r"test_unknown_backend_in_the_environment\[(run_scalar|run_tensor|run_fast_tensor|show|compare|replay)",
    ),
    "cli/test_reliability.py": (
        r"test_stopped_trainings",
        r"test_a_script_can_be_stopped",
        r"test_a_training_on_a_full_disk",
        r"test_a_training_loses_no",
        r"test_a_damaged_run_is_shown_or_is_one_line\[(?!missing)",
    ),
    "cli/test_scripts.py": (r"test_parallel_check",),
    "cli/test_sentiment.py": (r"test_it_passes_70_percent",),
    "cli/test_study.py": (r"test_a_study_that_was_cut",),
    "cli/test_tour.py": (r"test_python_m_minitorch_is_the_tour",),
    "cli/test_toys.py": (r"test_toys_learn\[(run_scalar|run_tensor|toys)",),
    "cli/test_warmup.py": (
        r"test_the_process_that_compiles",
        r"test_kernels_of_a_named_network",
    ),
    "cli/test_wheel.py": (r"test_",),
    "course/test_grade.py": (
        r"test_harmful_code_gives_one_line\[(?!raise)",
        r"test_code_that_ends_python",
        r"test_a_solved_folder",
        r"test_hidden_tests",
        r"test_status_names",
    ),
    "course/test_parallel.py": (r"test_a_student",),
    "course/test_matrix.py": (r"test_.*\[[1-4]",),
    "cuda/test_cuda.py": (r"test_the_package_imports", r"test_users_get_numbas_own_simulator"),
    "cuda/test_cuda_compile.py": (r"test_",),
    "cuda/test_cuda_conv.py": (
        r"test_.*\[shuffle",
        r"test_the_tiles_of_a_card",
        r"test_sizes_and_settings.*(float64|4x8|4x4)",
        r"test_random_settings\[forward-([6-9]|1)",
        r"test_every_run_gives_the_same_bits.*float64",
    ),
    "cuda/test_cuda_fused.py": (r"test_.*\[shuffle", r"test_norm\[.*float64"),
    "cuda/test_cuda_graph.py": (r"test_what_the_driver_is_asked_for",),
    "cuda/test_cuda_index.py": (
        r"test_.*\[shuffle",
        r"test_permuted_operands.*float64",
        r"test_all_of_it_runs",
    ),
    "cuda/test_cuda_matmul.py": (
        r"test_.*\[shuffle",
        r"test_the_tiles_of_a_card",
        r"test_ragged_edges\[forward-(33|65|129)",
        r"test_numbas_own_simulator",
        r"test_deep_products_in_tf32",
    ),
    "dashboard/test_dashboard.py": (
        r"test_a_dashboard_does_not_change",
        r"test_a_resumed_run",
        r"test_a_faulty_server",
        r"test_a_loss_that_is_not_a_number",
    ),
    "dashboard/test_visdom_page.py": (r"test_",),
    "data/test_data.py": (r"test_the_bundled_digits_can_be_rebuilt", r"test_real_"),
    "data/test_data_command.py": (r"test_one_command.*(darwin|win32)", r"test_a_program_that_is_started"),
    "fuzz/test_programs.py": (
        r"test_programs_agree_with_the_reference",
        r"test_programs_agree_with_pytorch",
    ),
    "models/test_architectures.py": (
        r"test_names_and_scores",
        r"test_gradients_of",
        r"test_inception",
        r"test_a_network_of_the_torch_module",
        r"test_blocks_that_begin",
        r"test_initial_values",
    ),
    "models/test_onnx.py": (r"test_networks_for_photographs", r"test_the_command"),
    "models/test_pretrained.py": (r"test_gradients_are_pytorchs",),
    "nn/test_check_layer.py": (r"test_the_script_runs_from_any_folder",),
    "nn/test_differential_layers.py": (r"test_layer\[.*(-\d\d+,|fast,float32)",),
    "nn/test_differential_losses.py": (r"test_loss\[.*(-\d\d+,|fast,float32)",),
    "nn/test_differential_optim.py": (r"test_optimizer\[.*(-\d\d+,|fast,float32)",),
    "repo/test_architecture.py": (r"test_a_broken_rule_is_found",),  # `make check` runs them
    "repo/test_notebooks.py": (r"test_.*runs_from_top", r"test_an_interrupted_training"),
    "repo/test_promises.py": (r"test_products_of_plain_matrices",),
    "runtime/test_signals.py": (r"test_output_that_cannot_be_written",),
    "test_conv.py": (r"test_parallel_diagnostics", r"test_tensor_conv\dd\[\w+-compiled"),
    "test_gpu_day.py": (r"test_",),
    "test_tensor_general.py": (
        r"test_kernels_take_plain_and_compiled_functions\[False",
        r"test_zip_and_reduce_kernels_on_triples",
        r"test_matmul_kernel_on_triples\[compiled",
    ),
    "torch/test_lines.py": (
        r"test_lines_give_what_pytorch_gives\[(mixed|modules|functional|layers|linear|autograd|in place)",
        r"test_lines_give_what_pytorch_gives\[(creation|attributes|losses|shapes|errors|arithmetic|indexing|reductions|optim|idioms)",
    ),
    "torch/test_second_order.py": (r"test_against_differences",),
    "torch_scripts/test_scripts.py": (r"test_(?!first|a_missing|importing)",),
    "train/test_compile_ahead.py": (r"test_a_training_compiles_nothing_more",),
    "train/test_metrics.py": (r"test_scikit_learn",),
    "train/test_graphed_step.py": (
        r"test_a_captured_step_reuses",
        r"test_replays_leave.*cuda-float(64|32-(?!sgd|adam$))",
        r"test_a_short_last_batch.*cuda",
        r"test_groups_whose_settings.*cuda",
        r"test_states_that_were_loaded.*cuda",
        r"test_networks_replay.*ResNet",
        r"test_fit_replays_(smoothed_labels|and_yields).*cuda",
    ),
}
_PATTERNS = {file: re.compile("|".join(names)) for file, names in SLOW.items()}


def is_slow(file: str, name: str) -> bool:
    """Return whether a test is in the table, by its file below `tests/` and its name."""
    return file in _PATTERNS and _PATTERNS[file].match(name) is not None
