"""Runs a stage or finds its recorded answer; the only code that knows of caching.

A stage is a pure function of its options and inputs. Its key is SHA-256 over its name, its
explicit version, the versions of the libraries that it computes with, its options and the digests
of its inputs: their values and the bytes of their files, never a path or a time. The answer is
written last and whole into ``products/stages/<name>-<key>/answer.json``; a folder without one is
unfinished work whose finished items are used by the next run with the same key.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version as version_of
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from rasterio._err import CPLE_BaseError

from aftermap.cost import Meter, give_back_memory
from aftermap.errors import CaseError
from aftermap.model.runs import Progress, Skipped, StageRecord
from aftermap.record import Case, StageFolder
from aftermap.record.artefact import (
    canonical_json,
    decode_artefact,
    digest,
    encode_artefact,
    paths_in,
)
from aftermap.record.custody import utc_now
from aftermap.record.disk import (
    sha256_of_file,
    telling_disk_trouble,
    whole_file,
    write_text,
    writing_to,
)
from aftermap.versions import TOOLS, versions

Answer = TypeVar("Answer")

ANSWER_NAME = "answer.json"
KEY_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Stage(Generic[Answer]):
    """A step as the case knows it.

    name: what the folder, the progress bar and the report call it.
    version: raised whenever the same inputs can give a different answer.
    answer: the frozen dataclass that the step returns; its files are named in it.
    tools: the libraries whose change of version makes an earlier answer void.
    """

    name: str
    version: int
    answer: type[Answer]
    tools: tuple[str, ...] = TOOLS


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file that an answer names. Size and time only save hashing it again."""

    size_bytes: int
    modified_ns: int
    sha256: str


