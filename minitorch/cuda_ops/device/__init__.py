"""What talks to the CUDA driver: launches, memory, uploads, graphs, DLPack; and the functions that kernels call."""
