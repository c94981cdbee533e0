"""Stages: what has not changed is reused, what was killed resumes, and every run is recorded."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from aftermap.errors import CaseError, InputError
from aftermap.model.runs import Skipped, Workspace
from aftermap.progress import NoProgress
from aftermap.record import Case
from aftermap.run import Runner, Stage


@dataclass(frozen=True, kw_only=True)
class Sum:
    """An answer with a value and a file."""

    total: float
    file: str


@dataclass(frozen=True, kw_only=True)
class Options:
    times: int = 1


SUM = Stage(name="sum", version=1, answer=Sum, tools=("numpy",))
ITEMS = ("a", "b", "c", "d", "e", "f")


class Work:
    """A step that counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, files: Workspace) -> Sum:
        self.calls += 1
        with files.writing("sum.txt") as part:
            part.write_text("3")
        return Sum(total=3, file=str(files.path("sum.txt")))


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "case"


def run_once(folder: Path, work, *, stage=SUM, options=None, inputs=("x",), fresh=False) -> Sum:
    with (
        Case.create_or_open(folder) as case,
        Runner(case, command="test", options=None, progress=NoProgress(), fresh=fresh) as run,
    ):
        return run.stage(stage, options or Options(), inputs, work)


def runs(folder: Path) -> list[dict]:
    with Case.open_to_read(folder) as case:
        rows = case.package.rows("SELECT status, message, stages, skipped, products FROM run")
    names = ("status", "message", "stages", "skipped", "products")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [r | {name: json.loads(r[name]) for name in names[2:]} for r in found]


def test_an_answer_is_reused(folder, work):
    first = run_once(folder, work)
    second = run_once(folder, work)
    assert first == second == Sum(total=3.0, file=first.file)
    assert work.calls == 1
    assert [r["stages"][0]["reused"] for r in runs(folder)] == [False, True]
    assert runs(folder)[1]["stages"][0]["wall_s"] == runs(folder)[0]["stages"][0]["wall_s"]


@pytest.mark.parametrize(
    "change",
    [
        {"options": Options(times=2)},
        {"inputs": ("y",)},
        {"inputs": ("x", None)},
        {"stage": Stage(name="sum", version=2, answer=Sum, tools=("numpy",))},
        {"stage": Stage(name="sum", version=1, answer=Sum, tools=("numpy", "scipy"))},
        {"fresh": True},
    ],
)
def test_a_change_makes_it_anew_and_the_old_answer_goes(folder, work, change):
    run_once(folder, work)
    run_once(folder, work, **change)
    assert work.calls == 2
    assert len(list((folder / "products" / "stages").iterdir())) == 1


def test_inputs_are_known_by_their_bytes_and_not_by_path_or_time(folder, work, tmp_path):
    first, second = tmp_path / "first.bin", tmp_path / "second.bin"
    first.write_bytes(b"the same")
    run_once(folder, work, inputs=(first,))
    second.write_bytes(b"the same")
    os.utime(second, ns=(1, 1))
    run_once(folder, work, inputs=(second,))
    assert work.calls == 1
    second.write_bytes(b"the Same")
    run_once(folder, work, inputs=(second,))
    assert work.calls == 2


def test_an_artefact_as_input_counts_with_the_bytes_of_its_files(folder, work):
    after = Stage(name="after", version=1, answer=Sum)
    later = Work()

    def both(content: str) -> None:
        def write(files: Workspace) -> Sum:
            with files.writing("points.txt") as part:
                part.write_text(content)
            return Sum(total=1, file=str(files.path("points.txt")))

        with (
            Case.create_or_open(folder) as case,
            Runner(case, command="test", options=None, progress=NoProgress()) as run,
        ):
            before = run.stage(SUM, Options(), [content[0]], write)
            run.stage(after, None, [before], later)

    both("one")
    both("other")  # the same key for the first stage: nothing is made again
    assert later.calls == 1
    both("two")
    assert later.calls == 2


def test_a_case_can_be_moved(folder, work, tmp_path):
    run_once(folder, work)
    moved = folder.rename(tmp_path / "moved")
    answer = run_once(moved, work)
    assert work.calls == 1
    assert Path(answer.file).is_relative_to(moved)
    assert Path(answer.file).read_text() == "3"


@pytest.mark.parametrize("content", [None, "changed", "4"])
def test_a_file_that_is_gone_or_changed_is_made_again(folder, work, content):
    file = Path(run_once(folder, work).file)
    file.unlink()
    if content is not None:
        file.write_text(content)
    assert Path(run_once(folder, work).file).read_text() == "3"
    assert work.calls == 2


def test_products_can_be_deleted(folder, work):
    run_once(folder, work)
    shutil.rmtree(folder / "products")
    run_once(folder, work)
    assert work.calls == 2


