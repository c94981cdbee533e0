"""A reconstruction without place or scale -> one laid onto the known places of some buildings.

The pictures say which way is up and where the ground is; what is missing is where the map is, how
large, and where north is. A building whose longitude and latitude are known, within metres, is a
ray in every picture that shows it; where those rays meet the level of its middle is its place in
the map. A similarity in plan (Umeyama 1991, in complex numbers) lays all of them onto what is
known, places that the others contradict left aside. Nothing bends: such places are far less sure
than the pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aftermap.errors import ControlError
from aftermap.geo.arrays import Array, BoolArray
from aftermap.geo.crs import WGS84, fitting_crs, transformed_xy, utm_crs
from aftermap.geo.lens import rays_cam
from aftermap.geo.tuples import matrix3, matrix6, row6, vector3
from aftermap.model.camera import (
    ControlResidual,
    Matrix3,
    Matrix6,
    PlacedFrame,
    Reconstruction,
)
from aftermap.model.media import VerticalDatum
from aftermap.model.outlines import PLACE_ROLE, KnownPlace
from aftermap.model.runs import Skipped

LEAST_PLACES = 4
LEAST_DEPRESSION_DEG = 4.0
"""A ray nearer to the horizon than this meets the ground anywhere."""
MISFIT_SHARE = 0.2
"""Places that miss by more than this share of their extent are not those of the pictures."""
LEAST_WEIGHT = 0.25
ROUNDS = 6
TURNS = 40
APART = "does not overlap the images that the known places of buildings georeference"


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """``place = scale * turned(local) + shift`` as complex numbers, ``turn`` being scale e^(i yaw).

    ``middle`` is of the local places and ``known_middle`` of the known ones. ``relative_sigma`` is
    of the size, and in radians of the direction of north; ``shift_sigma_m`` along each axis.
    """

    turn: complex
    middle: complex
    known_middle: complex
    weight: Array
    residual: Array
    relative_sigma: float = np.nan
    shift_sigma_m: float = np.nan

    @property
    def scale(self) -> float:
        return abs(self.turn)

    def placed(self, local: Array) -> Array:
        """(N,) complex places on the map of (N,) complex local ones."""
        return np.asarray(self.known_middle + self.turn * (local - self.middle))


def laid_on_places(
    local: Reconstruction, places: Sequence[KnownPlace], crs: str | None
) -> Reconstruction:
    """The mapped group in a projected CRS, in metres; heights are above the ground below it.

    ``crs`` is the UTM zone of the places where None. Other groups are left out, as nothing places
    them. The tie points of ``local.points`` are written anew. Raises ControlError where fewer than
    four places are seen, or where they do not fit the pictures.
    """
    lonlat = np.array([place.lonlat_deg for place in places], float).reshape(-1, 2)
    middle = lonlat.mean(axis=0)
    east_north = (float(middle[0]), float(middle[1]))
    target_crs = utm_crs(*east_north) if crs is None else fitting_crs(crs, *east_north)
    known = transformed_xy(WGS84, target_crs, lonlat) @ np.array([1, 1j])
    fit, seen = _fitted(local, places, known)
    _write_points(Path(local.points), fit, len(local.mapped))
    used = np.asarray(seen & (fit.weight >= LEAST_WEIGHT))
    fit = _with_errors(fit, known[used], used)
    return replace(
        local,
        crs=target_crs,
        vertical_datum=VerticalDatum.GROUND,
        placed=tuple(_placed_frame(one, fit) for one in local.mapped),
        skipped=(*local.skipped, *_left_apart(local)),
        mapped_group=0,
        control=_residuals(local, places, known, fit, used),
        warnings=(
            *local.warnings,
            *_warnings(places, fit, np.asarray(seen & ~used), int(used.sum())),
        ),
    )


def _fitted(
    local: Reconstruction, places: Sequence[KnownPlace], known: Array
) -> tuple[_Fit, BoolArray]:
    """The fit, and (N,) which of the places were seen. The middles' heights follow the scale."""
    half_m = np.array([place.half_height_m for place in places])
    fit, seen = _fitted_at(local, places, known, np.zeros(len(places)))
    for _ in range(ROUNDS):
        fit, seen = _fitted_at(local, places, known, half_m / fit.scale)
    extent = float(np.abs(known[seen] - fit.known_middle).max())
    typical = float(np.median(np.abs(fit.residual[seen])))
    if typical > MISFIT_SHARE * extent:
        raise ControlError(
            f"the known places of the outlined buildings do not fit the images: after the best fit "
            f"they miss by {typical:.0f} m; check lon, lat and the ids of the outlines"
        )
    return fit, seen


