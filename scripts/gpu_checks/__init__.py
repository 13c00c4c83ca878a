"""The checks of `scripts/gpu_day.py`: a module for each stage, with ``checks(options)`` and ``headline(rows)``."""
