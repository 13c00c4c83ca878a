"""Small tools that every layer may use: random numbers, memory, files, strides, graph capture, source rewriting."""
