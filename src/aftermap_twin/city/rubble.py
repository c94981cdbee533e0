"""Where buildings fell: how densely rubble lies and how high it is heaped."""

import cv2
import numpy as np

from aftermap.model.assessment import Grade
from aftermap_twin.city.buildings import TwinBuilding
from aftermap_twin.site import HEIGHT_STEP_M, Extent, Heaps, fill, smooth_noise

SHED = {Grade.NONE: 0.0, Grade.LIGHT: 0.05, Grade.MODERATE: 0.28}
"""How densely stone lies at the foot of a building; worse grades have 0.75."""


def heaps_of(
    rng: np.random.Generator, extent: Extent, buildings: tuple[TwinBuilding, ...]
) -> Heaps:
    """Heaps where cells fell to the ground, thrown some metres into yards and streets."""
    shape = extent.shape(HEIGHT_STEP_M)
    built, fallen, foot = (np.zeros(shape, np.float32) for _ in range(3))
    for building in buildings:
        outline = building.outlines()[0]
        fill(built, extent, HEIGHT_STEP_M, outline, 1.0)
        fill(foot, extent, HEIGHT_STEP_M, outline, SHED.get(building.grade, 0.75))
        for row, column in np.argwhere(building.left == 0):
            corners = building.world(np.array([0, 1, 1, 0]) + column, np.array([0, 0, 1, 1]) + row)
            fill(fallen, extent, HEIGHT_STEP_M, corners, 0.5 + 0.42 * building.levels)
        if building.is_pancaked:
            fill(fallen, extent, HEIGHT_STEP_M, outline, 0.35 + 0.2 * building.levels)
    wobble = smooth_noise(rng, extent, HEIGHT_STEP_M, 4.0)
    lumps = smooth_noise(rng, extent, HEIGHT_STEP_M, 1.3)
    near = cv2.GaussianBlur(fallen, (0, 0), 1.0 / HEIGHT_STEP_M)
    wide = cv2.GaussianBlur(fallen, (0, 0), 3.8 / HEIGHT_STEP_M)
    skirt = cv2.GaussianBlur(foot, (0, 0), 2.2 / HEIGHT_STEP_M) * (1 - 0.6 * built)
    reach = np.clip(1 + 1.0 * wobble, 0.1, 2.4)
    height = 0.62 * near * (1 + 0.25 * wobble) + 1.1 * wide * reach
    height = np.maximum(height * (1 + 0.22 * lumps), 0)
    density = np.clip(1.9 * height - 0.1, 0, 1) + skirt * reach * 0.55
    return Heaps(
        built=built,
        density=np.clip(density, 0, 1).astype(np.float32),
        height_m=height.astype(np.float32),
    )
