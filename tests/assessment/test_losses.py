"""What is missing of a roof: holes through gaps, losses at the edge, and what is neither."""

import numpy as np
import pytest
from made_up_roofs import Scene, outline, values

INNER_M2 = (20 - 2 * 0.6) ** 2


def flat_roof():
    scene = Scene()
    scene.height[scene.cut(20, 20, 40, 40)] += 9.0
    return scene


def measured(scene, folder):
    folder.mkdir(exist_ok=True)
    return values(scene, [outline(20, 20, 40, 40)], folder)[2][0]


def test_a_hole_that_is_half_a_gap_counts_whole(tmp_path):
    scene = flat_roof()
    scene.height[scene.cut(27, 27, 31, 31)] -= 3.0
    scene.count[scene.cut(29, 27, 31, 31)] = 0
    row = measured(scene, tmp_path)
    assert row["hole_count"] == 1
    assert row["hole_fraction"] == pytest.approx(16 / INNER_M2, abs=0.01)
    assert row["hole_width_m"] == pytest.approx(4.0, abs=0.6)
    assert row["edge_loss_fraction"] == 0


def test_a_gap_alone_is_no_hole(tmp_path):
    scene = flat_roof()
    scene.count[scene.cut(27, 27, 31, 31)] = 0
    assert measured(scene, tmp_path)["hole_fraction"] == 0


def test_a_strip_along_the_outline_says_nothing(tmp_path):
    scene = flat_roof()
    scene.height[scene.cut(20, 20, 21.4, 40)] -= 9.0
    row = measured(scene, tmp_path)
    assert row["low_fraction"] > 0.03
    assert row["edge_loss_fraction"] == row["hole_fraction"] == 0


def test_a_fallen_corner_is_ragged_and_a_storey_set_back_is_not(tmp_path):
    stepped, fallen = flat_roof(), flat_roof()
    stepped.height[stepped.cut(20, 20, 26, 40)] -= 3.0
    cut = fallen.cut(20, 20, 32, 32)
    rows, columns = np.indices(fallen.height[cut].shape)
    fallen.height[cut][columns < rows] -= 4.0
    straight, ragged = measured(stepped, tmp_path / "a"), measured(fallen, tmp_path / "b")
    assert straight["edge_loss_fraction"] == pytest.approx(0.28, abs=0.05)
    assert straight["ragged_loss_fraction"] < 0.05
    assert ragged["edge_loss_fraction"] == pytest.approx(0.18, abs=0.04)
    assert ragged["ragged_loss_fraction"] > 0.1
    assert straight["hole_fraction"] == ragged["hole_fraction"] == 0


def test_a_steep_gable_misses_nothing(tmp_path):
    scene = Scene()
    across = np.abs(np.arange(200) - 99.5) * 0.1
    scene.height[scene.cut(20, 20, 40, 40)] += (5.0 + (10.0 - across) * 0.8).astype(np.float32)
    row = measured(scene, tmp_path)
    assert row["hole_fraction"] == row["edge_loss_fraction"] == 0
