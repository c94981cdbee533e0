"""One picture and the buildings in it -> a crop of each, upright, outlined, with its window.

Cut out of the pixels of the original as stored, the lens's distortion left in. North is up in views
from nearly above, the vertical in all others. A crop is enlarged or reduced by whole numbers only
and turned by whole quarters where that is within 3 degrees, so that its pixels are those of the
original wherever nothing forces it otherwise. Lines are drawn over a copy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import shapely

from aftermap.buildings.lettering import BEYOND, PAPER, traced
from aftermap.geo.arrays import Array, BoolArray, ByteArray
from aftermap.geo.lens import seen_px
from aftermap.geo.march import HeightWindow, Spots, eye_row, spots_seen
from aftermap.geo.polygon import shape_of
from aftermap.model.building import Polygon
from aftermap.model.camera import Camera, PlacedFrame
from aftermap.model.evidence import CropWindow

ABOVE_DEG = 25.0
"""Off nadir up to here a crop has north up."""
SNAP_DEG = 3.0
ASPECT = 4 / 3
MARGIN = 0.35
LEAST_ACROSS_M = 18.0
SHOWN_PX = (620, 1300)
"""Least and most width of a crop; between them one pixel of the original is one of the crop."""
MOST_ENLARGED = 12
STEP_M = 0.4
ROOF_COLOUR, GROUND_COLOUR = (10, 214, 255), (255, 190, 0)
LEAST_ROOF_M = 1.5
"""A building lower than this is outlined on the ground only."""
PROUD_M = 0.35


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What is drawn of a building: its outlines on the ground and at the roof, densely.

    Each ring is (N, 3); ``beside`` holds the same places moved a little off the walls and up, where
    it is asked whether they are seen. ``roof`` is empty where nothing stands. ``unmeasured`` names
    the levels (ground, roof) that nobody measured and that were therefore assumed.
    """

    ground: tuple[Array, ...]
    ground_beside: tuple[Array, ...]
    roof: tuple[Array, ...]
    middle_m: Array
    heights: HeightWindow
    unmeasured: str | None = None


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A drawn crop and where it came from. ``north_deg`` is clockwise from up in the crop."""

    picture: ByteArray
    window: CropWindow
    north_deg: float


def drawn_of(
    polygons_m: Sequence[Polygon], ground_m: float, roof_m: float, heights: HeightWindow
) -> Drawn:
    """The outlines of a building; ``heights`` are the surface around it, without holes."""
    shape = shape_of(polygons_m)
    rings = _rings(shape)
    stands = roof_m - ground_m >= LEAST_ROOF_M
    return Drawn(
        ground=tuple(_at(ring, ground_m) for ring in rings),
        ground_beside=tuple(_at(_outwards(ring), ground_m + PROUD_M) for ring in rings),
        roof=tuple(_at(ring, roof_m) for ring in rings) if stands else (),
        middle_m=np.array(
            [*shapely.get_coordinates(shape.centroid)[0], roof_m if stands else ground_m]
        ),
        heights=heights,
    )


def crop_of(
    picture: ByteArray,
    placed: PlacedFrame,
    lens: Camera,
    drawn: Drawn,
    mask: ByteArray | None,
) -> Crop | None:
    """A building cut out of a picture; None where no part of its outline lies in it.

    ``picture`` is (rows, columns, 3) uint8 BGR; ``mask`` (rows, columns) is 0 where something lies
    over the scene: that part is hatched in the crop.
    """
    eye = _Eye(placed=placed, lens=lens)
    places = eye.px(np.concatenate([*drawn.ground, *drawn.roof]))
    known = places[np.isfinite(places).all(axis=1)]
    within = ((known >= 0) & (known < [lens.width_px, lens.height_px])).all(axis=1)
    if not within.any():
        return None
    towards_up, towards_north = eye.directions(drawn.middle_m)
    is_above = eye.off_nadir_deg(drawn.middle_m) <= ABOVE_DEG
    turn = _snapped(-_from_up_deg(towards_north if is_above else towards_up))
    cut = _Cut.around(known, turn, eye.pixels_per_m(drawn.middle_m), picture.shape[:2])
    out = cut.out_of(picture, cv2.INTER_CUBIC, BEYOND)
    if mask is not None:
        covered = cut.out_of(mask, cv2.INTER_NEAREST, (255,)) == 0
        out = _hatched(out, covered)
    ground = _seen_stretches(drawn.ground, drawn.ground_beside, eye, drawn.heights)
    proud = [ring + np.array([0, 0, PROUD_M]) for ring in drawn.roof]
    roof = _seen_stretches(drawn.roof, proud, eye, drawn.heights)
    out = traced(out, [cut.shown_px(eye.px(line)) for line in ground], GROUND_COLOUR)
    out = traced(out, [cut.shown_px(eye.px(line)) for line in roof], ROOF_COLOUR)
    return Crop(
        picture=out, window=cut.window, north_deg=(_from_up_deg(towards_north) + turn) % 360
    )


@dataclass(frozen=True, kw_only=True)
class _Eye:
    """A placed picture and what it does with places in the world."""

    placed: PlacedFrame
    lens: Camera

    def px(self, places_m: Array) -> Array:
        return seen_px(places_m, self.placed.pose, self.lens.params)

    def directions(self, place_m: Array) -> tuple[Array, Array]:
        """(2,) which way up and which way north go in the picture, at a place."""
        here, up, north = self.px(place_m + np.array([[0, 0, 0], [0, 0, 0.5], [0, 0.5, 0]]))
        return up - here, north - here

    def pixels_per_m(self, place_m: Array) -> float:
        away = place_m - np.asarray(self.placed.pose.position_m, float)
        return self.lens.focal_px / float(np.linalg.norm(away))

    def off_nadir_deg(self, place_m: Array) -> float:
        away = place_m - np.asarray(self.placed.pose.position_m, float)
        return math.degrees(math.atan2(math.hypot(away[0], away[1]), -away[2]))

    def sees(self, places_m: Array, heights: HeightWindow) -> BoolArray:
        count = len(places_m)
        spots = Spots(
            place_m=np.ascontiguousarray(places_m),
            normal=np.zeros((count, 3)),
            part=np.zeros(count, np.int64),
            starts=np.arange(count + 1),
            parts=1,
        )
        pairs = np.column_stack([np.arange(count), np.zeros(count, np.int64)])
        row = eye_row(
            self.placed.pose.rotation_cam_from_world,
            self.placed.pose.position_m,
            self.lens.params,
            (self.lens.width_px, self.lens.height_px),
        )
        framed, hidden = spots_seen(spots, pairs, row[None], heights)
        return np.asarray(framed[:, 0] > hidden[:, 0])


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """Between pixels of the original and of the crop.

    ``shown_from_px`` (2, 3) takes places in the original, from its outer corner, to the crop's.
    """

    window: CropWindow
    shown_from_px: Array
    size_px: tuple[int, int]

    @classmethod
    def around(
        cls, places_px: Array, turn_deg: float, pixels_per_m: float, shape: tuple[int, ...]
    ) -> "_Cut":
        """A window of fixed shape around places, as large as its contents ask for."""
        angle = math.radians(turn_deg)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        turned = places_px @ turn.T
        low, high = turned.min(axis=0), turned.max(axis=0)
        across = np.maximum((high - low) * (1 + 2 * MARGIN), LEAST_ACROSS_M * pixels_per_m)
        width = min(max(across[0], across[1] * ASPECT), 2.0 * max(shape))
        scale = _scale(width)
        size = max(1, round(width * scale)), max(1, round(width / ASPECT * scale))
        corner = np.floor((low + high) / 2 - np.array(size) / scale / 2)
        shown = scale * np.column_stack([turn, -corner])
        corners = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]])
        back = (corners / scale + corner) @ turn
        first = np.clip(np.floor(back.min(axis=0) + 1e-6), 0, [shape[1], shape[0]]).astype(int)
        last = np.clip(np.ceil(back.max(axis=0) - 1e-6), 0, [shape[1], shape[0]]).astype(int)
        window = CropWindow(
            left_px=int(first[0]),
            top_px=int(first[1]),
            width_px=int(last[0] - first[0]),
            height_px=int(last[1] - first[1]),
            turn_deg=turn_deg,
            scale=scale,
        )
        return cls(window=window, shown_from_px=shown, size_px=size)

    def shown_px(self, xy_px: Array) -> Array:
        """(N, 2) places in the crop of places in the original."""
        return np.asarray(xy_px @ self.shown_from_px[:, :2].T + self.shown_from_px[:, 2])

    def out_of(self, picture: ByteArray, how: int, beyond: Sequence[int]) -> ByteArray:
        """The crop's pixels, those beyond the picture's edge in one colour."""
        one = self.window
        part = picture[
            one.top_px : one.top_px + one.height_px, one.left_px : one.left_px + one.width_px
        ]
        times = min(1.0, one.scale)
        if times < 1:
            small = max(1, round(part.shape[1] * times)), max(1, round(part.shape[0] * times))
            part = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.uint8)
        shrunk = np.array(
            [part.shape[1] / max(1, one.width_px), part.shape[0] / max(1, one.height_px)]
        )
        # From the part's pixels to the original's, then to the crop's; OpenCV counts from centres.
        place = self.shown_from_px[:, :2] / shrunk
        offset = self.shown_px(np.array([[one.left_px, one.top_px]], float))[0]
        centred = offset + place @ [0.5, 0.5] - 0.5
        out = cv2.warpAffine(
            np.ascontiguousarray(part),
            np.column_stack([place, centred]),
            self.size_px,
            flags=how,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=[int(v) for v in beyond],
        )
        return np.asarray(out, np.uint8)


def _scale(width_px: float) -> float:
    """How many pixels of the crop one of the original becomes: 1, 2, 3 ..., 1/2, 1/3 ..."""
    least, most = SHOWN_PX
    if width_px < least:
        return float(min(MOST_ENLARGED, math.ceil(least / width_px)))
    return 1.0 / math.ceil(width_px / most)


def _snapped(turn_deg: float) -> float:
    turn = (turn_deg + 180) % 360 - 180
    quarter = round(turn / 90) * 90
    return float(quarter if abs(turn - quarter) <= SNAP_DEG else turn)


def _from_up_deg(direction_px: Array) -> float:
    """Clockwise from up of a direction in a picture, y down."""
    return math.degrees(math.atan2(direction_px[0], -direction_px[1]))


def _rings(shape: shapely.MultiPolygon) -> list[Array]:
    """Every ring with places at most ``STEP_M`` apart; the building lies to their left."""
    turned = shapely.orient_polygons(shape)
    return [
        shapely.get_coordinates(shapely.segmentize(ring, STEP_M))
        for part in turned.geoms
        for ring in (part.exterior, *part.interiors)
    ]


def _at(ring: Array, height_m: float) -> Array:
    return np.column_stack([ring, np.full(len(ring), height_m)])


def _outwards(ring: Array) -> Array:
    """A closed ring whose places are moved off the wall that they stand at."""
    along = np.roll(ring[:-1], -1, axis=0) - np.roll(ring[:-1], 1, axis=0)
    length = np.maximum(np.linalg.norm(along, axis=1), 1e-9)[:, None]
    moved = ring[:-1] + 2 * PROUD_M * np.column_stack([along[:, 1], -along[:, 0]]) / length
    return np.vstack([moved, moved[:1]])


def _seen_stretches(
    rings: Sequence[Array], beside: Sequence[Array], eye: _Eye, heights: HeightWindow
) -> list[Array]:
    """The parts of rings that nothing hides, as lines of two places or more."""
    lines = []
    for ring, asked in zip(rings, beside, strict=True):
        seen = eye.sees(asked, heights)
        edges = np.nonzero(np.diff(np.concatenate([[0], seen.astype(int), [0]])))[0]
        stretches = edges.reshape(-1, 2)
        lines += [ring[first:last] for first, last in stretches if last - first >= 2]
    return lines


def _hatched(picture: ByteArray, covered: BoolArray) -> ByteArray:
    """The picture with stripes where something lies over the scene."""
    rows, columns = np.indices(covered.shape)
    stripes = covered & ((rows + columns) % 12 < 4)
    out = picture.copy()
    out[stripes] = PAPER
    return out
