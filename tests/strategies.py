"""Numbers to test with, and the Hypothesis profiles; importing this file loads the profile in force.

`HYPOTHESIS_PROFILE` chooses: quick (8 examples, 4 of gradients; the default), dev (20, in `make test-all`), ci (100),
intense (2000) or sim (3).
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis.strategies import floats, integers

from minitorch import operators

EXAMPLES = {"quick": 8, "dev": 20, "ci": 100, "intense": 2000, "sim": 3}
for name, examples in EXAMPLES.items():
    settings.register_profile(
        name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or "quick"
settings.load_profile(PROFILE)
_thorough = PROFILE in ("ci", "intense")
MOST = 81 if _thorough else 24  # elements of a tensor
# A check of a gradient evaluates the function twice for each element: smaller tensors, and fewer of them.
MOST_CHECKED = 81 if _thorough else 8
checked = settings(max_examples=4 if PROFILE == "quick" else EXAMPLES[PROFILE])

small_ints = integers(min_value=1, max_value=3)
med_ints = integers(min_value=1, max_value=20)
small_floats = floats(min_value=-100, max_value=100, allow_nan=False)


def assert_close(a: float, b: float) -> None:
    """Insist that two numbers differ by less than 1e-2, the course's measure."""
    assert operators.is_close(a, b) == 1.0, f"{a} is not close to {b}"
