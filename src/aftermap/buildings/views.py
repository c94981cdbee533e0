"""Buildings, placed pictures and the surface -> which picture shows which building, and how well.

Buildings are taken a square of the town at a time, with the surface around it that could hide them.
A picture shows a building where spots on its roof lie in the picture with a free line of sight over
what was measured of the surface (``geo.march``): a filled height hides nothing. A wall is seen
where spots before it are, at less than 75 degrees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from aftermap.buildings.levels import (
    PARTS,
    ROOF,
    LevelledBuilding,
    on_low_ground,
    placed_on,
    spots_of,
)
from aftermap.geo.arrays import (
    AnyArray,
    Array,
    BoolArray,
    GenericArray,
    Int32Array,
    IntArray,
    ObjectArray,
)
from aftermap.geo.footprint import footprint_m
from aftermap.geo.lens import projected_px
from aftermap.geo.march import eye_row, spots_seen
from aftermap.geo.masks import covered, read_mask
from aftermap.geo.measured_heights import measured_over
from aftermap.geo.polygon import neighbourhoods
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2
from aftermap.geo.viewing import (
    azimuth_of_deg,
    ground_sample_m,
    off_nadir_of_deg,
    rank_m,
)
from aftermap.model.building import Buildings, Polygon, ViewTable
from aftermap.model.camera import Camera, PlacedFrame, Reconstruction
from aftermap.model.raster import Elevation
from aftermap.model.runs import Executor, Workspace
from aftermap.model.sighting import SURFACE_SIGMA_M

Columns = dict[str, AnyArray]

SCHEMA = pa.schema(
    [
        ("building", pa.int32()),
        ("sha256", pa.string()),
        ("clip_sha256", pa.string()),
        ("time_s", pa.float64()),
        ("frame", pa.int32()),
        ("distance_m", pa.float32()),
        ("azimuth_deg", pa.float32()),
        ("off_nadir_deg", pa.float32()),
        ("ground_sample_m", pa.float32()),
        ("framed_fraction", pa.float32()),
        ("occluded_fraction", pa.float32()),
        ("faces", pa.int32()),
        ("ce90_m", pa.float32()),
        ("rank_m", pa.float32()),
    ]
)
NUMBERS = tuple(name for name in SCHEMA.names if name not in ("sha256", "clip_sha256", "time_s"))
FACE_BITS = (1, 2, 4, 8)


@dataclass(frozen=True, kw_only=True)
class ViewOptions:
    """Limits of what counts as a view, and how many are kept.

    ``block_m``: side of the square of town that is worked on at once. ``reach_m``: the surface so
    far around it can hide it (a tower of 40 m at 70 degrees off nadir). ``march_cell_m``: surfaces
    finer than this are averaged to it. ``farthest_heights``, ``farthest_m``: a view ends 8 flying
    heights away (83 degrees off nadir), farther than in the index of clips: the surface is measured
    there, and what it was measured from must not be called unseen. ``lean_m``: a roof stands so far
    outside the ground of a picture that still shows it. ``least_framed``: share of the roof that
    must be in the picture. ``most_occluded``: where more of that is hidden and no wall is seen, it
    is no view. ``wall_share``: a wall is seen by this share of its spots. ``nadir_deg``: up to here
    a view is from above. ``most_views``: kept for each building. ``ground_sigma_m``: of a height.
    """

    block_m: float = 250.0
    reach_m: float = 100.0
    march_cell_m: float = 0.5
    farthest_heights: float = 8.0
    farthest_m: float = 1500.0
    lean_m: float = 25.0
    least_framed: float = 0.25
    most_occluded: float = 0.9
    wall_share: float = 0.3
    nadir_deg: float = 25.0
    most_views: int = 20
    ground_sigma_m: float = SURFACE_SIGMA_M


@dataclass(frozen=True, kw_only=True)
class _Eyes:
    """Every placed picture: as a row of the loops, and what is asked of it afterwards."""

    rows: Array
    focal_px: Array
    covariance: Array
    farthest_m: Array
    hulls: ObjectArray
    masks: tuple[tuple[str, Camera] | None, ...]

    def only(self, chosen: IntArray) -> "_Eyes":
        return _Eyes(
            rows=self.rows[chosen],
            focal_px=self.focal_px[chosen],
            covariance=self.covariance[chosen],
            farthest_m=self.farthest_m[chosen],
            hulls=self.hulls[chosen],
            masks=tuple(self.masks[i] for i in chosen),
        )


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Some neighbouring buildings, and the pictures whose ground they may stand on."""

    buildings: IntArray
    outlines: tuple[tuple[Polygon, ...], ...]
    frames: IntArray
    eyes: _Eyes
    otherwise_m: float


