"""A small case for the workbench: a district of boxes, two photographs and a clip, in a second.

The clip's pictures are told apart by their brightness: picture i is grey of 6 i + 10.
"""

import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import rasterio
import shapely
from in_process import InProcess
from PIL import Image
from rasterio.transform import Affine

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.polygon import polygons_of
from aftermap.media.video import probe_video
from aftermap.model.assessment import (
    GRADES,
    Assessment,
    AssessorKind,
    Grade,
    Grading,
    Reason,
    ReasonSide,
)
from aftermap.model.building import Alignment, Building, Buildings, Footprint, ShiftSource
from aftermap.model.camera import Camera, CameraPose, Frame, PlacedFrame, Reconstruction
from aftermap.model.evidence import Evidence, EvidenceKind, EvidenceSet
from aftermap.model.media import FocalPrior, FocalSource, MediaItem, VerticalDatum
from aftermap.model.sighting import FLAT_GROUND
from aftermap.model.trajectory import ClipPose, PoseSource, Trajectory
from aftermap.record import Case
from aftermap.record.assessments import add_assessments
from aftermap.record.building_table import replace_buildings
from aftermap.record.evidence_table import place_evidence, replace_evidence
from aftermap.record.workspace import StageFolder
from aftermap.viewshed import index_clips

CRS = "EPSG:32637"
EAST_M, NORTH_M = 500_000.0, 3_978_200.0
SIDE_CELLS, CELL_M, GROUND_M = 400, 0.5, 250.0
FOCAL_PX, WIDTH_PX, HEIGHT_PX = 1200.0, 320, 240
CLIP_PICTURES, CLIP_RATE_HZ = 30, 10
ROOF_M, HOUSE_M, APART_M, HOUSES_PER_ROW = 9.0, 12.0, 20.0, 9
IMPRESSIVE_NAME = "<img src=x onerror=alert(1)> صورة.jpg"


def outline(index: int) -> shapely.Polygon:
    """The ground of a house."""
    east = EAST_M + 10 + APART_M * (index % HOUSES_PER_ROW)
    north = NORTH_M - 22 - APART_M * (index // HOUSES_PER_ROW)
    return shapely.box(east, north, east + HOUSE_M, north + HOUSE_M)


def make_case(path: Path, *, houses: int = 12, with_clip: bool = True) -> Path:
    """The folder of a whole case."""
    originals = path.parent / f"{path.name}-originals"
    originals.mkdir(parents=True)
    with Case.create_or_open(path) as case:
        run = case.start_run(command="map", options={}, versions={})
        photos = [_photograph(case, originals, name) for name in (IMPRESSIVE_NAME, "plain.jpg")]
        case.add_media(photos)
        _add_cameras(case, photos)
        _write_rasters(case.products, houses)
        if with_clip:
            _add_clip(case, originals)
        if houses:
            _add_buildings(case, houses, photos[0])
        case.end_run(run, status="ok", message=None, results={"products": {}})
    return path


def _photograph(case: Case, folder: Path, name: str) -> MediaItem:
    shade = int(hashlib.sha256(name.encode()).hexdigest()[:2], 16)
    file = folder / f"{shade}.jpg"
    Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (shade, 120, 90)).save(file)
    stored = case.store.add(file)
    focal = FocalPrior(focal_px=FOCAL_PX, sigma_px=20.0, source=FocalSource.FOCAL_35MM)
    return MediaItem(
        sha256=stored.sha256,
        name=name,
        size_bytes=stored.size_bytes,
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        focal=focal,
        taken_at="2024-05-01T10:11:12",
        clock="camera local time, zone unknown",
    )


def _camera() -> Camera:
    return Camera(
        model="OPENCV",
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        params=(FOCAL_PX / 4, FOCAL_PX / 4, WIDTH_PX / 2, HEIGHT_PX / 2, 0.0, 0.0, 0.0, 0.0),
        focal_prior_px=FOCAL_PX / 4,
        focal_prior_source=FocalSource.FOCAL_35MM,
        focal_sigma_px=5.0,
        focal_decision="held",
    )


