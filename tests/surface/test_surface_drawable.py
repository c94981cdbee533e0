"""What of the surface is drawn: measured ground without its fringe, and nothing that was not."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_ground import grid

from aftermap.geo.grid import Block
from aftermap.model.raster import Raster
from aftermap.surface import drawable as module
from aftermap.surface.drawable import EMPTY, FILLED, MEASURED, dense, drawable_kinds, drawn_in, gaps
from aftermap.surface.mosaic_grid import Sheet


def surface(measured, known=None):
    known = np.ones_like(measured) if known is None else known
    return np.where(known, 7.0, np.nan).astype(np.float32), measured.astype(np.float32) * 3


@given(seed=st.integers(0, 1000), share=st.floats(0.3, 0.97))
def test_nothing_is_drawn_that_was_not_measured(seed, share):
    rng = np.random.default_rng(seed)
    known = rng.random((70, 80)) < 0.97
    measured = (rng.random((70, 80)) < share) & known
    kinds = drawable_kinds(*surface(measured, known))
    assert measured[kinds == MEASURED].all()
    assert known[kinds != EMPTY].all()


def test_a_block_stays_as_it_is_and_its_specks_threads_and_fringe_go():
    measured = np.zeros((80, 80), bool)
    measured[20:60, 20:60] = True
    whole = measured.copy()
    measured[10, 10] = measured[5:8, 70:73] = True  # specks
    measured[30:32, 60:79] = True  # a thread
    measured[19, 25:60:5] = True  # a ragged rim
    kinds = drawable_kinds(*surface(measured))
    assert ((kinds == MEASURED) == whole).all()
    assert (kinds[~whole] == FILLED).all()


def test_a_hole_stays_a_hole_and_takes_nothing_with_it():
    measured = np.ones((60, 60), bool)
    measured[10:50:4, 10:50:4] = False
    kinds = drawable_kinds(*surface(measured))
    assert ((kinds == MEASURED) == measured).all()


def test_rags_are_not_drawn_and_corners_of_what_was_measured_well_stay():
    rng = np.random.default_rng(3)
    measured = np.zeros((200, 200), bool)
    measured[20:90, 20:90] = True  # a roof
    measured[110:190, 110:190] = rng.random((80, 80)) < 0.6  # confetti of one
    found = dense(measured)
    assert found[20:90, 20:90].all()
    assert not found[130:170, 130:170].any()
    assert not dense(np.zeros((50, 50), bool)).any()


def test_a_small_patch_within_measured_ground_is_a_gap_and_no_other():
    kinds = np.full((100, 200), MEASURED, np.uint8)
    kinds[20:26, 20:26] = FILLED  # a hole in a roof
    kinds[30:33, 60:63] = FILLED  # one beside nothing at all
    kinds[33, 60] = EMPTY
    kinds[50:70, 50:70] = FILLED  # a court
    kinds[90:, 100:104] = FILLED  # goes on beyond the window
    kinds[5, 10:190] = FILLED  # a thread, longer than a window surely holds
    found = gaps(kinds, 200)
    assert found[20:26, 20:26].all()
    assert found.sum() == 36


def test_specks_of_the_surface_itself_are_not_even_hatched():
    known = np.zeros((60, 60), bool)
    known[10:40, 10:40] = True
    known[50, 50] = True
    kinds = drawable_kinds(*surface(np.zeros_like(known), known))
    assert (kinds[10:40, 10:40] == FILLED).all()
    assert (kinds[50, 50], kinds[5, 5]) == (EMPTY, EMPTY)


@pytest.mark.parametrize("seed", range(4))
def test_a_cell_is_drawn_alike_in_every_window(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    blobs = cv2.dilate((rng.random((300, 300)) < 0.02).astype(np.uint8), np.ones((5, 5)))
    roofs = cv2.dilate((rng.random((300, 300)) < 0.0003).astype(np.uint8), np.ones((41, 41)))
    rags = (blobs > 0) & (rng.random((300, 300)) < 0.9)
    height, count = surface(rags | ((roofs > 0) & (rng.random((300, 300)) < 0.97)))
    parts = {"surface": height, "confidence": count}

    def window(raster, block):
        padded = np.pad(parts[raster.path], 300, constant_values=np.nan)
        top, left = block.row + 300, block.column + 300
        return padded[top : top + block.rows, left : left + block.columns]

    monkeypatch.setattr(module, "raster_window", window)
    over = grid(300, 300)
    sheet = Sheet(
        surface=Raster(path="surface", grid=over, nodata=None),
        confidence=Raster(path="confidence", grid=over, nodata=None),
        pixels=over,
        cells=over,
        cell_px=1,
    )
    whole = drawn_in(sheet, Block(row=0, column=0, rows=300, columns=300))
    assert 0.05 < (whole == MEASURED).mean() < np.mean(count > 0) - 0.01
    for row, column in ((-10, -7), (90, 120), (131, 260)):
        part = drawn_in(sheet, Block(row=row, column=column, rows=60, columns=70))
        inside = np.s_[max(row, 0) : row + 60, max(column, 0) : column + 70]
        found = part[max(-row, 0) :, max(-column, 0) :][: 300 - max(row, 0), : 300 - max(column, 0)]
        assert (found == whole[inside]).all()
