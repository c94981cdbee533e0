"""How surely clips are placed: cameras, ground at the picture's centre, shots, against the twin.

    .venv/bin/python -m benchmarks.clips --twin TWIN --case CASE [--one-hz CASE]

CASE holds the clips of TWIN (made with `aftermap twin TWIN --clips`) after `aftermap map`; the
second one the drone's clip with the sidecar of 1 Hz. Writes benchmarks/results/clips.json.

A centre's error is that of the ground in the middle of the picture. On the case's own map it is met
on the case's surface, and the truth is brought there by the similarity between true and estimated
cameras. On the globe it is met on the level of the truth as the case has it, so that neither a
roof's edge nor a height that the whole case has wrong hides how the pose does. The twin's receivers
scatter and share no error, as real ones do; so a shared one is drawn as it is stated, a thousand
times, and put on. That equals drawing it before mapping: a shift of all positions shifts all.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.lens import rays_cam
from aftermap.localization.drape import places_met
from aftermap.localization.reference import Reference, surface_in
from aftermap.media.position import CONSUMER_HORIZONTAL_M
from benchmarks.clip_frames import matched
from benchmarks.fitting import Similarity, rms, similarity
from benchmarks.machine import tidy, write_result

WRONG_CE90, WRONG_M = 3.0, 10.0
"""A place is wrong where its error exceeds both this many CE90 and this many metres."""
CHI2_90_3 = 6.251
"""90 % quantile of chi squared with three degrees of freedom."""
FEWEST = 4
"""Cameras that a similarity is worth fitting to."""
DRAWS = 1000
SHARED_M = CONSUMER_HORIZONTAL_M
"""Stated sigma, each axis across, of the error that the positions of a flight share."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A frame of the case beside the truth of the same picture; NaN where it was not placed."""

    entry: Mapping[str, Any]
    true_m: Array
    found_m: Array
    true_shot: int
    centre_m: Array
    """(2,) where the middle is said to look less where it does, on the globe; NaN unknown."""
    own_centre_m: Array
    """The same on the case's own map."""

    @property
    def is_placed(self) -> bool:
        """Whether the case gives it a position."""
        return bool(np.isfinite(self.found_m).all())

    @property
    def centre_error_m(self) -> float:
        """How far off the middle of the picture is said to look."""
        return float(np.hypot(*self.centre_m))

    @property
    def ce90_m(self) -> float:
        """The stated circular error, NaN where none is stated."""
        return self.stated_m("ce90_m")

    def stated_m(self, key: str) -> float:
        """A length of the case's entry, NaN where none is stated."""
        stated = self.entry.get(key)
        return float("nan") if stated is None else float(stated)


@dataclass(frozen=True, kw_only=True)
class Map:
    """A case's own map: its surface, and from true places to places on it."""

    there: Similarity
    surface: Reference


def main() -> None:
    """Measure every clip of the truth that the case holds, print it, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--twin", type=Path, required=True, help="a twin made with --clips")
    parser.add_argument("--case", type=Path, required=True, help="the case that was mapped")
    parser.add_argument("--one-hz", type=Path, help="the case with the sidecar of 1 Hz")
    parser.add_argument("--note", help="what is to be said of how the case came about")
    options = parser.parse_args()
    figures = {"note": options.note} if options.note else {}
    figures |= clip_figures(options.twin, options.case)
    if options.one_hz:
        name = "DJI_0001.MP4"
        figures[f"{name}, 1 Hz"] = clip_figures(options.twin, options.one_hz)[name]
    print(json.dumps(tidy(figures), indent=1))
    print(write_result("clips", figures))


def clip_figures(twin: Path, case: Path) -> dict[str, Any]:
    """Figures by the clip's file name; a clip without frames in the case is said to be skipped."""
    truth = json.loads((twin / "truth" / "clips.json").read_text(encoding="utf-8"))
    cameras = json.loads((case / "products" / "cameras.json").read_text(encoding="utf-8"))
    if cameras["crs"] != truth["crs"]:
        raise SystemExit(f"{case}: is in {cameras['crs']}; map it with --crs {truth['crs']}")
    figures: dict[str, Any] = {}
    map_of_case = Map(
        there=case_from_truth(truth["clips"], cameras["frames"]),
        surface=surface_in(case / "products" / "surface.tif"),
    )
    for clip in truth["clips"]:
        name = Path(clip["clip"]).name
        pairs = pairs_of(clip, cameras["frames"], map_of_case)
        if not pairs:
            figures[name] = {"skipped": f"no frame of {name} in the case"}
            continue
        figures[name] = position_figures(pairs) | {"centre": centre_figures(pairs)}
        figures[name]["by_source"] = by_source(pairs)
        if clip["kind"] == "news":
            figures[name]["shots"] = shot_figures(clip, pairs, lost_shots(name, cameras["frames"]))
    return figures


