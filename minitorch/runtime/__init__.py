"""Small tools that every layer above may use: random numbers, memory blocks, files, strides, source rewriting."""
