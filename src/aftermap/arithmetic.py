"""The vector instructions that libraries choose by the machine -> those that most machines have.

NumPy, OpenCV, OpenBLAS and Numba look at the processor and take the widest instructions it offers.
Wider ones add in another order and round otherwise; an observation at a threshold then falls on the
other side, and the map differs. Here they are told to take those of x86-64-v3 (AVX2 and FMA: every
processor for PCs and servers since about 2015), and sums to use one thread, so that machines which
have these make the same products (docs/explanation/reproducibility.md).

The libraries read their variables when they are loaded, so a command fixes them before its imports.
"""

import os
import platform
from collections.abc import MutableMapping
from pathlib import Path

KEPT_OWN = "AFTERMAP_ARITHMETIC"
"""Set to "own" by who wants each library's own choice: benchmarks, and odd machines."""
COMMON = "x86-64-v3"
OWN = "own"

_NEEDED = frozenset(["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"])
_CPU_INFO = Path("/proc/cpuinfo")

_FIXED = {
    "NUMBA_CPU_NAME": COMMON,
    "NUMBA_CPU_FEATURES": "",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_IPP": "avx2",
}
_WITHOUT_AVX512 = {
    "OPENCV_CPU_DISABLE": "AVX512-SKX",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}


def fix_arithmetic(environment: MutableMapping[str, str] = os.environ) -> None:
    """Tell the libraries that are not loaded yet which instructions to compute with.

    What the user set for a library is overridden, unless ``AFTERMAP_ARITHMETIC=own`` is set or the
    processor lacks something; then nothing is changed.
    """
    if environment.get(KEPT_OWN) != OWN:
        environment.update(fixed_variables(processor_flags()))


def fixed_variables(flags: frozenset[str]) -> dict[str, str]:
    """The variables to set on a processor of these flags; none where it lacks what is needed."""
    if not flags >= _NEEDED:
        return {}
    unset = dict.fromkeys(_WITHOUT_AVX512, "")
    return _FIXED | (_WITHOUT_AVX512 if "avx512vl" in flags else unset)


def processor_flags() -> frozenset[str]:
    """What Linux says that the processor can do; empty elsewhere."""
    if platform.machine() not in ("x86_64", "AMD64") or not _CPU_INFO.exists():
        return frozenset()
    lines = _CPU_INFO.read_text(encoding="ascii", errors="replace").splitlines()
    named = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(named.partition(":")[2].split())


def arithmetic_name(environment: MutableMapping[str, str] = os.environ) -> str:
    """By which instructions this process computes: the common ones, or its machine's own."""
    fixed = environment.get("NUMBA_CPU_NAME") == COMMON
    return COMMON if fixed else f"{OWN} ({platform.machine()})"
