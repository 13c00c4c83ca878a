"""What talks to the CUDA driver: imports, launches, memory, uploads, graphs, sharing; and functions for kernels."""
