"""The figures of the guides, drawn from values that minitorch computes; `python -m docs.figures` writes all of them."""
