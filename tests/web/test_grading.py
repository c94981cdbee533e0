"""Decisions: durable, one after the other, of whoever made them, and never overwritten."""

import sqlite3
from datetime import UTC, datetime

import pytest
import shapely
from old_records import case_of_format_1, review
from starlette.testclient import TestClient

from aftermap.errors import InputError
from aftermap.model.assessment import Grade
from aftermap.record import Case
from aftermap.record.assessments import changed_batches, reviews
from aftermap.record.building_rows import MeasurementRow
from aftermap.record.custody import entries_of, verify_chain
from aftermap.record.reviews import shown_since
from aftermap.web.app import workbench
from aftermap.web.desk import desk_of
from aftermap.web.grading import Undo, Writer
from aftermap.web.security import Door, host_names

ORIGIN = "http://127.0.0.1:8484"


def now():
    return datetime.now(UTC).isoformat()


def grade(client, source_id, word, **more):
    return client.post("/api/grades", json={"source_id": source_id, "grade": word, **more})


def see_grades(client, name="Nadia"):
    told = client.post("/api/me", json={"reviewer": name, "is_blind": False})
    assert told.json()["was_shown"]


def said(case_path):
    with Case.open_to_read(case_path) as case:
        return [one.assessment for one in reviews(case.package)]


def test_a_grade_is_a_row_with_who_when_and_why(client, case_path):
    at = now()
    answer = grade(client, "B001", "severe", note="سقف منهار", at=at)
    assert answer.status_code == 200, answer.text
    (row,) = said(case_path)
    assert (row.source_id, row.assessor, row.grade, row.note) == (
        "B001",
        "Nadia",
        "severe",
        "سقف منهار",
    )
    assert row.at[:19] == at[:19]
    assert row.kind == "reviewer"


def test_a_building_that_is_not_assessed_needs_a_reason(client, case_path):
    assert grade(client, "B001", None).status_code == 422
    assert grade(client, "B001", None, not_assessed_reason="  ").status_code == 422
    assert grade(client, "B001", None, not_assessed_reason="in shadow").status_code == 200
    (row,) = said(case_path)
    assert (row.grade, row.not_assessed_reason) == (None, "in shadow")


def test_what_is_sent_twice_is_written_once(client, case_path):
    at = now()
    first, second = (grade(client, "B001", "light", at=at).json() for _ in range(2))
    assert first["number"] == second["number"]
    assert len(said(case_path)) == 1


def test_a_second_thought_is_a_new_row_and_the_first_stays(client, case_path):
    grade(client, "B001", "light")
    grade(client, "B001", "severe")
    assert [row.grade for row in said(case_path)] == ["light", "severe"]
    assert client.get("/api/grades").json() == {"B001": {"Nadia": "severe"}}


def test_undo_brings_back_what_held_before_as_a_new_row(client, case_path):
    grade(client, "B001", "light")
    grade(client, "B001", "severe")
    back = client.post("/api/undo", json={"source_id": "B001"}).json()
    assert back["grade"] == "light"
    gone = client.post("/api/undo", json={"source_id": "B001"}).json()
    assert (gone["grade"], gone["not_assessed_reason"]) == (None, "withdrawn by the reviewer")
    assert (back["is_withdrawn"], gone["is_withdrawn"]) == (False, True)
    assert client.get("/api/grades").json() == {}
    assert len(said(case_path)) == 4
    nothing = client.post("/api/undo", json={"source_id": "B001"})
    assert nothing.status_code == 422
    assert "no grade to undo" in nothing.json()["error"]
    grade(client, "B001", "none")
    assert client.post("/api/undo", json={"source_id": "B001"}).json()["grade"] is None


def test_grades_in_a_record_of_an_older_format_are_undone_as_well(tmp_path):
    held = (review(Grade.LIGHT), review(Grade.SEVERE), review(Grade.LIGHT, "takes back row 2"))
    path = case_of_format_1(tmp_path / "case", held)
    writer = Writer(path / "case.gpkg")
    gone = writer.decide(Undo(source_id="B1", reviewer="anna")).result()
    with pytest.raises(InputError):
        writer.decide(Undo(source_id="B1", reviewer="anna")).result()
    writer.close()
    assert (gone.number, gone.grade, gone.is_withdrawn) == (4, None, True)
    assert [row.supersedes for row in said(path)] == [None, None, 2, 1]


