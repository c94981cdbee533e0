"""Photographs to poses: features, matches, one adjusted block, and how far to trust it."""

from aftermap.sfm.feature_files import features_of
from aftermap.sfm.gcp import survey_of
from aftermap.sfm.gcp_file import ControlFile, control_in
from aftermap.sfm.options import PoseOptions
from aftermap.sfm.reconstruct import placed, reconstruct
from aftermap.sfm.unplaced import unplaced

__all__ = [
    "ControlFile",
    "PoseOptions",
    "control_in",
    "features_of",
    "placed",
    "reconstruct",
    "survey_of",
    "unplaced",
]