def _down(east: float, north: float, height: float) -> CameraPose:
    rotation = rotation_cam_from_world(0.0, -90.0, 0.0)
    return CameraPose(
        rotation_cam_from_world=tuple(tuple(float(v) for v in row) for row in rotation),
        position_m=(east, north, GROUND_M + height),
        covariance_m2=((0.04, 0.0, 0.0), (0.0, 0.04, 0.0), (0.0, 0.0, 0.09)),
    )


def _add_cameras(case: Case, photos: list[MediaItem]) -> None:
    placed = []
    for i, photo in enumerate(photos):
        frame = Frame(
            sha256=photo.sha256,
            name=photo.name,
            path="x",
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
            orientation=1,
            camera_key="one",
            focal_px=FOCAL_PX / 4,
            focal_sigma_px=5.0,
            focal_source=FocalSource.FOCAL_35MM,
        )
        placed.append(
            PlacedFrame(
                frame=frame,
                camera=0,
                pose=_down(EAST_M + 60 + 40 * i, NORTH_M - 60, 100.0),
                reprojection_px=0.5,
                tie_points=900,
                group=0,
                ground_m=(GROUND_M, GROUND_M + 9),
            )
        )
    made = Reconstruction(
        crs=CRS,
        vertical_datum=VerticalDatum.ELLIPSOID,
        cameras=(_camera(),),
        placed=tuple(placed),
        skipped=(),
        points="points.npz",
        mapped_group=0,
        group_sizes=(len(placed),),
        reprojection_px=0.5,
    )
    rings = {
        one.frame.sha256: [
            (one.pose.position_m[0] + x, one.pose.position_m[1] + y)
            for x, y in ((-50, -40), (50, -40), (50, 40), (-50, 40))
        ]
        for one in placed
    }
    case.replace_cameras(made, rings)


def _write_rasters(products: Path, houses: int) -> None:
    transform = Affine(CELL_M, 0, EAST_M, 0, -CELL_M, NORTH_M)
    heights = np.full((SIDE_CELLS, SIDE_CELLS), GROUND_M, np.float32)
    for i in range(houses):
        west, south, east, north = outline(i).bounds
        rows = slice(int((NORTH_M - north) / CELL_M), int((NORTH_M - south) / CELL_M))
        columns = slice(int((west - EAST_M) / CELL_M), int((east - EAST_M) / CELL_M))
        heights[rows, columns] += ROOF_M
    counts = np.full(heights.shape, 6, np.uint8)
    counts[:, :40] = 0
    heights[:, :10] = -9999
    picture = np.stack(
        [
            np.where(heights > GROUND_M, 200, 120),
            np.indices(heights.shape)[1] // 2 % 256,
            np.full(heights.shape, 90),
            np.where(heights > 0, 255, 0),
        ]
    ).astype(np.uint8)
    for name, bands, nodata in (
        ("orthophoto", picture, None),
        ("surface", heights[None], -9999),
        ("confidence", counts[None], None),
    ):
        with rasterio.open(
            products / f"{name}.tif",
            "w",
            driver="GTiff",
            width=SIDE_CELLS,
            height=SIDE_CELLS,
            count=len(bands),
            dtype=bands.dtype,
            crs=CRS,
            transform=transform,
            nodata=nodata,
            tiled=True,
            blockxsize=256,
            blockysize=256,
        ) as raster:
            raster.write(bands)
            if name == "orthophoto":
                raster.colorinterp = [rasterio.enums.ColorInterp(i) for i in (3, 4, 5, 6)]
            if name == "surface":
                raster.update_tags(AFTERMAP_VERTICAL_DATUM="ellipsoid")


