"""The tests of the tasks: `pytest -m task4_1` runs those of one task."""
