"""One arithmetic on machines that have AVX2: which variables a command sets before its imports."""

import subprocess
import sys

from aftermap.arithmetic import COMMON, KEPT_OWN, arithmetic_name, fix_arithmetic, fixed_variables

AVX2 = frozenset(["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "sse4_2"])


def test_machines_with_and_without_avx512_compute_by_the_same_instructions() -> None:
    plain, wide = fixed_variables(AVX2), fixed_variables(AVX2 | {"avx512f", "avx512vl"})
    assert plain["NUMBA_CPU_NAME"] == wide["NUMBA_CPU_NAME"] == COMMON
    assert plain.keys() == wide.keys()
    different = {name for name in plain if plain[name] != wide[name]}
    assert different == {"OPENCV_CPU_DISABLE", "NPY_DISABLE_CPU_FEATURES"}
    assert "AVX512" in wide["OPENCV_CPU_DISABLE"]
    assert plain["OPENCV_CPU_DISABLE"] == ""


def test_a_processor_without_avx2_is_left_alone() -> None:
    assert fixed_variables(AVX2 - {"avx2"}) == {}
    assert fixed_variables(frozenset()) == {}


def test_what_a_user_set_for_a_library_is_kept_only_where_asked() -> None:
    own = {KEPT_OWN: "own", "NUMBA_CPU_NAME": "generic"}
    fix_arithmetic(own)
    assert own["NUMBA_CPU_NAME"] == "generic"
    assert arithmetic_name(own).startswith("own (")
    assert arithmetic_name({"NUMBA_CPU_NAME": COMMON}) == COMMON


def test_a_command_fixes_them_before_it_imports_what_computes() -> None:
    code = (
        "import sys; from aftermap.cli import main\n"
        "loaded = {'numpy', 'cv2', 'numba', 'scipy', 'pycolmap'} & sys.modules.keys()\n"
        "assert not loaded, loaded"
    )
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