def building_views(
    buildings: Buildings,
    cameras: Reconstruction,
    elevation: Elevation,
    files: Workspace,
    executor: Executor,
    options: ViewOptions = ViewOptions(),
) -> ViewTable:
    """The best views of every building: one from above and one of each side first, then the next.

    Photographs and frames of clips, also those that the map is not made of. Where a mask says that
    something lies over the picture, that part of a roof or wall is not in it. A building that no
    picture shows has no row: it was not seen, which says nothing of its damage.
    """
    blocks = list(_blocks_of(buildings, cameras, options))
    work = partial(_looked_at, elevation=elevation, options=options)
    best: list[Columns] = []
    with (
        files.writing("clip_views.parquet") as part,
        pq.ParquetWriter(part, SCHEMA, compression="zstd") as writer,
    ):
        for found, every in executor.map(work, blocks, label="views"):
            best.append(found)
            of_clips = _only(every, _is_clip(cameras)[every["frame"]])
            writer.write_table(_table(of_clips, cameras))
    columns = _concatenated(best)
    order = np.lexsort((columns["rank_m"], columns["building"]))
    with files.writing("views.parquet") as part:
        pq.write_table(_table(_only(columns, order), cameras), part, compression="zstd")
    return ViewTable(
        path=str(files.path("views.parquet")),
        clip_path=str(files.path("clip_views.parquet")),
        views=len(order),
    )


def _blocks_of(
    buildings: Buildings, cameras: Reconstruction, options: ViewOptions
) -> Iterator[_Block]:
    if not buildings.buildings or not cameras.placed:
        return
    eyes = _eyes_of(cameras, options)
    tree = shapely.STRtree(eyes.hulls)
    middles = np.array([_middle(one.polygons_m) for one in buildings.buildings])
    ground_m = float(np.median([np.mean(one.ground_m) for one in cameras.placed]))
    for numbers in neighbourhoods(middles, options.block_m):
        (west, south), (east, north) = middles[numbers].min(axis=0), middles[numbers].max(axis=0)
        frames = np.sort(tree.query(shapely.box(west, south, east, north), predicate="intersects"))
        if len(frames):
            outlines = tuple(buildings.buildings[i].polygons_m for i in numbers)
            yield _Block(
                buildings=numbers,
                outlines=outlines,
                frames=frames,
                eyes=eyes.only(frames),
                otherwise_m=ground_m,
            )


def _eyes_of(cameras: Reconstruction, options: ViewOptions) -> _Eyes:
    lenses = [cameras.cameras[one.camera] for one in cameras.placed]
    rows = [
        eye_row(
            one.pose.rotation_cam_from_world,
            one.pose.position_m,
            lens.params,
            (lens.width_px, lens.height_px),
        )
        for one, lens in zip(cameras.placed, lenses, strict=True)
    ]
    heights = np.array([one.pose.position_m[2] - np.mean(one.ground_m) for one in cameras.placed])
    unknown = np.full((6, 6), np.nan)
    return _Eyes(
        rows=np.array(rows),
        focal_px=np.array([lens.focal_px for lens in lenses]),
        covariance=np.array(
            [unknown if one.covariance is None else one.covariance for one in cameras.placed]
        ),
        farthest_m=np.clip(options.farthest_heights * heights, 0, options.farthest_m),
        hulls=np.array(
            [_ground(one, lens, options) for one, lens in zip(cameras.placed, lenses, strict=True)],
            object,
        ),
        masks=tuple(
            None if one.frame.mask is None else (one.frame.mask, lens)
            for one, lens in zip(cameras.placed, lenses, strict=True)
        ),
    )