def _fitted_at(
    local: Reconstruction, places: Sequence[KnownPlace], known: Array, heights: Array
) -> tuple[_Fit, BoolArray]:
    """The fit with the middles at (N,) heights of the local frame."""
    at = _places_in(local, places, heights)
    seen = np.isfinite(at)
    if seen.sum() < LEAST_PLACES:
        raise ControlError(
            f"{int(seen.sum())} outlined buildings with a known place are seen in the mapped "
            f"images; at least {LEAST_PLACES} give the map a scale"
        )
    return _similarity(np.where(seen, at, 0), known, seen.astype(float)), np.asarray(seen)


def _places_in(local: Reconstruction, places: Sequence[KnownPlace], heights: Array) -> Array:
    """(N,) complex east and north of the middles in the local frame; NaN where none is seen."""
    by_name = {Path(one.frame.name).name.casefold(): one for one in local.mapped}
    found = np.full(len(places), complex(np.nan, np.nan))
    for k, place in enumerate(places):
        met = [
            spot
            for name, xy in place.seen_px
            if (one := by_name.get(name.casefold())) is not None
            and (spot := _on_level(local, one, xy, float(heights[k]))) is not None
        ]
        if met:
            east, north = np.median(np.array(met), axis=0)
            found[k] = complex(east, north)
    return found


def _on_level(
    local: Reconstruction, one: PlacedFrame, xy_px: tuple[float, float], height: float
) -> Array | None:
    """Where the ray of a pixel meets a level; None near the horizon."""
    ray = rays_cam([xy_px], local.cameras[one.camera].params)[0]
    ray = ray @ np.array(one.pose.rotation_cam_from_world)
    if not -ray[2] > np.sin(np.radians(LEAST_DEPRESSION_DEG)) * np.linalg.norm(ray):
        return None
    position = np.array(one.pose.position_m)
    return np.asarray((position + ray * (height - position[2]) / ray[2])[:2])


def _similarity(local: Array, known: Array, seen: Array) -> _Fit:
    """The similarity of (N,) complex places, by iterated weights; ``seen`` (N,) is 1 or 0."""
    fit = _weighted(local, known, seen)
    for _ in range(TURNS):
        typical = max(float(np.median(np.abs(fit.residual[seen > 0]))), 1e-6)
        weight = seen / (1 + (np.abs(fit.residual) / (3 * typical)) ** 2) ** 2
        fit = _weighted(local, known, weight)
    return fit


def _weighted(local: Array, known: Array, weight: Array) -> _Fit:
    middle, known_middle = (complex(weight @ part / weight.sum()) for part in (local, known))
    away = local - middle
    spread = max(float(weight @ np.abs(away) ** 2), 1e-12)
    turn = complex((weight * np.conj(away)) @ (known - known_middle) / spread)
    residual = np.asarray(known_middle + turn * away - known)
    return _Fit(
        turn=turn,
        middle=middle,
        known_middle=known_middle,
        weight=weight,
        residual=residual,
    )


def _with_errors(fit: _Fit, known: Array, used: BoolArray) -> _Fit:
    """The fit with its errors, from the residuals of the (N,) places that are used.

    Four numbers were fitted to two of each place.
    """
    axis_m = float(np.sqrt((np.abs(fit.residual[used]) ** 2).sum() / (2 * len(known) - 4)))
    spread = float(np.sqrt((np.abs(known - known.mean()) ** 2).sum()))
    return replace(
        fit, relative_sigma=axis_m / spread, shift_sigma_m=axis_m / float(np.sqrt(len(known)))
    )


