"""What a run was given, for the record; and from the record, the same given once more.

With its options a run keeps ``given``: the footage by name and SHA-256 in the order in which it was
used, and the SHA-256 of every other file that an option names. Footage is in the case's own store;
the other files are found where they were, or in a folder that is named.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

from aftermap.config import FILES, Settings
from aftermap.errors import CaseError, InputError
from aftermap.media import Ingested
from aftermap.model.runs import Progress
from aftermap.record import Case
from aftermap.record.artefact import PATH_MARK, decode_artefact, encode_artefact
from aftermap.record.custody import SIDECAR, entries_of
from aftermap.record.disk import sha256_of_file, writing_to
from aftermap.record.run_table import FinishedRun, finished_runs
from aftermap.run import Runner

GIVEN = "given"
MASKS = "masks"
REPEATED = ("map", "assess")
"""Commands that are made again from what the record holds; others need a person's input."""


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """A finished run as the record tells it.

    ``options`` are the settings as plain JSON; ``given`` is empty in records made before it was
    kept; ``products`` are SHA-256 by name; ``stages`` are versions by name.
    """

    command: str
    options: Mapping[str, Any]
    given: Mapping[str, Any]
    products: Mapping[str, str]
    versions: Mapping[str, str]
    stages: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class _Original:
    """A file in the store: its digest, its name below the footage folder, what it is a mask of."""

    sha256: str
    name: str
    mask_of: str | None = None


def note_footage(run: Runner, received: Ingested) -> None:
    """Keep with a run the footage that it was given, in the order in which it is used."""
    sidecars = [one for several in received.sidecars.values() for one in several]
    left_out = [one for one in received.skipped if one.sha256 is not None]
    names: dict[str | None, str] = {}
    for one in (*received.originals, *sidecars, *left_out):
        names.setdefault(one.sha256, one.name)
    footage = [{"name": name, "sha256": sha256} for sha256, name in names.items()]
    masks = {sha256: one.sha256 for sha256, one in received.masks.items()}
    run.note_given(footage=footage, masks=masks)


def note_files(run: Runner, settings: Settings) -> None:
    """Keep with a run the digests of the files that its settings name, footage and masks apart."""
    named = {name: getattr(settings, name) for name in FILES if name != MASKS}
    run.note_given(
        files={
            name: sha256_of_file(path)
            for name, path in named.items()
            if path is not None and path.is_file()
        }
    )


def runs_to_repeat(case: Case) -> list[RecordedRun]:
    """The newest finished map and what was finished on it since, the newest of each command.

    Raises CaseError where no map was finished.
    """
    runs = [_recorded(one) for one in finished_runs(case.package)]
    maps = [place for place, one in enumerate(runs) if one.command == "map"]
    if not maps:
        raise CaseError(f"{case.path}: has no finished map to make again; run aftermap map first")
    newest = {one.command: one for one in runs[maps[-1] :]}
    return list(newest.values())


def _recorded(run: FinishedRun) -> RecordedRun:
    asked = json.loads(run.options)
    return RecordedRun(
        command=run.command,
        options={name: value for name, value in asked.items() if name != GIVEN},
        given=asked.get(GIVEN, {}),
        products=json.loads(run.products or "{}"),
        versions=json.loads(run.versions),
        stages={one["stage"]: one["version"] for one in json.loads(run.stages or "[]")},
    )


def lay_out_footage(
    case: Case, recorded: RecordedRun, folder: Path, progress: Progress
) -> tuple[list[Path], Path | None]:
    """The footage of a run under its names in ``folder``, as a command takes it; its masks' folder.

    The paths are in the order of the run, then the folder that names them. Raises CaseError where
    an original is missing from the store, or is not what was received.
    """
    originals = list(_originals_of(case, recorded))
    paths = []
    progress.stage("originals")
    for done, one in enumerate(originals, start=1):
        kind = "footage" if one.mask_of is None else MASKS
        target = folder / kind / one.name
        _copy_original(case, one, target)
        if one.mask_of is None:
            paths.append(target)
        progress.advance("originals verified", done, len(originals))
    masks = folder / MASKS
    return [*paths, folder / "footage"], masks if masks.is_dir() else None


