"""Convolution of the Numba backend: by tiles in registers, and 3x3 ones by Winograd's algorithm."""