def test_an_answer_that_cannot_be_read_is_made_again(folder, work):
    run_once(folder, work)
    (kept,) = (folder / "products" / "stages").glob("*/answer.json")
    for text in ("", "[]", kept.read_text().replace('"total"', '"sum"')):
        kept.write_text(text)
        run_once(folder, work)
    assert work.calls == 4


def test_a_failure_is_recorded_and_raised_again(folder, work):
    def fail(_: Workspace) -> Sum:
        raise InputError("x.jpg: is no picture; leave it out")

    with pytest.raises(InputError):
        run_once(folder, fail)
    assert runs(folder)[0]["status"] == "failed"
    assert runs(folder)[0]["message"] == "x.jpg: is no picture; leave it out"


def test_ctrl_c_is_recorded_as_interrupted(folder):
    def stop(_: Workspace) -> Sum:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_once(folder, stop)
    assert runs(folder)[0]["status"] == "interrupted"


def test_a_disk_that_fills_up_in_a_step_is_one_line(folder):
    def fill(_: Workspace) -> Sum:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(CaseError, match="the disk is full; free some space"):
        run_once(folder, fill)
    assert runs(folder)[0]["status"] == "failed"


def test_an_error_of_a_step_with_other_files_stays_what_it_is(folder):
    def look(_: Workspace) -> Sum:
        raise FileNotFoundError(errno.ENOENT, "No such file", "lens.csv")

    with pytest.raises(FileNotFoundError):
        run_once(folder, look)


def test_what_was_left_out_and_what_came_out_is_recorded(folder, work):
    skipped = Skipped(name="note.txt", reason="is no picture")
    with (
        Case.create_or_open(folder) as case,
        Runner(case, command="test", options=Options(), progress=NoProgress()) as run,
    ):
        run.skip([skipped])
        run.skip([skipped])
        answer = run.stage(SUM, Options(), [], work)
        delivered = run.deliver(answer.file, "sum.txt")
        assert delivered.read_text() == "3"
        report = run.each_time("report", lambda: [record.stage for record in run.records])
    assert report == ["sum"]
    (row,) = runs(folder)
    assert row["skipped"] == [
        {"name": "note.txt", "reason": "is no picture", "sha256": None, "code": None}
    ]
    assert [stage["stage"] for stage in row["stages"]] == ["sum", "report"]
    assert list(row["products"]) == ["sum.txt"]


def test_a_delivered_product_can_be_deleted_without_making_it_again(folder, work):
    def deliver() -> None:
        with (
            Case.create_or_open(folder) as case,
            Runner(case, command="test", options=None, progress=NoProgress()) as run,
        ):
            run.deliver(run.stage(SUM, None, [], work).file, "sum.txt")

    deliver()
    (folder / "products" / "sum.txt").unlink()
    deliver()
    assert (folder / "products" / "sum.txt").read_text() == "3"
    assert work.calls == 1


def test_items_on_a_shelf_outlive_a_change_of_the_inputs(folder):
    features = Stage(name="features", version=1, answer=Sum)
    made = []

    def make(name: str, part: Path) -> None:
        made.append(name)
        part.write_text(name)

    for photographs, options in (("ab", 1), ("abc", 1), ("abc", 2)):
        with (
            Case.create_or_open(folder) as case,
            Runner(case, command="test", options=None, progress=NoProgress()) as run,
        ):
            cache = run.item_cache(features, Options(times=options))
            for name in photographs:
                cache.item(name, partial(make, name))
    assert "".join(made) == "ab" + "c" + "abc"
    assert len(list((folder / "products" / "stages").iterdir())) == 1


def sum_of_items(files: Workspace, *, log: Path, killed_at: str | None) -> Sum:
    """A step of six items that notes each one made, and is killed in the middle of one."""

    def make(name: str, part: Path) -> None:
        part.write_text("half")
        if name == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        part.write_text(name)
        with log.open("a") as stream:
            stream.write(name)

    made = [files.item(f"items/{name}.txt", partial(make, name)) for name in ITEMS]
    with files.writing("sum.txt") as part:
        part.write_text("".join(path.read_text() for path in made))
    return Sum(total=len(made), file=str(files.path("sum.txt")))


def test_a_run_killed_in_the_middle_of_a_stage_resumes(folder, tmp_path):
    """kill -9 while the fourth of six items is being made: the next run makes the last three."""
    log = tmp_path / "log"
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_run import *\n"
        "work = partial(sum_of_items, log=Path(sys.argv[3]), killed_at='d')\n"
        "run_once(Path(sys.argv[2]), work)\n"
    )
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", program, here, str(folder), str(log)]
    killed = subprocess.run(command, check=False)  # noqa: S603 - ours
    assert killed.returncode == -signal.SIGKILL
    assert log.read_text() == "abc"
    answer = run_once(folder, partial(sum_of_items, log=log, killed_at=None))
    assert Path(answer.file).read_text() == "abcdef"
    assert log.read_text() == "abcdef"
    assert [row["status"] for row in runs(folder)] == ["interrupted", "ok"]
    assert list(folder.rglob(".part-*")) == []
