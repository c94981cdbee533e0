"""How long a scale bar is drawn."""

import math


def scale_bar_length(longest: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not longer, in the same unit."""
    power = 10.0 ** math.floor(math.log10(longest))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= longest * 1.0000001)
