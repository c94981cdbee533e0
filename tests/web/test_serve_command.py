"""``aftermap serve`` before it serves: what is wrong is one line, and says what to do."""

import socket
from contextlib import closing

import pytest

from aftermap.cli import status_of
from aftermap.web import app


@pytest.fixture
def page(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("<!doctype html>")
    monkeypatch.setattr(app, "STATIC", tmp_path)


def line(capsys) -> str:
    err = capsys.readouterr().err.strip()
    assert err.count("\n") == 0, err
    return err


def test_a_port_in_use_is_told(case_path, page, capsys):
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert status_of(["serve", str(case_path), "--port", str(port)]) == 2
    assert f"port {port}: is in use" in line(capsys)


def test_a_page_that_was_not_built_is_told(case_path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(app, "STATIC", tmp_path / "nothing")
    assert status_of(["serve", str(case_path)]) == 2
    assert "make page" in line(capsys)


def test_what_is_no_address_and_no_case_is_told(case_path, page, tmp_path, capsys):
    assert status_of(["serve", str(case_path), "--listen", "everywhere"]) == 2
    assert "is not a network address" in line(capsys)
    assert status_of(["serve", str(tmp_path)]) == 2
    assert "case.gpkg" in line(capsys)
    assert status_of(["serve", str(case_path), "--basemap", str(tmp_path / "x.pmtiles")]) == 2
    assert "PMTiles" in line(capsys)
