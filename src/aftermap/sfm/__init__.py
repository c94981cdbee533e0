"""Photographs to poses: features, matches, one adjusted block, and how far to trust it."""

from aftermap.sfm.feature_files import extract_features
from aftermap.sfm.gcp import survey_of
from aftermap.sfm.gcp_file import ControlFile, control_in
from aftermap.sfm.options import PoseOptions
from aftermap.sfm.reconstruct import reconstruct, reconstruct_from_features
from aftermap.sfm.unplaced import unplaced_reconstruction

__all__ = [
    "ControlFile",
    "PoseOptions",
    "control_in",
    "extract_features",
    "reconstruct",
    "reconstruct_from_features",
    "survey_of",
    "unplaced_reconstruction",
]