def test_two_reviewers_do_not_overwrite_each_other(case_path):
    door = Door(port=8484, names=host_names("127.0.0.1"))
    with TestClient(workbench(desk_of(case_path), door), base_url=ORIGIN) as first:
        first.headers["origin"] = ORIGIN
        second = TestClient(first.app, base_url=ORIGIN, headers={"origin": ORIGIN})
        for client, name, word in ((first, "Nadia", "light"), (second, "Omar", "severe")):
            client.get(door.invitation())
            see_grades(client, name)
            assert grade(client, "B001", word).status_code == 200
        both = first.get("/api/grades").json()
        assert both == {"B001": {"Nadia": "light", "Omar": "severe"}}
        assert second.post("/api/undo", json={"source_id": "B001"}).json()["grade"] is None
        assert first.get("/api/grades").json() == {"B001": {"Nadia": "light"}}


def test_who_works_blind_is_sent_no_grade_but_their_own(case_path, monkeypatch):
    reading = MeasurementRow(building=2, name="hole_probability", value=0.97, sigma=None)
    monkeypatch.setattr("aftermap.web.buildings.measurement_rows", lambda *_: [reading])
    door = Door(port=8484, names=host_names("127.0.0.1"))
    with TestClient(workbench(desk_of(case_path), door), base_url=ORIGIN) as first:
        first.headers["origin"] = ORIGIN
        first.get(door.invitation())
        see_grades(first, "Nadia")
        grade(first, "B001", "destroyed", note="see the north wall")
        blind = TestClient(first.app, base_url=ORIGIN, headers={"origin": ORIGIN})
        blind.get(door.invitation())
        blind.post("/api/me", json={"reviewer": "Omar"})
        grade(blind, "B002", "light")
        texts = [
            blind.get(path).text
            for path in (
                "/api/buildings",
                "/api/queue",
                "/api/building?source_id=B001",
                "/api/grades",
            )
        ]
        for text in texts:
            assert "destroyed" not in text
            assert "north wall" not in text
            assert "confidence" not in text
            assert "rubble beside" not in text
        told = blind.get("/api/building?source_id=B001").json()
        assert told["measurements"] == []
        assert "assessor" not in told["building"]
        assert first.get("/api/building?source_id=B001").json()["measurements"] != []
        assert blind.get("/api/grades").json() == {"B002": {"Omar": "light"}}
        assert '"grade":"light"' in first.get("/api/buildings").text
        assert "light" in first.get("/api/queue").json()["grade"]


def test_a_page_starts_blind_and_its_grades_say_so(client, case_path):
    assert client.get("/api/me").json()["is_blind"]
    assert "grade" not in client.get("/api/queue").json()
    assert grade(client, "B001", "light").json()["blinding"] == "blind"
    see_grades(client)
    assert grade(client, "B001", "severe").json()["blinding"] == "not_blind"
    assert [row.blinding for row in said(case_path)] == ["blind", "not_blind"]
    reviews_told = client.get("/api/building", params={"source_id": "B001"}).json()["reviews"]
    assert [row["blinding"] for row in reviews_told] == ["blind", "not_blind"]


def test_who_was_shown_grades_is_never_blind_again(client, case_path):
    see_grades(client)
    for name in ("Nadia", "nadia", "Somebody Else"):
        told = client.post("/api/me", json={"reviewer": name, "is_blind": True}).json()
        assert (told["is_blind"], told["was_shown"]) == (True, True)
        assert grade(client, "B001", "light").json()["blinding"] == "not_blind"
    assert {row.blinding for row in said(case_path)} == {"not_blind"}


def test_another_browser_and_another_day_do_not_make_a_reviewer_blind(client, door, case_path):
    see_grades(client)
    with TestClient(workbench(desk_of(case_path), door), base_url=ORIGIN) as later:
        later.headers["origin"] = ORIGIN
        later.get(door.invitation())
        assert later.post("/api/me", json={"reviewer": "NADIA"}).json()["was_shown"]
        assert grade(later, "B001", "light").json()["blinding"] == "not_blind"
        assert not later.post("/api/me", json={"reviewer": "Omar"}).json()["was_shown"]
        assert grade(later, "B001", "light").json()["blinding"] == "blind"
        back = later.post("/api/undo", json={"source_id": "B001"}).json()
        assert (back["is_withdrawn"], back["blinding"]) == (True, "blind")


@pytest.mark.parametrize("claim", [{"blind": True}, {"blinding": "blind"}, {"was_shown": False}])
def test_a_browser_cannot_say_that_a_grade_is_blind(client, case_path, claim):
    see_grades(client)
    assert grade(client, "B001", "light", **claim).status_code == 422
    at = "2020-01-01T00:00:00Z"  # before anything was shown, says the browser
    assert grade(client, "B001", "light", at=at).json()["blinding"] == "not_blind"
    assert {row.blinding for row in said(case_path)} == {"not_blind"}


