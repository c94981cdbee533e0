"""A case: the folder that holds the record, the originals and what was made of them.

``case.gpkg`` (the record), ``media/`` (originals), ``products/`` (can be deleted and made again),
``aftermap.toml`` (settings). docs/reference/case.md is the public description.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from aftermap.errors import CaseError
from aftermap.geo.crs import WGS84
from aftermap.model.camera import Reconstruction
from aftermap.model.clip import Clip, Sidecar
from aftermap.model.media import MediaItem
from aftermap.model.runs import Skipped
from aftermap.model.sighting import SightingIndex
from aftermap.record import custody, tables
from aftermap.record.artefact import canonical_json
from aftermap.record.disk import remove_parts, write_text, writing_to
from aftermap.record.geometry import XY, envelope_of
from aftermap.record.geopackage import GeoPackage, create, describe, insert
from aftermap.record.lock import LOCK_NAME, CaseLock
from aftermap.record.sightings import forget_clip, replace_clip
from aftermap.record.store import MediaStore
from aftermap.record.upgrade import FORMAT_VERSION, format_of, upgrade_record

RECORD_NAME = "case.gpkg"
SETTINGS_NAME = "aftermap.toml"

# Names that file managers leave in any folder they show, and what a killed first run leaves.
_NOT_CONTENT = {".DS_Store", ".directory", "Thumbs.db", "desktop.ini", LOCK_NAME}

ACTOR = f"aftermap {version('aftermap')} for the local user"


class Case:
    """An open case. Use :meth:`create_or_open` to write to it, :meth:`open_to_read` to look."""

    def __init__(self, path: Path, package: GeoPackage, closing: ExitStack) -> None:
        self.path = path
        self.package = package
        self._closing = closing

    @classmethod
    def create_or_open(cls, path: Path, *, settings_text: str = "") -> Self:
        """The case in this folder, made if the folder is not there or empty, and held by a lock.

        ``settings_text`` becomes ``aftermap.toml`` where there is none yet.
        """
        path = path.absolute()
        _refuse_other_folders(path)
        with writing_to(path):
            path.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(CaseLock(path))
            remove_parts(path)
            if not (path / RECORD_NAME).exists():
                create(path / RECORD_NAME, tables.ALL, first_rows=_first_rows)
            case = cls(
                path, stack.enter_context(_open_record(path, read_only=False)), stack.pop_all()
            )
        try:
            case._prepare(settings_text)
        except BaseException:
            case.close()
            raise
        return case

    @classmethod
    def open_to_read(cls, path: Path, *, whole: bool = True) -> Self:
        """The case in this folder, without a lock and without writing anything.

        ``whole`` False leaves out the check of the whole record, which takes seconds where it holds
        millions of sightings; a damaged page is then told when it is read. Raises CaseError where
        the folder holds no record, or one that is damaged or of a newer Aftermap.
        """
        path = path.absolute()
        if not (path / RECORD_NAME).is_file():
            raise CaseError(f"{path}: is not a case (no {RECORD_NAME} in it); name a case folder")
        with ExitStack() as stack:
            package = stack.enter_context(_open_record(path, read_only=True, whole=whole))
            return cls(path, package, stack.pop_all())

    def _prepare(self, settings_text: str) -> None:
        if settings_text and not (self.path / SETTINGS_NAME).exists():
            write_text(self.path / SETTINGS_NAME, settings_text)
        for folder in (self.store.folder, self.stages):
            with writing_to(folder):
                folder.mkdir(parents=True, exist_ok=True)
        upgrade_record(self.package, actor=ACTOR)
        self._end_abandoned_runs()

    @property
    def store(self) -> MediaStore:
        """The originals."""
        return MediaStore(folder=self.path / "media")

    @property
    def products(self) -> Path:
        """The folder of what can be made again."""
        return self.path / "products"

    @property
    def stages(self) -> Path:
        """The folder where stages keep their answers and their unfinished work."""
        return self.products / "stages"

    def add_media(
        self,
        items: Iterable[MediaItem | Clip],
        left_out: Iterable[Skipped] = (),
        sidecars: Iterable[Sidecar] = (),
    ) -> int:
        """Record originals that are not recorded yet, with their entry of receipt; how many.

        What is recorded about an original is never changed afterwards. ``left_out`` are files that
        were received as well but could not be used: the chain of custody says so. ``sidecars`` hold
        the telemetry of clips.
        """
        known = {sha256 for (sha256,) in self.package.rows("SELECT sha256 FROM media")}
        new = {item.sha256: item for item in items if item.sha256 not in known}
        known.update(new)
        known.update(subject for (subject,) in self.package.rows("SELECT subject FROM custody"))
        unusable = {one.sha256: one for one in left_out if one.sha256 and one.sha256 not in known}
        with self.package.transaction() as connection:
            for item in new.values():
                _receive(connection, item)
            for one in unusable.values():
                detail = {"name": one.name, "reason": one.reason}
                custody.append(
                    connection, actor=ACTOR, action="left out", subject=one.sha256, detail=detail
                )
            for sidecar in (s for s in sidecars if s.sha256 not in known):
                custody.append(
                    connection,
                    actor=ACTOR,
                    action=custody.SIDECAR,
                    subject=sidecar.sha256,
                    detail={"name": sidecar.name},
                )
            if new:
                bounds = connection.execute(
                    "SELECT min(lon_deg), min(lat_deg), max(lon_deg), max(lat_deg) FROM media"
                ).fetchone()
                describe(connection, "media", crs=WGS84, bounds=bounds)
        return len(new)

    def add_masks(self, masks: Mapping[str, Sidecar | None]) -> None:
        """Record the masks of originals, by their SHA-256, where the record does not say so yet.

        None says that an original has no mask now: where it had one, the record says that it went.
        """
        known = {subject for (subject,) in self.package.rows("SELECT subject FROM custody")}
        held = self._masks_held()
        with self.package.transaction() as connection:
            for mask in (one for one in masks.values() if one is not None):
                if mask.sha256 not in known:
                    known.add(mask.sha256)
                    custody.append(
                        connection,
                        actor=ACTOR,
                        action=custody.MASK,
                        subject=mask.sha256,
                        detail={"name": mask.name},
                    )
            for sha256, one in masks.items():
                now = None if one is None else one.sha256
                if now != held.get(sha256):
                    custody.append(
                        connection,
                        actor=ACTOR,
                        action=custody.MASKED,
                        subject=sha256,
                        detail={"name": None if one is None else one.name, "mask_sha256": now},
                    )

    def mask_of(self, sha256: str) -> Sidecar | None:
        """The mask that the newest run used with an original; None where it used none.

        Raises CaseError where its file is missing from the store.
        """
        mask_sha256 = self._masks_held().get(sha256)
        path = None if mask_sha256 is None else self.store.find(mask_sha256)
        if mask_sha256 is None:
            return None
        if path is None:
            raise CaseError(
                f"{self.path}: the mask {mask_sha256[:16]} is missing from media/; run aftermap "
                "verify on the case"
            )
        return Sidecar(name=f"media/{path.name}", sha256=mask_sha256, path=path)

    def _masks_held(self) -> dict[str, str | None]:
        """The SHA-256 of each original's mask, as the chain of custody last says."""
        rows = self.package.rows(
            f"SELECT subject, detail FROM custody WHERE action = '{custody.MASKED}' ORDER BY seq"  # noqa: S608
        )
        return {subject: json.loads(detail)["mask_sha256"] for subject, detail in rows}

    def media(self) -> list[MediaItem | Clip]:
        """Every original, in the order of receipt."""
        rows = self.package.rows("SELECT metadata FROM media ORDER BY fid")
        return [tables.media_item(metadata) for (metadata,) in rows]

    def is_unfinished(self) -> bool:
        """Whether runs began here and none ended: nothing is known of what footage shows."""
        statuses = {status for (status,) in self.package.rows("SELECT status FROM run")}
        return bool(statuses) and "ok" not in statuses

    def replace_cameras(
        self,
        made: Reconstruction,
        footprints: Mapping[str, Sequence[XY]],
        skipped: Sequence[Skipped] = (),
    ) -> None:
        """Put the newest run's answer in the ``camera`` and ``camera_footprint`` layers.

        ``footprints`` are rings of (east, north) by SHA-256. Photographs that were left out, here
        or earlier (``skipped``), get a row with the reason and no place.
        """
        cameras = [tables.placed_row(placed, made) for placed in made.placed]
        left_out = dict.fromkeys((*skipped, *made.skipped))
        cameras += [tables.skipped_row(one, made) for one in left_out]
        positions = [placed.pose.position_m[:2] for placed in made.placed]
        grounds = tables.footprint_rows(made, footprints)
        corners = [xy for ring in footprints.values() for xy in ring]
        with self.package.transaction() as connection:
            connection.execute("DELETE FROM camera")
            connection.execute("DELETE FROM camera_footprint")
            for name, xys in (("camera", positions), ("camera_footprint", corners)):
                bounds = envelope_of(xys) if xys else None
                describe(connection, name, crs=made.crs, bounds=bounds)
            for row in cameras:
                insert(connection, "camera", row)
            for row in grounds:
                insert(connection, "camera_footprint", row)

    def replace_clips(self, index: SightingIndex) -> None:
        """Put what clips saw in the ``segment``, ``clip_footprint`` and ``sighting`` tables.

        A clip's earlier rows are replaced, or removed where it could not be indexed this time;
        those of clips that the index does not name stay.
        """
        with self.package.transaction() as connection:
            for skipped in index.skipped:
                forget_clip(connection, skipped.sha256)
            for clip in index.clips:
                replace_clip(connection, clip)

    def note(self, action: str, *, subject: str, detail: Mapping[str, object]) -> None:
        """Add an entry to the chain of custody: what was done with which original."""
        with self.package.transaction() as connection:
            custody.append(connection, actor=ACTOR, action=action, subject=subject, detail=detail)

    def start_run(self, *, command: str, options: object, versions: Mapping[str, str]) -> int:
        """Record that a run begins; its number. ``options`` are plain JSON values."""
        with self.package.transaction() as connection:
            run = insert(
                connection,
                "run",
                {
                    "started_at": custody.utc_now(),
                    "command": command,
                    "options": canonical_json(options),
                    "versions": canonical_json(dict(versions)),
                    "status": "running",
                },
            )
            custody.append(
                connection, actor=ACTOR, action="run started", detail={"run": run, "name": command}
            )
        return run

    def end_run(
        self, run: int, *, status: str, message: str | None, results: Mapping[str, object]
    ) -> None:
        """Record how a run ended. ``results``: stages, skipped and products, plain JSON values."""
        detail = {"run": run, "status": status, "products": results.get("products", {})}
        with self.package.transaction() as connection:
            head = custody.append(connection, actor=ACTOR, action="run ended", detail=detail)
            values = {name: canonical_json(value) for name, value in results.items()}
            values |= {"ended_at": custody.utc_now(), "status": status, "custody_head": head}
            names = ", ".join(f"{name} = ?" for name in values)
            connection.execute(
                f"UPDATE run SET {names}, message = ? WHERE fid = ?",  # noqa: S608 - names are ours
                (*values.values(), message, run),
            )

    def _end_abandoned_runs(self) -> None:
        """A run that is still "running" while we hold the lock was killed: say so."""
        for (run,) in self.package.rows("SELECT fid FROM run WHERE status = 'running'"):
            message = "the process ended unexpectedly: it was killed, or the power failed"
            self.end_run(run, status="interrupted", message=message, results={})

    def close(self) -> None:
        """Close the record as one clean file and free the lock."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _refuse_other_folders(path: Path) -> None:
    """Never start a case among a user's other files."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        raise CaseError(
            f"{shown}: cannot be written as text here; choose a case folder with another path, "
            "or set LANG to a UTF-8 one, such as C.UTF-8"
        ) from error
    if path.exists() and not path.is_dir():
        raise CaseError(f"{path}: is a file, but a case is a folder; name another one with --case")
    if not path.exists() or (path / RECORD_NAME).exists():
        return
    with writing_to(path):
        others = sorted(
            entry.name
            for entry in path.iterdir()
            if entry.name not in _NOT_CONTENT and not entry.name.startswith(".part-")
        )
    if others:
        raise CaseError(
            f"{path}: is not empty and is not a case (it contains {others[0]!r} and no "
            f"{RECORD_NAME}); name a new or empty folder with --case"
        )


