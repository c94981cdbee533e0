"""Buildings of a map to grades with their evidence, and its streets: every step in turn.

For ``aftermap assess``, and the last part of ``aftermap map`` where footprints are given.
"""

from dataclasses import dataclass
from pathlib import Path

from aftermap.assessment.before import before_in
from aftermap.assessment.grade import Grader, grade_buildings, grader_in
from aftermap.assessment.measure import measure_buildings
from aftermap.assessment.plugin import onnx_grader
from aftermap.buildings.align import aligned_buildings, buildings_as_outlined
from aftermap.buildings.evidence_pictures import Clips, EvidenceSources, Wanted, evidence_of
from aftermap.buildings.footprints import footprints_in
from aftermap.buildings.outline_hull import footprints_of_outlines
from aftermap.buildings.picture_outlines import outlines_in
from aftermap.buildings.view_quality import visibility_of
from aftermap.buildings.views import building_views
from aftermap.config import Settings
from aftermap.errors import InputError
from aftermap.frames.decode import pictures_at
from aftermap.geo.measured_heights import confidence_beside
from aftermap.model.assessment import Before, Grading, Visibility
from aftermap.model.building import Buildings, FootprintSet, MeasureTable, ViewTable
from aftermap.model.camera import Reconstruction
from aftermap.model.clip import Clip
from aftermap.model.evidence import EvidenceSet
from aftermap.model.outlines import OutlinedBuildings
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Executor
from aftermap.model.street import StreetSet, StreetTable
from aftermap.record import Case
from aftermap.record.assessments import newest_draw
from aftermap.run import Runner, Stage
from aftermap.streets.lines import street_lines_in
from aftermap.streets.trafficability import trafficability_of
from aftermap.workflows.stages import ORTHOPHOTO, POSES, SURFACE

Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class ViewQuality:
    """How well each building was seen, in their order."""

    visibility: tuple[Visibility, ...]


OUTLINED = Stage(name="outlined", version=1, answer=FootprintSet)
BUILDINGS = Stage(name="buildings", version=3, answer=Buildings)
VIEWS = Stage(name="views", version=4, answer=ViewTable)
VISIBILITY = Stage(name="visibility", version=3, answer=ViewQuality)
BUILDING_MEASURES = Stage(name="measures", version=5, answer=MeasureTable)
GRADES = Stage(name="grades", version=5, answer=Grading)
EVIDENCE = Stage(name="evidence", version=2, answer=EvidenceSet)
STREETS = Stage(name="streets", version=5, answer=StreetTable)
ALL = (OUTLINED, BUILDINGS, VIEWS, VISIBILITY, BUILDING_MEASURES, GRADES, EVIDENCE, STREETS)


@dataclass(frozen=True, kw_only=True)
class Map:
    """What ``aftermap map`` left of a case: buildings are graded by it."""

    cameras: Reconstruction
    elevation: Elevation
    orthophoto: Orthophoto

    @property
    def area_m(self) -> Box:
        """West, south, east, north of the surface."""
        return self.elevation.surface.grid.area_m


@dataclass(frozen=True, kw_only=True)
class AssessmentInputs:
    """The files that were named, read and checked before the long work.

    ``named`` are footprints, or buildings outlined in the pictures.
    """

    named: FootprintSet | OutlinedBuildings
    streets: StreetSet | None
    before: Before | None
    grader: Grader


@dataclass(frozen=True, kw_only=True)
class Graded:
    """Everything that is known of the buildings and streets of a case after a run."""

    footprints: FootprintSet
    buildings: Buildings
    views: ViewTable
    visibility: tuple[Visibility, ...]
    measures: MeasureTable
    grading: Grading
    evidence: EvidenceSet
    streets: StreetTable


def map_of(run: Runner) -> Map:
    """The map of the newest run that made one."""
    again = "aftermap map"
    return Map(
        cameras=run.latest_result(POSES, command=again),
        elevation=run.latest_result(SURFACE, command=again),
        orthophoto=run.latest_result(ORTHOPHOTO, command=again),
    )


def assessment_inputs(made: Map, settings: Settings) -> AssessmentInputs:
    """The files of the settings, as far as they lie on the map.

    Raises InputError where no footprints are named.
    """
    crs = made.cameras.crs
    before = None
    if settings.before or settings.before_surface:
        before = before_in(
            settings.before,
            settings.before_surface,
            map_crs=crs,
            area_m=made.area_m,
            confirmed=settings.confirm_crs,
        )
    return AssessmentInputs(
        named=_named(made, settings),
        streets=None
        if settings.streets is None
        else street_lines_in(
            settings.streets, map_crs=crs, area_m=made.area_m, confirmed=settings.confirm_crs
        ),
        before=before,
        grader=_grader(settings.model),
    )


def _named(made: Map, settings: Settings) -> FootprintSet | OutlinedBuildings:
    if settings.footprints is not None:
        return footprints_in(
            settings.footprints,
            id_field=settings.id_field,
            crs=settings.footprints_crs,
            map_crs=made.cameras.crs,
            area_m=made.area_m,
            confirmed=settings.confirm_crs,
        )
    if settings.outlines is None:
        raise InputError(
            "no footprints: give building footprints with --footprints, such as an OSM extract, "
            "or outlines drawn in the images with --outlines, or set one in aftermap.toml"
        )
    return outlines_in(settings.outlines)