def _ground(placed: PlacedFrame, lens: Camera, options: ViewOptions) -> shapely.Geometry:
    ring = footprint_m(placed, lens, farthest_heights=options.farthest_heights)
    return shapely.MultiPoint(ring).convex_hull.buffer(options.lean_m, quad_segs=2)


def _middle(polygons_m: Sequence[Polygon]) -> Array:
    corners = np.array([place for rings in polygons_m for place in rings[0]])
    return np.asarray((corners.min(axis=0) + corners.max(axis=0)) / 2, float)


def _looked_at(
    block: _Block, *, elevation: Elevation, options: ViewOptions
) -> tuple[Columns, Columns]:
    """The views of a block's buildings that are kept, and all that there are."""
    corners = np.array([xy for polygons in block.outlines for rings in polygons for xy in rings[0]])
    low, high = corners.min(axis=0) - options.reach_m, corners.max(axis=0) + options.reach_m
    over = measured_over(
        elevation, (low[0], low[1]), (high[0], high[1]), cell_m=options.march_cell_m
    )
    heights, grid = over.measured_m, over.grid
    whole = on_low_ground(heights, grid, otherwise_m=block.otherwise_m)
    placed = [placed_on(one, heights, grid, whole.outside_m) for one in block.outlines]
    pairs = _pairs(placed, block.eyes)
    spots = spots_of(placed)
    framed, hidden = spots_seen(spots, pairs, block.eyes.rows, whole)
    if any(block.eyes.masks):
        framed -= _masked(placed, pairs, block.eyes, framed)
        hidden = np.minimum(hidden, framed)
    counts = np.stack([np.bincount(one.part, minlength=PARTS) for one in placed])[pairs[:, 0]]
    every = _showing(_columns(placed, pairs, framed, hidden, counts, block, options), options)
    return _only(every, _rows_kept(every, options)), every


def _pairs(placed: Sequence[LevelledBuilding], eyes: _Eyes) -> IntArray:
    """(P, 2) building and picture, within the picture's ground and its reach."""
    middles = np.array([one.middle_m for one in placed])
    points = shapely.points(middles[:, :2])
    pairs = shapely.STRtree(eyes.hulls).query(points, predicate="intersects").T
    away = middles[pairs[:, 0], :2] - eyes.rows[pairs[:, 1], 9:11]
    near = np.hypot(away[:, 0], away[:, 1]) <= eyes.farthest_m[pairs[:, 1]]
    below = middles[pairs[:, 0], 2] < eyes.rows[pairs[:, 1], 11]
    return np.ascontiguousarray(pairs[near & below], np.int64)


def _masked(
    placed: Sequence[LevelledBuilding], pairs: IntArray, eyes: _Eyes, framed: Int32Array
) -> Int32Array:
    """(P, parts) how many of the framed spots of each part lie under the picture's mask.

    Each mask is read once, picture by picture. Raises InputError where one can no longer be read.
    """
    under = np.zeros_like(framed)
    for picture in np.unique(pairs[:, 1]):
        mask = eyes.masks[picture]
        if mask is None:
            continue
        shown, lens = read_mask(mask[0]), mask[1]
        row = eyes.rows[picture]
        for p in np.flatnonzero((pairs[:, 1] == picture) & (framed > 0).any(axis=1)):
            one = placed[pairs[p, 0]]
            px = projected_px((one.place_m - row[9:12]) @ row[:9].reshape(3, 3).T, lens.params)
            with np.errstate(invalid="ignore"):
                inside = ((px >= 0) & (px < [lens.width_px, lens.height_px])).all(axis=1)
            hit = one.part[inside & covered(shown, lens, px)]
            under[p] = np.minimum(framed[p], np.bincount(hit, minlength=PARTS))
    return under


