"""Photographs to poses: features, matches, one adjusted block, and how far to trust it."""

from aftermap.poses.control import ControlFile, control_in
from aftermap.poses.features import features_of
from aftermap.poses.flown import flown
from aftermap.poses.options import PoseOptions
from aftermap.poses.placing import placed, reconstruct
from aftermap.poses.registering import shot_place, shot_tasks
from aftermap.poses.survey import survey_of
from aftermap.poses.unplaced import unplaced

__all__ = [
    "ControlFile",
    "PoseOptions",
    "control_in",
    "features_of",
    "flown",
    "placed",
    "reconstruct",
    "shot_place",
    "shot_tasks",
    "survey_of",
    "unplaced",
]