def case_from_truth(
    clips: Sequence[Mapping[str, Any]], frames: Sequence[Mapping[str, Any]]
) -> Similarity:
    """From true places to places on the case's own map, by the cameras of all its clips."""
    both = [
        (true["position_m"], entry["position_m"])
        for clip in clips
        for entry, true in matched(clip, frames)
        if entry.get("position_m")
    ]
    true, found = (np.array(some, float) for some in zip(*both, strict=True))
    return similarity(true, found)


def pairs_of(clip: Mapping[str, Any], frames: Sequence[Mapping[str, Any]], on: Map) -> list[Pair]:
    """The case's frames of a clip beside the truth."""
    return [_pair(entry, true, on) for entry, true in matched(clip, frames)]


def _pair(entry: Mapping[str, Any], true: Mapping[str, Any], on: Map) -> Pair:
    found = entry.get("position_m") or [np.nan] * 3
    nothing = np.full(2, np.nan)
    centre, own = nothing, nothing
    if true["centre_m"] is not None and entry.get("rotation_cam_from_world"):
        truly = np.array(true["centre_m"])
        shown = on.there.there(truly[None])[0]
        position, ray = _middle(entry)
        centre = _met(position, ray, float(shown[2])) - truly[:2]
        own = (places_met(on.surface, position, ray[None])[0] - shown)[:2]
    return Pair(
        entry=entry,
        true_m=np.array(true["position_m"]),
        found_m=np.array(found, float),
        true_shot=true["shot"],
        centre_m=centre,
        own_centre_m=own,
    )


def _middle(entry: Mapping[str, Any]) -> tuple[Array, Array]:
    """The camera's position, and the ray through the middle of its picture."""
    middle = [[entry["width_px"] / 2, entry["height_px"] / 2]]
    ray = rays_cam(middle, entry["params"])[0] @ np.array(entry["rotation_cam_from_world"])
    return np.array(entry["position_m"]), ray


def _met(position: Array, ray: Array, level_m: float) -> Array:
    """(2,) where a ray meets a level; infinity above the horizon."""
    if ray[2] >= 0:
        return np.full(2, np.inf)
    met = position + ray * (level_m - position[2]) / ray[2]
    return np.asarray(met[:2])