def _columns(
    placed: Sequence[LevelledBuilding],
    pairs: IntArray,
    framed: Int32Array,
    hidden: Int32Array,
    counts: IntArray,
    block: _Block,
    options: ViewOptions,
) -> Columns:
    eyes, at = block.eyes, pairs[:, 1]
    middle = np.array([one.middle_m for one in placed])[pairs[:, 0]]
    position = eyes.rows[at, 9:12]
    off_nadir, azimuth = off_nadir_of_deg(position, middle), azimuth_of_deg(middle, position)
    sample = ground_sample_m(position, middle, eyes.rows[at, 6:9], eyes.focal_px[at])
    spread = ground_covariance_m2(
        position, middle, eyes.covariance[at], ground_sigma_m=options.ground_sigma_m
    )
    distance = np.linalg.norm(middle - position, axis=1)
    share = framed[:, ROOF] / counts[:, ROOF]
    occluded = hidden[:, ROOF] / np.maximum(framed[:, ROOF], 1)
    walls = (framed - hidden)[:, ROOF + 1 :] >= options.wall_share * counts[:, ROOF + 1 :]
    walls &= counts[:, ROOF + 1 :] > 0
    circle = np.minimum(ce90_m(spread), distance)
    return {
        "building": block.buildings[pairs[:, 0]],
        "frame": block.frames[at],
        "distance_m": distance,
        "azimuth_deg": azimuth,
        "off_nadir_deg": off_nadir,
        "ground_sample_m": sample,
        "framed_fraction": share,
        "occluded_fraction": occluded,
        "faces": walls @ np.array(FACE_BITS),
        "ce90_m": circle,
        "rank_m": rank_m(sample, off_nadir, share * (1 - occluded), circle),
    }


def _showing(columns: Columns, options: ViewOptions) -> Columns:
    seen = (columns["occluded_fraction"] <= options.most_occluded) | (columns["faces"] > 0)
    return _only(columns, (columns["framed_fraction"] >= options.least_framed) & seen)


def _rows_kept(views: Columns, options: ViewOptions) -> IntArray:
    """Rows of the views that are kept: from above, of each side, and then by rank."""
    order = np.lexsort((views["rank_m"], views["building"]))
    ends = np.nonzero(np.diff(views["building"][order]))[0] + 1
    kept = [_best(mine, views, options) for mine in np.split(order, ends)]
    return np.concatenate([*kept, np.empty(0, np.int64)]).astype(np.int64)


def _best(mine: IntArray, views: Columns, options: ViewOptions) -> IntArray:
    """At most so many of one building's views, which come in the order of their rank."""
    if len(mine) <= options.most_views:
        return mine
    wanted = [views["off_nadir_deg"][mine] <= options.nadir_deg]
    wanted += [(views["faces"][mine] & bit) > 0 for bit in FACE_BITS]
    first = [mine[np.argmax(like)] for like in wanted if like.any()]
    kept = dict.fromkeys([*first, *mine])
    return np.fromiter(kept, np.int64)[: options.most_views]


def _only(columns: Columns, chosen: GenericArray) -> Columns:
    return {name: column[chosen] for name, column in columns.items()}


def _concatenated(parts: Sequence[Columns]) -> Columns:
    return {
        name: np.concatenate([*(part[name] for part in parts), np.empty(0, int)])
        for name in NUMBERS
    }


def _is_clip(cameras: Reconstruction) -> BoolArray:
    return np.array([one.frame.moment is not None for one in cameras.placed])


def _table(columns: Columns, cameras: Reconstruction) -> pa.Table:
    moments = [one.frame.moment for one in cameras.placed]
    frames = columns["frame"].astype(np.int64)
    clips = pa.array([m and m.clip_sha256 for m in moments], pa.string())
    times = pa.array([m and float(m.time_s) for m in moments], pa.float64())
    named = {
        "sha256": pa.array([one.frame.sha256 for one in cameras.placed], pa.string()).take(frames),
        "clip_sha256": clips.take(frames),
        "time_s": times.take(frames),
    }
    return pa.table(
        {
            name: named[name]
            if name in named
            else pa.array(columns[name], kind, from_pandas=True, safe=False)
            for name, kind in zip(SCHEMA.names, SCHEMA.types, strict=True)
        },
        schema=SCHEMA,
    )
