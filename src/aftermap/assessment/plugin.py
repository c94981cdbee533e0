"""A user's own ONNX file as a grader (the optional extra ``aftermap[onnx]``).

Its one input is (N, measures) float32: the measures in the order that its metadata ``measures``
states (names with commas), NaN where one is not known. Its first output is (N, 5) float32: the
probabilities of none, light, moderate, severe and destroyed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.assessment.names import NAMES, in_words
from aftermap.assessment.ordinal import doubted
from aftermap.errors import InputError, MissingExtraError
from aftermap.geo.arrays import Array
from aftermap.model.assessment import Reason, ReasonSide

TOLD = ("whole_fraction", "plane_residual_m", "below_half_fraction")
GRADE_COUNT = 5


@dataclass(frozen=True, kw_only=True)
class OnnxGrader:
    """A user's model; it gives no reasons, so that three plain measures are told instead."""

    name: str
    sha256: str
    session: Any
    inputs: tuple[str, ...]

    def probabilities(self, values: Mapping[str, Array], doubt: Array) -> Array:
        """(N, 5) probabilities; where an outline lies badly a share of them is spread evenly.

        Raises InputError where the model does not answer with 5 probabilities for every
        building.
        """
        nothing = np.full(len(doubt), np.nan)
        table = np.column_stack([values.get(name, nothing) for name in self.inputs])
        (given, *_) = self.session.run(
            None, {self.session.get_inputs()[0].name: table.astype(np.float32)}
        )
        p = np.asarray(given, float)
        if p.shape != (len(doubt), GRADE_COUNT) or (p[np.isfinite(p)] < 0).any():
            raise InputError(
                f"{self.name}: answers with {p.shape} values, not with {GRADE_COUNT} probabilities "
                "for every building; export it with softmax"
            )
        return doubted(p / np.maximum(p.sum(1, keepdims=True), 1e-9), doubt)

    def reasons(self, values: Mapping[str, Array], index: int, grade: int) -> tuple[Reason, ...]:
        """Plain measures of the building, said to be no reasons of the model.

        ``values`` are (N,) of each measure by its name; ``index`` is the building's.
        """
        del grade
        told = [
            in_words(name, float(values[name][index]))
            for name in TOLD
            if name in values and np.isfinite(values[name][index])
        ]
        text = f"{self.name} gives no reasons; measured were: {', '.join(told)}"
        return (Reason(text=text, side=ReasonSide.NOTE),)


def onnx_grader(path: Path) -> OnnxGrader:
    """The model in an ONNX file.

    Raises ``MissingExtraError`` without onnxruntime and ``InputError`` for a file that it cannot
    open or that does not say which measures it takes.
    """
    try:
        import onnxruntime  # type: ignore[import-not-found]  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: is an ONNX model and onnxruntime is not installed; install aftermap[onnx]"
        ) from error
    try:
        data = path.read_bytes()
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        stated = session.get_modelmeta().custom_metadata_map.get("measures", "")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name an ONNX file") from error
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"{path}: onnxruntime cannot open it ({error}); name an ONNX file"
        ) from error
    inputs = tuple(name.strip() for name in stated.split(",") if name.strip())
    unknown = [name for name in inputs if name not in NAMES]
    if not inputs or unknown:
        raise InputError(
            f"{path}: its metadata 'measures' states {unknown or 'nothing'}; state names out of "
            "docs/reference/measures.md in the order of its input, with commas"
        )
    return OnnxGrader(
        name=path.name, sha256=hashlib.sha256(data).hexdigest(), session=session, inputs=inputs
    )
