from fractions import Fraction

import numpy as np

from aftermap.model.media import FocalPrior, FocalSource
from aftermap.poses.reference import Reference
from aftermap.poses.register import NotLocated, ShotFrame, registered


def test_a_picture_with_nothing_in_it_is_not_located():
    rng = np.random.default_rng(1)
    reference = Reference(
        crs="EPSG:32637",
        xyz_m=rng.uniform(0, 300, (500, 3)),
        descriptors=rng.uniform(0, 0.1, (500, 128)).astype(np.float32),
        cell_m=0.2,
    )
    prior = FocalPrior(focal_px=500, sigma_px=1, source=next(iter(FocalSource)))
    frames = [ShotFrame(time_s=Fraction(i), grey=np.full((240, 320), 90, np.uint8)) for i in (0, 1)]
    found = registered(frames, reference, prior)
    assert isinstance(found, NotLocated)
    assert "0 of 2 frames matched; 0 points in common" in found.reason
