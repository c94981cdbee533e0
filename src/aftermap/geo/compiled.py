"""A loop over many cells or points -> the same loop in machine code."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numba

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(loop: Loop) -> Loop:
    """A loop over many cells or points in machine code, kept on disk for the next run.

    Where neither the package's folder nor the home can be written, every run compiles it again.
    Numba has no types of its own to offer; this keeps those of the loop.
    """
    return _in_machine_code(loop, {})


def inlined(loop: Loop) -> Loop:
    """As :func:`compiled`, for the few lines inside a hot loop: laid into each caller."""
    return _in_machine_code(loop, {"forceinline": True})


def vectorised(loop: Loop) -> Loop:
    """As :func:`compiled`, in a form that the compiler may spread over the lanes of a processor.

    Division by zero gives infinity or NaN, as in numpy, and sums may be taken in any order.
    """
    return _in_machine_code(
        loop, {"error_model": "numpy", "fastmath": {"reassoc", "contract", "nsz", "arcp"}}
    )


def allocation_free(loop: Loop) -> Loop:
    """As :func:`compiled`, for functions that make no array, with every shortcut of arithmetic.

    They may rest on there being no NaN and no infinity. Numba counts no references in them, which
    costs 40 % in functions as small as look-ups of a texture.
    """
    return _in_machine_code(loop, {"fastmath": True, "error_model": "numpy", "_nrt": False})


def _in_machine_code(loop: Loop, options: Mapping[str, Any]) -> Loop:
    fast: Loop
    try:
        fast = numba.njit(cache=True, nogil=True, **options)(loop)
    except RuntimeError:  # "no locator available": there is no place for the machine code
        fast = numba.njit(nogil=True, **options)(loop)
    return fast
