"""A small forest of decision trees as plain arrays, evaluated without a library.

It is grown by benchmarks/train_grades.py: boosted trees in log odds (Friedman 2001). A value that
is not known goes the way the tree says.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Trees over named inputs; arrays are (trees, nodes), node 0 is the root.

    At an inner node a value of at most ``threshold`` (or a missing one, where ``missing_left``)
    goes to ``left`` and any other to ``right``; a leaf has itself in both. ``value`` is what a leaf
    adds to ``bias``.
    """

    inputs: tuple[str, ...]
    bias: float
    feature: IntArray
    threshold: Array
    left: IntArray
    right: IntArray
    missing_left: BoolArray
    value: Array
    depth: int

    def probability(self, rows: Array) -> Array:
        """(N,) probabilities for (N, inputs) rows, NaN where a value is not known."""
        if not len(rows):
            return np.zeros(0)
        trees = np.arange(len(self.value))[None]
        node = np.zeros((len(rows), len(self.value)), np.int64)
        line = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            value = rows[line, self.feature[trees, node]]
            down = np.where(
                np.isnan(value),
                self.missing_left[trees, node],
                value <= self.threshold[trees, node],
            )
            node = np.where(down, self.left[trees, node], self.right[trees, node])
        odds = self.bias + self.value[trees, node].sum(1)
        return np.asarray(1 / (1 + np.exp(-odds)))


def forest_of(document: Mapping[str, Any]) -> Forest:
    """The forest that a JSON document holds.

    A tree is a list of nodes: a leaf is one number, an inner node is
    [input, threshold, left, right, missing goes left].
    """
    trees: Sequence[Sequence[Any]] = document["trees"]
    size = max(len(tree) for tree in trees)
    shape = (len(trees), size)
    feature, left, right = (np.zeros(shape, np.int64) for _ in range(3))
    threshold, value = np.full(shape, math.inf), np.zeros(shape)
    missing = np.ones(shape, bool)
    for place, tree in enumerate(trees):
        for number, node in enumerate(tree):
            if isinstance(node, list):
                feature[place, number] = node[0]
                threshold[place, number] = node[1]
                left[place, number], right[place, number] = node[2], node[3]
                missing[place, number] = node[4]
            else:
                left[place, number] = right[place, number] = number
                value[place, number] = node
    return Forest(
        inputs=tuple(document["inputs"]),
        bias=float(document["bias"]),
        feature=feature,
        threshold=threshold,
        left=left,
        right=right,
        missing_left=missing,
        value=value,
        depth=int(document["depth"]),
    )
