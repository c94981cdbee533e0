"""A case made again from its record: what is asked of the map command, and what is said of it.

The map itself is made by a stand-in here, which writes what it was given into its products;
tests/truth makes a real one.
"""

import json
import shutil
import sqlite3
from dataclasses import dataclass, field

import pytest

from aftermap import reproduce as reproducing
from aftermap.cli import status_of
from aftermap.config import Quality, Settings
from aftermap.errors import CaseError, InputError
from aftermap.model.clip import Sidecar
from aftermap.model.media import FocalPrior, FocalSource, MediaItem
from aftermap.model.runs import StageRecord
from aftermap.progress import NoProgress
from aftermap.record import Case
from aftermap.record.disk import sha256_of_file
from aftermap.reproduce import TABLE, Verdict, reproduce
from aftermap.run import Runner, Stage
from aftermap.workflows.recorded_run import note_files

A_RECORD = StageRecord(
    stage="poses",
    version=1,
    key="",
    started_at="",
    wall_s=0.0,
    cpu_s=0.0,
    peak_memory_bytes=0,
    reused=False,
)


@dataclass
class FakeMap:
    """Writes products as the map command does, and remembers how it was asked."""

    height_m: float = 1.0
    version: int = 6
    asked: list[tuple[list[str], Settings, list[str]]] = field(default_factory=list)

    def __call__(self, paths, case_path, settings, **_):
        below = [path for path in paths if path.is_file()]
        texts = [path.read_text() for path in below]
        self.asked.append(([path.name for path in below], settings, texts))
        with (
            Case.create_or_open(case_path) as case,
            Runner(case, command="map", options=settings, progress=NoProgress()) as run,
        ):
            for path in below:
                stored = case.store.add(path)
                case.add_media([photograph(path.name, stored.sha256, stored.size_bytes)])
            stage = Stage(name="poses", version=self.version, answer=StageRecord)
            run.stage(stage, None, [], lambda _: A_RECORD)
            footage = [{"name": p.name, "sha256": sha256_of_file(p)} for p in below]
            run.note_given(footage=footage, masks={})
            note_files(run, settings)
            report = {"height_m": self.height_m, "started_at": run.started_at}
            (case.products / "report.json").write_text(json.dumps(report))
            (case.products / "report.html").write_text(f"<p>{run.started_at}</p>")
            (case.products / "plain.bin").write_bytes(b"the same")
            for name in ("report.json", "report.html", "plain.bin"):
                run.deliver(case.products / name, name)


def photograph(name, sha256, size_bytes):
    focal = FocalPrior(focal_px=4.0, sigma_px=1.0, source=FocalSource.ASSUMED)
    return MediaItem(
        name=name, sha256=sha256, size_bytes=size_bytes, width_px=4, height_px=3, focal=focal
    )


@pytest.fixture
def fake(monkeypatch):
    fake = FakeMap()
    monkeypatch.setattr(reproducing, "map_footage", fake)
    return fake


@pytest.fixture
def case(tmp_path, fake):
    """A case of two photographs, the second named first, with control points."""
    folder = tmp_path / "footage"
    folder.mkdir()
    paths = [folder / "b.jpg", folder / "a.jpg"]
    for path in paths:
        path.write_text(path.name)
    control = tmp_path / "gcp.txt"
    control.write_text("EPSG:32637\n")
    fake(paths, tmp_path / "case", Settings(quality=Quality.DRAFT, gcp=control))
    return tmp_path / "case"


def again(case, into, **more):
    return reproduce(case, into, progress=NoProgress(), workers=1, **more)


def verdicts(made):
    return {one.product: one.verdict for one in made.products}


def test_a_case_is_made_again_from_its_own_originals_in_their_order(case, fake, tmp_path):
    shutil.rmtree(tmp_path / "footage")
    before = sorted((p, p.stat().st_mtime_ns) for p in case.rglob("*"))
    made = again(case, tmp_path / "again")
    assert fake.asked[0] == fake.asked[1]
    assert verdicts(made) == {
        "plain.bin": Verdict.IDENTICAL,
        "report.html": Verdict.PAGE,
        "report.json": Verdict.SAME_VALUES,
    }
    assert made.holds
    assert made.notes == ()
    assert sorted((p, p.stat().st_mtime_ns) for p in case.rglob("*")) == before
    table = json.loads((tmp_path / "again" / TABLE).read_text())
    assert table["reproduced"] is True
    assert {one["product"] for one in table["products"]} == set(verdicts(made))


