"""Whole training steps of the Numba backend: recorded, replayed by few calls, and their kernels compiled ahead."""