def _placed_frame(one: PlacedFrame, fit: _Fit) -> PlacedFrame:
    yaw = float(np.angle(fit.turn))
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1.0]])
    position = np.array(one.pose.position_m)
    at = complex(fit.placed(np.array([complex(*position[:2])]))[0])
    both = np.zeros((6, 6))
    both[:3, :3], both[3:, 3:] = fit.scale * turn, turn
    common = _common_covariance(at - fit.known_middle, fit.scale * position[2], fit)
    low, high = one.ground_m
    velocity = one.velocity
    return replace(
        one,
        group=0,
        ground_m=(fit.scale * low, fit.scale * high),
        pose=replace(
            one.pose,
            rotation_cam_from_world=matrix3(np.array(one.pose.rotation_cam_from_world) @ turn.T),
            position_m=vector3([at.real, at.imag, fit.scale * position[2]]),
            covariance_m2=_moved3(one.pose.covariance_m2, both[:3, :3], common[:3, :3]),
        ),
        covariance=_moved6(one.covariance, both, common),
        covariance_in_case=_moved6(one.covariance_in_case, both, np.zeros((6, 6))),
        velocity=velocity and row6([*(fit.scale * turn @ np.array(velocity[:3])), *velocity[3:]]),
    )


def _common_covariance(away: complex, height_m: float, fit: _Fit) -> Array:
    """(6, 6) what shift, size and north of the whole leave open of a position and a turn.

    ``away`` is how far the position lies from the middle of the whole, in metres.
    """
    by = np.zeros((6, 4))  # east and north of the shift, size, turn
    by[0, 0] = by[1, 1] = 1
    by[:3, 2] = away.real, away.imag, height_m
    by[:2, 3] = -away.imag, away.real
    by[5, 3] = 1
    sigmas = np.array([fit.shift_sigma_m] * 2 + [fit.relative_sigma] * 2)
    return np.asarray(by @ np.diag(sigmas**2) @ by.T)


def _moved3(covariance: Matrix3, by: Array, common: Array) -> Matrix3:
    return matrix3(by @ np.array(covariance) @ by.T + common)


def _moved6(covariance: Matrix6 | None, by: Array, common: Array) -> Matrix6 | None:
    return covariance and matrix6(by @ np.array(covariance) @ by.T + common)


def _write_points(path: Path, fit: _Fit, frames: int) -> None:
    """Tie points on the map: those that the first ``frames`` frames, the mapped ones, see."""
    with np.load(path) as file:
        held: Mapping[str, Array] = {name: file[name] for name in file.files}
    xyz, own = held["xyz_m"], held["frame_index"] < frames
    at = fit.placed(xyz[:, 0] + 1j * xyz[:, 1])
    with path.open("wb") as out:
        np.savez(
            out,
            xyz_m=np.column_stack([at.real, at.imag, fit.scale * xyz[:, 2]]),
            frame_index=held["frame_index"][own],
            point_index=held["point_index"][own],
        )


def _left_apart(local: Reconstruction) -> list[Skipped]:
    return [
        Skipped(name=one.frame.name, reason=APART, sha256=one.frame.sha256)
        for one in local.placed
        if one.group != local.mapped_group
    ]


def _residuals(
    local: Reconstruction, places: Sequence[KnownPlace], known: Array, fit: _Fit, used: BoolArray
) -> tuple[ControlResidual, ...]:
    """The places that hold the map, as the pictures see them minus as they are known, in plan."""
    mapped = {Path(one.frame.name).name.casefold(): one.frame.name for one in local.mapped}
    return tuple(
        ControlResidual(
            name=places[k].name,
            role=PLACE_ROLE,
            position_m=vector3([known[k].real, known[k].imag, places[k].half_height_m]),
            residual_m=vector3([fit.residual[k].real, fit.residual[k].imag, np.nan]),
            reprojection_px=None,
            images=tuple(
                mapped[name.casefold()]
                for name, _ in places[k].seen_px
                if name.casefold() in mapped
            ),
        )
        for k in np.flatnonzero(used).tolist()
    )


def _warnings(places: Sequence[KnownPlace], fit: _Fit, aside: BoolArray, used: int) -> list[str]:
    told = (
        f"Position, scale and north come from the known places of {used} outlined buildings: "
        f"lengths and heights may be wrong by {100 * fit.relative_sigma:.1f} % (one standard "
        "deviation). An error that all these places share is not in this figure."
    )
    return [
        told,
        *(
            f"The known place of building {places[k].name} disagrees with the others by "
            f"{abs(fit.residual[k]):.0f} m and was not used: check its lon, lat and outlines."
            for k in np.flatnonzero(aside).tolist()
        ),
    ]