def test_a_stage_of_another_version_is_named_beside_the_verdicts(case, fake, tmp_path):
    fake.version, fake.height_m = 7, 1.5
    made = again(case, tmp_path / "again")
    assert not made.holds
    assert made.notes == ("The record was made by other versions: stage poses 6 (now 7).",)


def test_another_figure_is_not_reproduced_and_ends_with_status_1(case, fake, tmp_path, capsys):
    fake.height_m = 1.5
    assert status_of(["reproduce", str(case), "--into", str(tmp_path / "again"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["reproduced"] is False
    (wrong,) = [one for one in told["products"] if one["verdict"] == Verdict.NOT]
    assert wrong["product"] == "report.json"
    assert "1.0 before, 1.5 after" in wrong["detail"]


def test_the_case_is_never_written_to(case, tmp_path):
    for into in (case, case / "again", tmp_path):
        with pytest.raises(CaseError, match="name a new folder with --into"):
            again(case, into)


def test_a_folder_with_other_files_is_refused_and_an_own_one_goes_on(case, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "diary.txt").write_text("mine")
    with pytest.raises(CaseError, match="not empty and not a reproduction"):
        again(case, other)
    assert again(case, tmp_path / "again").holds
    assert again(case, tmp_path / "again").holds


def test_a_changed_original_is_named_before_anything_is_made(case, fake, tmp_path):
    kept = next(path for path in case.glob("media/*/*") if path.read_text() == "a.jpg")
    kept.chmod(0o600)
    kept.write_text("another picture")
    with pytest.raises(CaseError, match=r"a\.jpg: the original was changed in media/"):
        again(case, tmp_path / "again")
    assert len(fake.asked) == 1


def test_a_file_of_an_option_is_found_by_its_digest_wherever_it_went(case, fake, tmp_path):
    moved = tmp_path / "archive"
    moved.mkdir()
    (tmp_path / "gcp.txt").rename(moved / "renamed.txt")
    with pytest.raises(InputError, match=r"gcp\.txt: the gcp of the recorded run does not exist"):
        again(case, tmp_path / "again")
    assert again(case, tmp_path / "again", files=[moved]).holds
    assert fake.asked[-1][1].gcp == moved / "renamed.txt"
    (moved / "renamed.txt").write_text("EPSG:32638\n")
    with pytest.raises(InputError, match="--files"):
        again(case, tmp_path / "third", files=[moved])


def test_a_record_of_before_takes_all_originals_and_says_so(case, fake, tmp_path, monkeypatch):
    monkeypatch.setattr(Runner, "note_given", lambda *_, **__: None)
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "b.jpg").write_text("b.jpg")
    fake([folder / "b.jpg"], tmp_path / "case2", Settings())
    with Case.create_or_open(tmp_path / "case2") as opened:
        (folder / "b.srt").write_text("b.srt")
        stored = opened.store.add(folder / "b.srt")
        sidecar = Sidecar(name="../b.srt", sha256=stored.sha256, path=stored.path)
        opened.add_media((), sidecars=[sidecar])
    made = again(tmp_path / "case2", tmp_path / "again")
    assert fake.asked[-1][0] == ["b.jpg", "b.srt"]
    assert "made before runs kept what they were given" in made.notes[0]


def test_a_case_without_a_finished_map_is_refused(tmp_path):
    Case.create_or_open(tmp_path / "case").close()
    with pytest.raises(CaseError, match="has no finished map to make again"):
        again(tmp_path / "case", tmp_path / "again")


def test_names_in_a_record_stay_below_the_folder_and_apart(case, fake, tmp_path):
    with sqlite3.connect(case / "case.gpkg") as record:
        ((options,),) = record.execute("SELECT options FROM run").fetchall()
        changed = json.loads(options)
        for one in changed["given"]["footage"]:
            one["name"] = "../../same.jpg"
        record.execute("UPDATE run SET options = ?", (json.dumps(changed),))
    record.close()
    again(case, tmp_path / "again")
    names, _, texts = fake.asked[-1]
    assert names == ["same.jpg", "same.jpg"]
    assert texts == ["b.jpg", "a.jpg"]
    assert not list(tmp_path.glob("same.jpg"))