def settings_of(
    case: Case, recorded: RecordedRun, folders: Sequence[Path], masks: Path | None
) -> Settings:
    """The settings of a run, its files found again; ``masks`` is where its masks lie now.

    Raises InputError where a file is not to be found or was changed, CaseError where the record has
    an option that this Aftermap does not know.
    """
    known = {field.name for field in fields(Settings)}
    if unknown := sorted(recorded.options.keys() - known):
        raise CaseError(
            f"{case.path}: its run of {recorded.command} has the option {unknown[0]!r}, which this "
            "Aftermap does not know; use the version that the record names"
        )
    plain = encode_artefact(Settings(), root=None) | dict(recorded.options)
    digests = recorded.given.get("files", {})
    for name in FILES:
        if plain[name] is not None and name != MASKS:
            there = _found(name, case.path / plain[name][PATH_MARK], digests.get(name), folders)
            plain[name] = {PATH_MARK: there.as_posix()}
    plain[MASKS] = None if masks is None else {PATH_MARK: masks.as_posix()}
    return decode_artefact(Settings, plain, root=case.path)


def _originals_of(case: Case, recorded: RecordedRun) -> Iterator[_Original]:
    """Each file of a run's footage, then its masks by the picture that each belongs to."""
    footage = recorded.given.get("footage") or _all_received(case)
    names = _told_apart({one["sha256"]: one["name"] for one in footage})
    for sha256, name in names.items():
        yield _Original(sha256=sha256, name=name)
    masks = recorded.given.get("masks")
    if masks is None:
        held = {sha256: case.mask_of(sha256) for sha256 in names}
        masks = {sha256: one.sha256 for sha256, one in held.items() if one is not None}
    for sha256, mask in masks.items():
        yield _Original(sha256=mask, name=f"{names[sha256]}.png", mask_of=sha256)


def _told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Names by SHA-256; the second file of a name, from another run, goes into a folder of its own.

    Every one stays below the folder that it is put into, whoever wrote the record.
    """
    taken: dict[str, str] = {}
    for sha256, name in names.items():
        parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..", ".")]
        below = "/".join(parts) or sha256
        taken[f"{sha256[:8]}/{below}" if below in taken else below] = sha256
    return {sha256: name for name, sha256 in taken.items()}


def _all_received(case: Case) -> list[dict[str, str]]:
    """Of a record that names no footage: all that was received, in that order, clicks apart."""
    found = [{"name": one.name, "sha256": one.sha256} for one in case.media()]
    chain = entries_of(case.package)
    entries = [(one.action, one.subject, json.loads(one.detail or "{}")) for one in chain]
    clicked = {detail.get("ties_sha256") for action, _, detail in entries if action == "located"}
    for action, subject, detail in entries:
        if action in ("left out", SIDECAR) and subject not in clicked:
            found.append({"name": str(detail.get("name")), "sha256": str(subject)})
    return found


def _copy_original(case: Case, one: _Original, target: Path) -> None:
    """The original under its name, its bytes held against its digest."""
    kept = case.store.find(one.sha256)
    if kept is None or sha256_of_file(kept) != one.sha256:
        what = "is missing from media/" if kept is None else "was changed in media/"
        raise CaseError(
            f"{one.name}: the original {what}; aftermap verify {case.path} lists what is not as "
            "recorded"
        )
    if target.exists() and sha256_of_file(target) == one.sha256:
        return
    with writing_to(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copyfile(kept, target)


def _found(name: str, path: Path, sha256: str | None, folders: Sequence[Path]) -> Path:
    """Where the file of an option is now: where it was, or in one of the folders by its digest."""
    if path.is_file() and sha256 in (None, sha256_of_file(path)):
        return path
    for folder in folders:
        named = sorted(folder.rglob(path.name))
        others = [] if sha256 is None else sorted(folder.rglob(f"*{path.suffix}"))
        for one in (*named, *others):
            if one.is_file() and sha256 in (None, sha256_of_file(one)):
                return one.absolute()
    wrong = "is not the file of the recorded run" if path.is_file() else "does not exist"
    asked = "" if sha256 is None else f" of SHA-256 {sha256}"
    raise InputError(
        f"{path}: the {name} of the recorded run {wrong}; give a folder with the file{asked} with "
        "--files"
    )
