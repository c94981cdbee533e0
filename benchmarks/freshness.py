"""Which figures are older than what they measure, by the versions that their result recorded.

A result of benchmarks/results names its commit and the version of every stage at that time
(machine.py). A figure is old where a stage that it rests on has another version by now; one that
recorded no versions may be old.
"""

from collections.abc import Mapping
from typing import Any

RESTS_ON = {
    "accuracy": ("poses", "surface"),
    "alignment": ("surface", "orthophoto", "buildings"),
    "city": ("views", "visibility", "measures", "grades", "buildings"),
    "clips": ("frames", "poses", "tracks", "registered"),
    "confidence": ("surface",),
    "coverage": (),
    "graded_footage": ("surface", "buildings", "visibility", "measures", "grades"),
    "grades": ("surface", "orthophoto", "buildings", "measures", "grades"),
    "grades_by_style": ("surface", "orthophoto", "buildings", "measures", "grades"),
    "growth": ("features", "poses", "surface", "orthophoto"),
    "locate": ("located", "registered"),
    "orbit": ("frames", "poses"),
    "seen": ("sightings",),
    "speed": ("features", "poses", "surface", "orthophoto"),
    "streets": ("surface", "orthophoto", "buildings", "streets"),
    "surfaces": ("surface",),
    "telemetry": (),
    "unosat": (),
    "vertical": ("poses",),
    "video": ("frames",),
    "workbench": (),
}
"""The stages whose answer a result measures, by the name of its file. Others are taken to rest on
every stage."""
SHORT = 8


def measured_at(name: str, result: Mapping[str, Any], now: Mapping[str, int]) -> str:
    """Commit of a figure, and the stages that have another version ``now`` than it was measured at.

    ``name`` is that of the result; ``now`` the versions of all stages by name.
    """
    commit = str(result.get("commit", "commit not recorded"))
    if "commit" in result:
        commit = f"`{commit[:SHORT]}`" + ("+" if commit.endswith("+changes") else "")
    stages = RESTS_ON.get(name, tuple(now))
    known = result.get("stages")
    if known is None:
        return commit + (", versions not recorded" if stages else "")
    old = [
        f"{stage} {known[stage]}"
        for stage in stages
        if known.get(stage, now.get(stage)) != now.get(stage)
    ]
    return commit + (f", measured at version: {', '.join(old)}" if old else "")
