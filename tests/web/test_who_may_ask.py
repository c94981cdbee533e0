"""Only a browser that came in by an address of this server, from its own page, is answered."""

import pytest
from made_up_case import IMPRESSIVE_NAME

from aftermap.web.security import ENTRANCE, Door, host_names

ORIGIN = "http://127.0.0.1:8484"


def test_an_address_lets_one_browser_in_once(stranger, door):
    address = door.invitation()
    assert stranger.get("/api/case").status_code == 401
    entered = stranger.get(address, follow_redirects=False)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert stranger.get("/api/case").status_code == 200
    again = stranger.get(address, follow_redirects=False)
    assert again.status_code == 403
    assert "already been used" in again.text


def test_a_wrong_token_lets_nobody_in(stranger):
    for token in ("", "x", "é"):
        answer = stranger.get(ENTRANCE, params={"token": token}, follow_redirects=False)
        assert answer.status_code == 403
    assert stranger.get("/api/me").status_code == 401


def test_without_a_session_not_even_the_page_is_sent(stranger):
    for path in ("/", "/page/app.js", "/tiles/orthophoto/18/1/1", "/media/clips/" + "a" * 64):
        answer = stranger.get(path)
        assert answer.status_code == 401, path
        assert "aftermap serve" in answer.text


def test_a_name_that_leads_to_this_computer_from_elsewhere_is_refused(client):
    for host in ("evil.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8484.evil.example"):
        assert client.get("/api/case", headers={"host": host}).status_code == 421, host
    assert client.get("/api/case", headers={"host": "localhost:8484"}).status_code == 200


def test_another_page_in_the_same_browser_can_neither_read_nor_write(client):
    for site in ("cross-site", "same-site"):
        assert client.get("/api/case", headers={"sec-fetch-site": site}).status_code == 403
    grade = {"source_id": "B001", "grade": "severe"}
    for origin in (
        "http://evil.example",
        "null",
        "http://127.0.0.1:8485",
        "https://127.0.0.1:8484",
    ):
        answer = client.post("/api/grades", json=grade, headers={"origin": origin})
        assert answer.status_code == 403, origin
    del client.headers["origin"]
    assert client.post("/api/grades", json=grade).status_code == 403


def test_a_form_of_another_page_is_no_json(client):
    answer = client.post("/api/grades", content="{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_a_body_without_end_is_not_read(client):
    answer = client.post(
        "/api/grades", content=iter([b"{}"]), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert client.post("/api/grades", json={"note": "x" * (1 << 21)}).status_code == 413


def test_every_answer_forbids_what_the_page_does_not_need(client, stranger):
    for path in ("/api/case", "/tiles/orthophoto/1/0/0", "/nowhere", "/api/layers/nix"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'"), path
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_a_hostile_name_is_sent_as_text_in_json(client):
    answer = client.get("/api/footage")
    assert answer.headers["content-type"] == "application/json"
    assert IMPRESSIVE_NAME in {one["name"] for one in answer.json()["photographs"]}


@pytest.mark.parametrize(
    "path",
    [
        "/media/photographs/..%2f..%2fcase.gpkg",
        "/media/clips/../../case.gpkg",
        "/page/..%2fapp.py",
        "/media/photographs/" + "%2e%2e%2f" * 3 + "etc%2fpasswd",
        "/page/index.html",
        "/media/clips/" + "0" * 64,
        "/media/evidence/999?sha256=0",
        "/media/evidence/-1?sha256=0",
    ],
)
def test_no_path_of_a_file_comes_from_the_page(client, path):
    answer = client.get(path)
    assert answer.status_code in (404, 422), answer.text
    assert b"SQLite" not in answer.content


def test_evidence_outside_its_folder_is_not_sent(client, case_path):
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(case_path / "case.gpkg") as record:
        record.execute("UPDATE evidence SET file = '../case.gpkg' WHERE fid = 1")
        sums = dict(record.execute("SELECT fid, file_sha256 FROM evidence"))
    assert client.get(f"/media/evidence/1?sha256={sums[1]}").status_code == 404
    assert client.get(f"/media/evidence/2?sha256={sums[2]}").status_code == 200


def test_a_picture_of_an_earlier_run_is_never_another_buildings(client, case_path):
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(case_path / "case.gpkg") as record:
        ((sha256,),) = record.execute("SELECT file_sha256 FROM evidence WHERE fid = 2")
        record.execute("UPDATE evidence SET file_sha256 = ? WHERE fid = 2", ("f" * 64,))
    answer = client.get(f"/media/evidence/2?sha256={sha256}")
    assert answer.status_code == 404
    assert "reload the page" in answer.json()["error"]


def test_someone_who_is_in_can_ask_another_in(client, door):
    address = client.post("/api/invitations", json={}).json()["address"]
    assert address.startswith(f"{ORIGIN}/enter?token=")
    session = door.enter(address.split("token=")[1])
    assert door.session(f"{door.cookie}={session}") is not None
    assert door.session(f"{door.cookie}={session}x") is None
    assert door.enter(address.split("token=")[1]) is None  # it lets one browser in, once


def test_two_servers_on_one_computer_do_not_share_a_cookie():
    names = host_names("127.0.0.1")
    assert Door(port=1, names=names).cookie != Door(port=2, names=names).cookie


def test_a_server_for_others_goes_by_the_names_it_was_given():
    door = Door(port=80, names=host_names("192.168.1.5", ["bench.local"]))
    assert door.is_host("192.168.1.5:80")
    assert door.is_host("bench.local:80")
    assert not door.is_host("localhost:80")
    assert door.address == "http://bench.local:80"
    assert Door(port=8, names=host_names("::1")).address == "http://[::1]:8"