def position_figures(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Errors of camera positions as they are, and after the similarity that fits them best."""
    placed = [pair for pair in pairs if pair.is_placed]
    figures: dict[str, Any] = {"frames": len(pairs), "placed": len(placed)}
    if not placed:
        return figures
    found = np.array([pair.found_m for pair in placed])
    true = np.array([pair.true_m for pair in placed])
    errors = found - true
    figures["position_rmse_m"] = rms(np.linalg.norm(errors, axis=1))
    figures["position_rmse_enu_m"] = np.sqrt((errors**2).mean(0)).tolist()
    figures["position_mean_enu_m"] = errors.mean(0).tolist()
    figures["inside_90_ellipsoid"] = _inside_ellipsoid(placed)
    if len(placed) >= FEWEST:
        moved = similarity(found, true).there(found) - true
        figures["position_rmse_after_similarity_m"] = rms(np.linalg.norm(moved, axis=1))
    return figures


def _inside_ellipsoid(placed: Sequence[Pair]) -> float | None:
    """Share of true positions inside the stated 90 % ellipsoid; None where none is stated."""
    inside = []
    for pair in placed:
        stated = pair.entry.get("position_covariance_m2", pair.entry.get("position_covariance"))
        if stated is not None:
            error = pair.found_m - pair.true_m
            inside.append(error @ np.linalg.pinv(np.array(stated, float)) @ error <= CHI2_90_3)
    return float(np.mean(inside)) if inside else None


def centre_figures(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Errors of the ground at the picture's centre, and the share inside the stated CE90."""
    known = [pair for pair in pairs if not np.isnan(pair.centre_error_m)]
    if not known:
        return {"frames": 0}
    off = np.array([pair.centre_m for pair in known])
    on_map = [pair for pair in known if np.isfinite(pair.own_centre_m).all()]
    shared = np.random.default_rng(5).normal(0, SHARED_M, (DRAWS, 1, 2))
    return {
        "frames": len(known),
        "on_the_globe": _beside_stated(off, [pair.ce90_m for pair in known]),
        "on_the_globe_with_a_shared_error_drawn": {
            "shared_sigma_m": SHARED_M,
            "inside_ce90": _inside(off + shared, [pair.ce90_m for pair in known]),
        },
        "on_its_own_map": _beside_stated(
            np.array([pair.own_centre_m for pair in on_map]),
            [pair.stated_m("ce90_in_case_m") for pair in on_map],
        ),
    }


def _beside_stated(off_m: Array, stated_m: Sequence[float]) -> dict[str, Any]:
    errors = np.linalg.norm(off_m, axis=1)
    return {
        "median_m": float(np.median(errors)),
        "p90_m": float(np.percentile(errors, 90)),
        "ce90_stated": int(np.isfinite(stated_m).sum()),
        "median_ce90_m": float(np.nanmedian(stated_m)) if np.isfinite(stated_m).any() else None,
        "inside_ce90": _inside(off_m, stated_m),
    }


def _inside(off_m: Array, stated_m: Sequence[float]) -> float | None:
    """Share of (..., N, 2) errors within the N circles that are stated."""
    known = np.isfinite(stated_m)
    if not known.any():
        return None
    errors = np.linalg.norm(off_m, axis=-1)[..., known]
    return float((errors <= np.array(stated_m)[known]).mean())


def by_source(pairs: Sequence[Pair]) -> dict[str, Any]:
    """The same by where a pose came from."""
    sources = sorted({str(pair.entry.get("source")) for pair in pairs if pair.is_placed})
    return {
        source: position_figures(some) | {"centre": centre_figures(some)}
        for source in sources
        if (some := [p for p in pairs if p.is_placed and str(p.entry.get("source")) == source])
    }


def lost_shots(clip_name: str, frames: Sequence[Mapping[str, Any]]) -> set[int]:
    """Numbers, from 0, of the shots of a clip that the case names and could not locate."""
    told = (re.fullmatch(rf"{re.escape(clip_name)}, shot (\d+)", entry["name"]) for entry in frames)
    return {int(one[1]) - 1 for one in told if one}


def shot_figures(
    clip: Mapping[str, Any], pairs: Sequence[Pair], lost: Collection[int]
) -> dict[str, Any]:
    """Shots found as they are, and each true shot located, not located, or placed wrongly."""
    shots = []
    for shot in clip["shots"]:
        own = [pair for pair in pairs if pair.true_shot == shot["shot"]]
        shots.append(
            {"shot": shot["shot"], "is_hard": shot["is_hard"]}
            | {"found": _is_found(shot, pairs) or (not own and shot["shot"] in lost)}
            | _place_of(own)
        )
    places = Counter(shot["place"] for shot in shots)
    located = [s["median_centre_m"] for s in shots if s["place"] == "located"]
    return {
        "true": len(shots),
        "found": sum(shot["found"] for shot in shots),
        "in_case": len({pair.entry.get("shot") for pair in pairs} | set(lost)),
        "located": places["located"],
        "not_located": places["not located"],
        "wrong": places["wrong"],
        "median_centre_m": float(np.median(located)) if located else None,
        "shots": shots,
    }


def _is_found(shot: Mapping[str, Any], pairs: Sequence[Pair]) -> bool:
    """Whether one shot of the case holds all frames of the true shot and no others."""
    own = {p.entry.get("shot") for p in pairs if p.true_shot == shot["shot"]}
    others = {p.entry.get("shot") for p in pairs if p.true_shot != shot["shot"]}
    return len(own) == 1 and None not in own and not own & others


def _place_of(own: Sequence[Pair]) -> dict[str, Any]:
    """A shot is wrong if any of its frames is: a map user sees each of them."""
    placed = [pair for pair in own if not np.isnan(pair.centre_error_m)]
    if not placed:
        reasons = Counter(str(pair.entry.get("reason")) for pair in own)
        return {"place": "not located", "reasons": dict(reasons)}
    wrong = [p for p in placed if p.centre_error_m > max(WRONG_M, WRONG_CE90 * _or_zero(p.ce90_m))]
    return {
        "place": "wrong" if wrong else "located",
        "frames": len(own),
        "placed": len(placed),
        "wrong": len(wrong),
        "median_centre_m": float(np.median([p.centre_error_m for p in placed])),
    }


def _or_zero(value: float) -> float:
    return 0.0 if np.isnan(value) else value


if __name__ == "__main__":
    main()