def write_clip(path: Path, pictures: int = CLIP_PICTURES) -> Path:
    """An H.264 clip whose pictures have a brightness each."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=CLIP_RATE_HZ, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for i in range(pictures):
            shade = np.full((HEIGHT_PX, WIDTH_PX, 3), 6 * i + 10, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def _add_clip(case: Case, folder: Path) -> None:
    stored = case.store.add(write_clip(folder / "flight.mp4"))
    clip = probe_video(stored.path, name="flight طيران.mp4", sha256=stored.sha256)
    case.add_media([clip])
    covariance = tuple(tuple(float(v) for v in row) for row in np.diag([0.04] * 3 + [1e-6] * 3))
    poses = tuple(
        ClipPose(
            time_s=Fraction(i, CLIP_RATE_HZ),
            shot=0,
            covariance=covariance,
            pose=_down(EAST_M + 50 + i, NORTH_M - 60, 80.0),
            source=PoseSource.RECONSTRUCTION,
        )
        for i in range(0, CLIP_PICTURES, 2)
    )
    path = Trajectory(
        clip_sha256=clip.sha256,
        clip_name=clip.name,
        crs=CRS,
        vertical_datum=VerticalDatum.ELLIPSOID,
        camera=_camera(),
        poses=poses,
        ground_m=GROUND_M,
    )
    files = StageFolder(folder=case.path / "products" / "clips")
    files.path("x").parent.mkdir(exist_ok=True)
    case.replace_clips(index_clips([path], [clip], FLAT_GROUND, files, InProcess()))


def _add_buildings(case: Case, houses: int, photo: MediaItem) -> None:
    names = [f"B{i:03d}" for i in range(houses)]
    names[0] = "<b>مبنى</b> 0"
    buildings, grades = [], []
    for i, name in enumerate(names):
        shape = outline(i)
        parts = polygons_of(shape)
        buildings.append(
            Building(
                footprint=Footprint(
                    source_id=name, feature=i, polygons_m=parts, area_m2=shape.area
                ),
                alignment=Alignment(
                    shift_m=(0.0, 0.0), sigma_m=0.2, residual_m=0.1, source=ShiftSource.OWN
                ),
                polygons_m=parts,
            )
        )
        grades.append(_grade(i, name))
    grading = Grading(assessments=tuple(grades), model="made up", model_sha256="0" * 64)
    made = Buildings(crs=CRS, buildings=tuple(buildings))
    replace_buildings(case.package, made, grading, None)
    add_assessments(case.package, grades, actor="test")
    rows = [row for i, name in enumerate(names) for row in _evidence(case, i, name, photo)]
    found = EvidenceSet(rows=tuple(rows), pictured=tuple(range(houses)))
    replace_evidence(case.package, found, actor="test")
    place_evidence(found, case.products)


def _grade(i: int, name: str) -> Assessment:
    if i % 6 == 5:
        return Assessment(
            source_id=name,
            kind=AssessorKind.MACHINE,
            assessor="made up",
            grade=None,
            not_assessed_reason="hardly seen",
        )
    grade = GRADES[i % 5]
    return Assessment(
        source_id=name,
        kind=AssessorKind.MACHINE,
        assessor="made up",
        grade=grade,
        grades=(grade,),
        confidence=0.5 + 0.04 * (i % 10),
        is_possible=grade is Grade.NONE,
        probabilities=(0.2,) * 5,
        reasons=(
            Reason(text="roof 2.1 m lower than expected", side=ReasonSide.FOR),
            Reason(text="rubble beside it", side=ReasonSide.AGAINST),
        ),
    )


def _evidence(case: Case, i: int, name: str, photo: MediaItem) -> list[Evidence]:
    rows = []
    for rank, kind in enumerate((EvidenceKind.ORTHOPHOTO, EvidenceKind.VIEW), start=1):
        file = case.path.parent / f"{case.path.name}-originals" / f"{i}-{rank}.jpg"
        Image.new("RGB", (160, 120), (20 * (i % 10), 100, 80 * rank)).save(file)
        rows.append(
            Evidence(
                building=i,
                source_id=name,
                kind=kind,
                rank=rank,
                path=str(file),
                name=f"{i}-{rank}.jpg",
                file_sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
                original_sha256=photo.sha256,
                original_name=photo.name,
                distance_m=60.0,
                azimuth_deg=90.0 * rank,
                ground_sample_m=0.02,
                occluded_fraction=0.1,
            )
        )
    return rows
