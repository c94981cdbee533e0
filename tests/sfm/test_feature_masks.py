"""What lies under a mask gives no features, and another mask gives other features."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from in_process import InProcess

from aftermap.errors import InputError
from aftermap.imaging.features import load_features
from aftermap.model.camera import Frame, FrameSet
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.record import StageFolder
from aftermap.sfm import PoseOptions, extract_features

BOX = np.s_[180:300, 60:400]


@pytest.fixture
def frame(tmp_path) -> Frame:
    """Ground of even texture with a caption of sharp letters over it."""
    rng = np.random.default_rng(4)
    picture = cv2.GaussianBlur(rng.integers(0, 255, (360, 480), np.uint8), (0, 0), 2)
    picture = cv2.normalize(picture, None, 60, 200, cv2.NORM_MINMAX)
    picture[BOX] = 255
    for row in range(210, 300, 30):
        cv2.putText(picture, "BREAKING NEWS 24", (64, row), 0, 1.1, 0, 3)
    assert cv2.imwrite(str(tmp_path / "a.png"), picture)
    return Frame(
        sha256="ab" * 32,
        name="a",
        path=str(tmp_path / "a.png"),
        width_px=480,
        height_px=360,
        orientation=1,
        camera_key="k",
        focal_px=400.0,
        focal_sigma_px=4.0,
        focal_source=FocalSource.ASSUMED,
    )


def places(frame, files):
    frames = FrameSet(crs="LOCAL", vertical_datum=VerticalDatum.LOCAL, frames=(frame,), skipped=())
    (path,) = extract_features(frames, PoseOptions(), files, InProcess()).values()
    return load_features(path).xy_px


def inside(xy):
    rows, columns = BOX
    within = (xy[:, 0] > columns.start) & (xy[:, 0] < columns.stop)
    return within & (xy[:, 1] > rows.start) & (xy[:, 1] < rows.stop)


def test_features_avoid_what_a_mask_leaves_out_also_where_there_were_features_before(
    frame, tmp_path
):
    files = StageFolder(folder=tmp_path / "shelf")
    bare = places(frame, files)
    assert inside(bare).sum() > 50
    mask = np.full((360, 480), 255, np.uint8)
    mask[BOX] = 0
    path = tmp_path / "mask.png"
    assert cv2.imwrite(str(path), mask)
    covered = places(replace(frame, mask=str(path)), files)
    assert inside(covered).sum() == 0
    assert len(covered) > 0.7 * (~inside(bare)).sum()
    mask[:100] = 0
    assert cv2.imwrite(str(path), mask)  # drawn anew under the same name
    again = places(replace(frame, mask=str(path)), files)
    assert again[:, 1].min() > 100
    assert len(places(frame, files)) == len(bare)


def test_a_mask_that_vanished_is_named(frame, tmp_path):
    files = StageFolder(folder=tmp_path / "shelf")
    with pytest.raises(InputError, match=r"gone\.png: can no longer be read"):
        places(replace(frame, mask=str(tmp_path / "gone.png")), files)