def _footprints(named: FootprintSet | OutlinedBuildings, made: Map, run: Runner) -> FootprintSet:
    """The footprints on the map: as they were named, or of the outlines in the pictures."""
    if isinstance(named, FootprintSet):
        return named
    return run.stage(
        OUTLINED,
        None,
        [named, made.cameras, made.elevation],
        lambda _: footprints_of_outlines(named, made.cameras, made.elevation),
    )


def grade_map(
    made: Map,
    settings: Settings,
    case: Case,
    run: Runner,
    executor: Executor,
    shown: tuple[str, ...] = (),
) -> Graded:
    """Footprints to grades with their evidence, and streets to ways through: every step in turn."""
    asked = run.each_time("footprints", lambda: assessment_inputs(made, settings))
    footprints = _footprints(asked.named, made, run)
    run.skip(footprints.skipped)
    measured = _measure(made, asked, footprints, settings, run, executor)
    buildings, seen = measured.buildings, measured.seen
    grading = run.stage(
        GRADES,
        asked.grader.sha256,
        [buildings, measured.measures, seen],
        lambda _: grade_buildings(buildings, measured.measures, seen.visibility, asked.grader),
    )
    streets = run.stage(
        STREETS,
        None,
        [asked.streets, buildings, made.elevation, made.orthophoto],
        lambda files: trafficability_of(
            asked.streets, buildings, made.elevation, made.orthophoto, files, executor
        ),
    )
    run.skip(streets.skipped)
    return Graded(
        footprints=footprints,
        buildings=buildings,
        views=measured.views,
        visibility=seen.visibility,
        measures=measured.measures,
        grading=grading,
        evidence=_evidence_on(made, buildings, measured.views, case, run, executor, shown),
        streets=streets,
    )


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """Buildings, the views of them, how well each was seen, and what was measured on it."""

    buildings: Buildings
    views: ViewTable
    seen: ViewQuality
    measures: MeasureTable


def _measure(
    made: Map,
    asked: AssessmentInputs,
    footprints: FootprintSet,
    settings: Settings,
    run: Runner,
    executor: Executor,
) -> _Measured:
    """Everything that grades rest on, each step in turn."""
    cameras, elevation, picture = made.cameras, made.elevation, made.orthophoto
    is_outlined = isinstance(asked.named, OutlinedBuildings)
    buildings = _buildings_on(made, footprints, run, executor, is_outlined=is_outlined)
    views = run.stage(
        VIEWS,
        None,
        [buildings, cameras, elevation],
        lambda files: building_views(buildings, cameras, elevation, files, executor),
    )
    seen = run.stage(
        VISIBILITY,
        None,
        [buildings, views, elevation],
        lambda files: ViewQuality(
            visibility=visibility_of(buildings, views, elevation, files, executor)
        ),
    )
    earlier = [settings.before, settings.before_surface, *_earlier_confidence(settings)]
    measures = run.stage(
        BUILDING_MEASURES,
        None,
        [buildings, elevation, picture, *earlier],
        lambda files: measure_buildings(
            buildings, elevation, picture, asked.before, files, executor
        ),
    )
    return _Measured(buildings=buildings, views=views, seen=seen, measures=measures)


def _buildings_on(
    made: Map, footprints: FootprintSet, run: Runner, executor: Executor, *, is_outlined: bool
) -> Buildings:
    """The buildings of footprints, aligned to the map unless they were outlined on it."""
    elevation, picture = made.elevation, made.orthophoto
    return run.stage(
        BUILDINGS,
        "outlined" if is_outlined else None,
        [footprints, elevation, picture],
        lambda files: (
            buildings_as_outlined(footprints)
            if is_outlined
            else aligned_buildings(footprints, elevation, picture, files, executor)
        ),
    )


def _earlier_confidence(settings: Settings) -> list[Path | None]:
    """What says which of the earlier map's heights were measured, where it is one of Aftermap's."""
    return [
        None if path is None else confidence_beside(path)
        for path in (settings.before, settings.before_surface)
    ]


def _evidence_on(
    made: Map,
    buildings: Buildings,
    views: ViewTable,
    case: Case,
    run: Runner,
    executor: Executor,
    shown: tuple[str, ...],
) -> EvidenceSet:
    wanted = Wanted(queue=_queue(case), asked=shown)
    material = EvidenceSources(
        cameras=made.cameras,
        elevation=made.elevation,
        orthophoto=made.orthophoto,
        clips=_clips(case),
    )
    evidence = run.stage(
        EVIDENCE,
        None,
        [buildings, views, made.cameras, made.elevation, made.orthophoto, wanted.queue, shown],
        lambda files: evidence_of(buildings, views, material, wanted, files, executor),
    )
    run.skip(evidence.skipped)
    return evidence


def _grader(path: Path | None) -> Grader:
    if path is not None and path.suffix.casefold() == ".onnx":
        return onnx_grader(path)
    return grader_in(path)


def _queue(case: Case) -> tuple[str, ...]:
    """The buildings that people are asked to look at: those of the newest sample."""
    draw = newest_draw(case.package)
    return () if draw is None else tuple(one.source_id for one in draw.buildings)


def _clips(case: Case) -> Clips:
    kept = {
        one.sha256: case.store.find(one.sha256) for one in case.media() if isinstance(one, Clip)
    }
    paths = {sha256: path for sha256, path in kept.items() if path is not None}
    return Clips(paths=paths, pictures_at=pictures_at)