class Runner:
    """One run on a case: runs its stages, and records how it went, whichever way it ends.

    ``options`` is what the user asked for, kept in the record. ``fresh`` drops every earlier
    answer first.
    """

    def __init__(
        self, case: Case, *, command: str, options: object, progress: Progress, fresh: bool = False
    ) -> None:
        self._case = case
        self._command = command
        self._options = options
        self._progress = progress
        self._fresh = fresh
        self._files: dict[Path, _File] = {}
        self._records: list[StageRecord] = []
        self._skipped: dict[Skipped, None] = {}
        self._products: dict[str, str] = {}
        self._missing: str | None = None
        self._given: dict[str, object] = {}

    @property
    def records(self) -> tuple[StageRecord, ...]:
        """What every stage so far took, for the report."""
        return tuple(self._records)

    @property
    def products(self) -> frozenset[str]:
        """The names of the files that this run has put in ``products/`` so far."""
        return frozenset(self._products)

    @property
    def case_path(self) -> Path:
        """The folder of the case."""
        return self._case.path

    @property
    def started_at(self) -> str:
        """When this run began: ISO 8601, UTC."""
        return self._started_at

    @property
    def versions(self) -> dict[str, str]:
        """The programs and libraries of this run, for the report."""
        return versions()

    def stage(
        self,
        stage: Stage[Answer],
        options: object,
        inputs: Sequence[object],
        work: Callable[[StageFolder], Answer],
    ) -> Answer:
        """The recorded answer of a stage, or the one that ``work(files)`` gives now.

        ``inputs`` are artefacts, values and paths; a path counts as the bytes it points to.
        """
        key = self._key(stage, options, inputs)
        folder = self._case.stages / f"{stage.name}-{key[:KEY_DIGITS]}"
        self._progress.stage(stage.name)
        found = self._reuse_result(stage, key, folder)
        if found is not None:
            self._progress.note("nothing has changed, the earlier answer holds")
            return found
        answer = self._make_result(stage, key, folder, work)
        self._remove_others(stage.name, keep=folder)
        return answer

    def latest_result(self, stage: Stage[Answer], *, command: str) -> Answer:
        """The answer that the newest finished run left of a stage, whatever it was asked.

        Raises CaseError where there is none, or where its files are gone or changed; ``command`` is
        what makes it again.
        """
        for folder in self._folders(stage.name):
            found = self._read_result(stage, folder)
            if found is not None:
                return found[0]
        raise CaseError(
            f"{self._case.path}: has no finished {stage.name}; run {command} on it first"
        )

    def has_finished(self, stage: Stage[Any]) -> bool:
        """Whether there is a finished answer of a stage, which may hold for this run."""
        return any((folder / ANSWER_NAME).exists() for folder in self._folders(stage.name))

    def unfinished_bytes(self, stage: Stage[Any]) -> int:
        """What unfinished work of a stage takes on the disk already."""
        return sum(
            file.stat().st_size
            for folder in self._folders(stage.name)
            if not (folder / ANSWER_NAME).exists()
            for file in folder.rglob("*")
            if file.is_file()
        )

    def forget(self, *stages: Stage[Any]) -> None:
        """Drop the answers of these stages, so that they are made again."""
        for stage in stages:
            self._remove_others(stage.name, keep=None)

    def withdraw(self, *stages: Stage[Any]) -> None:
        """Drop the finished answers of these stages: they belong to an earlier run's poses.

        Unfinished work stays, so that the next run with the same key resumes it.
        """
        for stage in stages:
            for folder in self._folders(stage.name):
                if (folder / ANSWER_NAME).exists():
                    with writing_to(folder):
                        shutil.rmtree(folder)

    def mark_partial(self, missing: str) -> None:
        """Keep with the run what it could not deliver, and why; it still ends as finished."""
        self._missing = missing

    def note_given(self, **given: object) -> None:
        """Keep with the options what they do not hold: plain JSON values, to make the run again."""
        self._given |= given

    def each_time(self, name: str, work: Callable[[], Answer]) -> Answer:
        """What ``work()`` gives, run every time: for reading what comes in, and for the report."""
        self._progress.stage(name)
        started_at = utc_now()
        with Meter() as meter, telling_disk_trouble(self._case.path):
            answer = work()
        self._records.append(
            StageRecord(
                stage=name,
                version=0,
                key="",
                started_at=started_at,
                **asdict(meter.cost),
                reused=False,
            )
        )
        return answer

    def item_cache(self, stage: Stage[Any], options: object) -> StageFolder:
        """A folder of items that outlives a change of the inputs.

        For work on one photograph at a time: name each item by the digest of all that goes into
        it, and adding a photograph costs the work on that photograph only.
        """
        key = self._key(stage, options, ())
        folder = self._case.stages / f"{stage.name}-{key[:KEY_DIGITS]}"
        with writing_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._remove_others(stage.name, keep=folder)
        return StageFolder(folder=folder)

    def skip(self, skipped: Iterable[Skipped]) -> None:
        """Keep what was left out, and why, with the run."""
        self._skipped.update(dict.fromkeys(skipped))

    def deliver(self, made: str | Path, name: str) -> Path:
        """Put a finished file in ``products/`` under its public name; its digest is recorded."""
        source, target = Path(made), self._case.products / name
        if source != target:
            with whole_file(target) as part:
                try:
                    part.hardlink_to(source)
                except OSError:  # a disk without hard links
                    shutil.copyfile(source, part)
        self._products[name] = self._file(source).sha256
        return target

    def __enter__(self) -> Self:
        if self._fresh:
            with writing_to(self._case.stages):
                shutil.rmtree(self._case.stages, ignore_errors=False)
                self._case.stages.mkdir()
        self._started_at = utc_now()
        options = encode_artefact(self._options, root=self._case.path)
        self._plain_options = options
        self._run = self._case.start_run(
            command=self._command, options=options, versions=versions()
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Record the end of the run. An error goes on its way afterwards."""
        results = {
            "stages": [asdict(record) for record in self._records],
            "skipped": [asdict(skipped) for skipped in self._skipped],
            "products": self._products,
        }
        if self._given:
            results["options"] = {**self._plain_options, "given": self._given}
        if kind is None:
            self._case.end_run(self._run, status="ok", message=self._missing, results=results)
            return
        stopped = issubclass(kind, KeyboardInterrupt)
        status, message = ("interrupted", "stopped by the user") if stopped else ("failed", None)
        with suppress(CaseError):  # a full disk must not hide the error that it caused
            self._case.end_run(
                self._run, status=status, message=message or f"{error}", results=results
            )

    def _key(self, stage: Stage[Any], options: object, inputs: Sequence[object]) -> str:
        tools = {tool: version_of(tool) for tool in stage.tools}
        parts = {
            "stage": stage.name,
            "version": stage.version,
            "tools": tools,
            "options": options,
            "inputs": list(inputs),
        }
        return digest(parts, root=self._case.path, digest_of=self._digest_of)

    def _digest_of(self, path: Path) -> str:
        """The SHA-256 of a file's bytes, from its name where it is an original."""
        if path.is_relative_to(self._case.store.folder):
            return path.stem
        return self._file(path).sha256

    def _file(self, path: Path, believed: _File | None = None) -> _File:
        """A file's digest, read again only where size or time differ from what is ``believed``."""
        status = path.stat()
        known = self._files.get(path, believed)
        now = (status.st_size, status.st_mtime_ns)
        if known is None or (known.size_bytes, known.modified_ns) != now:
            known = _File(size_bytes=now[0], modified_ns=now[1], sha256=sha256_of_file(path))
        self._files[path] = known
        return known

    def _reuse_result(self, stage: Stage[Answer], key: str, folder: Path) -> Answer | None:
        """The earlier answer, if it has this key and every file that it names is still the same."""
        found = self._read_result(stage, folder)
        if found is None or found[1].key != key:
            return None
        self._records.append(replace(found[1], reused=True))
        return found[0]

    def _read_result(self, stage: Stage[Answer], folder: Path) -> tuple[Answer, StageRecord] | None:
        """A folder's answer and what it cost, if every file that it names is still the same."""
        root = self._case.path
        try:
            kept = json.loads((folder / ANSWER_NAME).read_text(encoding="utf-8"))
            believed = {name: _File(**file) for name, file in kept["files"].items()}
            if not self._are_unchanged(believed):
                return None
            answer = decode_artefact(stage.answer, kept["answer"], root=root)
            return answer, decode_artefact(StageRecord, kept["record"], root=root)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, or not readable: it is made again

    def _are_unchanged(self, believed: dict[str, _File]) -> bool:
        return all(
            self._file(self._case.path / name, file).sha256 == file.sha256
            for name, file in believed.items()
        )

    def _make_result(
        self,
        stage: Stage[Answer],
        key: str,
        folder: Path,
        work: Callable[[StageFolder], Answer],
    ) -> Answer:
        with writing_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / ANSWER_NAME).unlink(missing_ok=True)
        started_at = utc_now()
        with Meter() as meter, telling_disk_trouble(folder), _gdal_trouble_as_os_trouble():
            answer = work(StageFolder(folder=folder))
        give_back_memory()
        record = StageRecord(
            stage=stage.name,
            version=stage.version,
            key=key,
            started_at=started_at,
            **asdict(meter.cost),
            reused=False,
        )
        return self._write_result(stage, folder, answer, record)

    def _write_result(
        self, stage: Stage[Answer], folder: Path, answer: Answer, record: StageRecord
    ) -> Answer:
        """Write an answer down; what comes back is what the next run would read."""
        root = self._case.path
        plain = encode_artefact(answer, root=root)
        named = {name: root / name for name in paths_in(plain)}
        files = {
            name: asdict(self._file(path))
            for name, path in named.items()
            if path.is_file() and not path.is_relative_to(self._case.store.folder)
        }
        kept = {"key": record.key, "record": asdict(record), "files": files, "answer": plain}
        write_text(folder / ANSWER_NAME, canonical_json(kept))
        self._records.append(record)
        return decode_artefact(stage.answer, plain, root=root)

    def _folders(self, name: str) -> list[Path]:
        """Where answers of a stage are kept, finished or not."""
        return sorted(self._case.stages.glob(f"{name}-{'[0-9a-f]' * KEY_DIGITS}"))

    def _remove_others(self, name: str, *, keep: Path | None) -> None:
        """Drop the same stage's earlier answers, so that the disk holds one of each."""
        for folder in self._folders(name):
            if folder != keep:
                with writing_to(folder):
                    shutil.rmtree(folder)


@contextmanager
def _gdal_trouble_as_os_trouble() -> Iterator[None]:
    """Rasterio makes an OSError of most of what GDAL says, but not of a raster that falls short."""
    try:
        yield
    except CPLE_BaseError as error:
        raise OSError(f"{error}") from error