def test_grades_are_shown_only_to_a_name(stranger, door, case_path):
    stranger.headers["origin"] = ORIGIN
    stranger.get(door.invitation())
    for name in ("", "   "):
        answer = stranger.post("/api/me", json={"reviewer": name, "is_blind": False})
        assert answer.status_code == 422
    assert stranger.get("/api/me").json()["is_blind"]
    assert "grade" not in stranger.get("/api/queue").json()
    with Case.open_to_read(case_path) as case:
        assert shown_since(case.package) == {}


def test_the_queue_is_sent_without_outlines_and_the_map_without_the_queue(client):
    see_grades(client)
    layer = client.get("/api/buildings").json()["features"]
    queue = client.get("/api/queue").json()
    assert queue["id"] == [one["id"] for one in layer]
    assert set(layer[0]["properties"]) == {"grade", "adopted_grade"}
    for lonlat, one in zip(queue["at"], layer, strict=True):
        assert shapely.geometry.shape(one["geometry"]).contains(shapely.Point(lonlat))
    assert queue["sample"] == queue["graders"] == [None] * len(layer)


def test_without_a_name_nothing_is_graded(stranger, door, case_path):
    stranger.headers["origin"] = ORIGIN
    stranger.get(door.invitation())
    answer = grade(stranger, "B001", "light")
    assert answer.status_code == 422
    assert "enter your name" in answer.json()["error"]
    assert stranger.post("/api/me", json={"reviewer": "a\nb\x00"}).status_code == 422
    assert said(case_path) == []


def test_what_is_no_building_or_no_grade_is_refused(client):
    assert grade(client, "nowhere", "light").status_code == 422
    assert grade(client, "B001", "terrible").status_code == 422
    assert grade(client, "B001", "light", machine=True).status_code == 422


def test_a_building_is_told_with_its_pictures_and_reasons(client):
    see_grades(client)
    grade(client, "B001", "severe")
    told = client.get("/api/building", params={"source_id": "B001"}).json()
    assert told["building"]["grade"] == "light"
    assert "roof 2.1 m lower" in told["building"]["reasons"]
    assert told["building"]["reasons_against"] == "rubble beside it"
    assert [row["kind"] for row in told["evidence"]] == ["orthophoto", "view"]
    first = told["evidence"][0]
    picture = client.get(f"/media/evidence/{first['fid']}?sha256={first['file_sha256']}")
    assert picture.headers["content-type"] == "image/jpeg"
    assert [row["grade"] for row in told["reviews"]] == ["severe"]
    assert client.get("/api/building", params={"source_id": "<b>مبنى</b> 0"}).status_code == 200


def test_the_chain_of_custody_knows_every_batch_of_grades(client, case_path):
    for i in range(1, 8):
        grade(client, f"B{i:03d}", "moderate")
    with Case.open_to_read(case_path) as case:
        assert verify_chain(entries_of(case.package)) == ()
        assert changed_batches(case.package) == ()


def test_a_record_that_another_program_holds_is_busy_and_then_goes_on(
    client, case_path, monkeypatch
):
    monkeypatch.setattr("aftermap.record.geopackage.BUSY_TIMEOUT_S", 0.2)
    other = sqlite3.connect(case_path / "case.gpkg", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    busy = grade(client, "B001", "light")
    assert busy.status_code == 503
    assert "another program is writing" in busy.json()["error"]
    other.execute("ROLLBACK")
    other.close()
    assert grade(client, "B001", "light").status_code == 200
    assert len(said(case_path)) == 1


def test_a_building_that_is_called_like_an_error_is_not_there_and_not_busy(client):
    name = "another program is writing to it"
    answer = client.get("/api/building", params={"source_id": name})
    assert name in answer.json()["error"]
    assert answer.status_code == 404


def test_a_run_can_write_while_the_workbench_is_open(client, case_path):
    grade(client, "B001", "light")
    with Case.create_or_open(case_path) as case:
        run = case.start_run(command="map", options={}, versions={})
        grade(client, "B002", "light")
        case.end_run(run, status="ok", message=None, results={"products": {}})
    grade(client, "B003", "light")
    assert len(said(case_path)) == 3


@pytest.mark.parametrize("at", ["yesterday", "1999-01-01T00:00:00Z", "2024-01-01T00:00:00"])
def test_a_browser_with_a_wrong_clock_is_not_believed(client, case_path, at):
    grade(client, "B001", "light", at=at)
    (row,) = said(case_path)
    assert row.at[:10] == now()[:10]