def _receive(connection: sqlite3.Connection, item: MediaItem | Clip) -> None:
    """The row of an original and its entry in the chain, which holds the digest of the row."""
    row = tables.media_row(item)
    insert(connection, "media", {**row, "added_at": custody.utc_now()})
    detail = {
        "name": item.name,
        "size_bytes": item.size_bytes,
        "metadata_sha256": tables.metadata_sha256(row["metadata"]),
    }
    custody.append(connection, actor=ACTOR, action="received", subject=item.sha256, detail=detail)


def _first_rows(connection: sqlite3.Connection) -> None:
    values = {
        "format_version": str(FORMAT_VERSION),
        "created_by": f"aftermap {version('aftermap')}",
        "created_at": custody.utc_now(),
    }
    for key, value in values.items():
        insert(connection, "case_info", {"key": key, "value": value})
    describe(connection, "media", crs=WGS84, bounds=None)
    custody.append(
        connection, actor=ACTOR, action="case created", detail={"format_version": FORMAT_VERSION}
    )


def _open_record(path: Path, *, read_only: bool, whole: bool = True) -> GeoPackage:
    """The record, if it is a case's and of a version that this Aftermap knows."""
    package = GeoPackage(path / RECORD_NAME, read_only=read_only, again=not whole)
    try:
        _refuse_newer(package)
    except BaseException:
        package.close()
        raise
    return package


def _refuse_newer(package: GeoPackage) -> None:
    found = format_of(package)
    if found is None:
        raise CaseError(
            f"{package.path}: is a GeoPackage but not the record of a case; "
            "name another folder with --case"
        )
    if found > FORMAT_VERSION:
        info = dict(package.rows("SELECT key, value FROM case_info"))
        raise CaseError(
            f"{package.path}: was made by a newer Aftermap ({info.get('created_by', 'unknown')}, "
            f"format {found}; this one reads up to {FORMAT_VERSION}); update Aftermap to open it"
        )
