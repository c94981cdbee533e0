"""Clips by ranges and exact pictures, moments that saw a spot, and clips placed by hand."""

import io
import json
from fractions import Fraction

import numpy as np
import pytest
from made_up_case import (
    CLIP_PICTURES,
    CLIP_RATE_HZ,
    EAST_M,
    GROUND_M,
    HEIGHT_PX,
    NORTH_M,
    ROOF_M,
    WIDTH_PX,
    outline,
)
from PIL import Image
from waiting import wait_until

from aftermap.cli import status_of
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.crs import transformed_xy
from aftermap.geo.lens import projected_px
from aftermap.model.trajectory import Trajectory
from aftermap.record.artefact import decode_artefact
from aftermap.workflows.locate import locate

POINTS = [
    (outline(i).bounds[side] + inset, outline(i).bounds[side + 1] + inset)
    for i in (2, 3, 4, 5)
    for side, inset in ((0, 1.0), (2, -1.0))
]
GROUND = [(EAST_M + x, NORTH_M - y) for x, y in ((50, 48), (105, 50), (75, 42), (88, 5), (68, 3))]


@pytest.fixture
def clip(client):
    (one,) = client.get("/api/footage").json()["clips"]
    return one


def lonlat(xy):
    return transformed_xy("EPSG:32637", "EPSG:4326", xy)


def test_a_clip_is_sent_by_ranges(client, clip):
    path = f"/media/clips/{clip['sha256']}"
    whole = client.get(path)
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get(path, headers={"range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert client.get(path, headers={"range": "bytes=999999999-"}).status_code == 416


def test_each_picture_has_its_exact_time(client, clip):
    told = client.get(f"/api/clips/{clip['sha256']}/times").json()
    times = [one * Fraction(told["tick_s"]) + Fraction(told["offset_s"]) for one in told["ticks"]]
    assert times == [Fraction(i, CLIP_RATE_HZ) for i in range(CLIP_PICTURES)]


def test_a_still_is_the_picture_of_that_moment_and_not_its_neighbour(client, clip):
    for i in (0, 7, 29):
        answer = client.get(
            f"/media/clips/{clip['sha256']}/still", params={"time_s": f"{i}/{CLIP_RATE_HZ}"}
        )
        shade = np.array(Image.open(io.BytesIO(answer.content))).mean()
        assert abs(shade - (6 * i + 10)) < 2.5
    wrong = client.get(f"/media/clips/{clip['sha256']}/still", params={"time_s": "1/37"})
    assert wrong.status_code == 422
    assert (
        client.get(f"/media/clips/{clip['sha256']}/still", params={"time_s": "1/0"}).status_code
        == 422
    )


def test_a_copy_for_playing_is_made_and_then_played(client, clip, case_path):
    assert clip["copy"] == "original"
    client.post(f"/api/clips/{clip['sha256']}/copy", json={})
    wait_until(lambda: client.get("/api/footage").json()["clips"][0]["copy"] == "ready")
    assert (case_path / "products" / "proxies" / f"{clip['sha256']}.mp4").is_file()
    told = client.get(f"/api/clips/{clip['sha256']}/times").json()
    times = [one * Fraction(told["tick_s"]) + Fraction(told["offset_s"]) for one in told["ticks"]]
    assert times == [Fraction(i, CLIP_RATE_HZ) for i in range(CLIP_PICTURES)]


def test_a_clip_tells_what_each_placed_moment_saw(client, clip):
    assert clip["placed_seconds"] == 3
    path = client.get(f"/api/clips/{clip['sha256']}/path").json()
    assert path["moments"] == CLIP_PICTURES // 2
    ring = transformed_xy("EPSG:4326", "EPSG:32637", path["ring"][0])
    middle = (ring.min(axis=0) + ring.max(axis=0)) / 2
    assert middle == pytest.approx((EAST_M + 50, NORTH_M - 60), abs=0.5)
    width = ring[:, 0].max() - ring[:, 0].min()
    assert width == pytest.approx(80.0 * WIDTH_PX / 300.0, rel=0.02)
    assert path["ce90_m"][0] > 0


def test_a_click_finds_who_saw_the_spot_the_best_first(client, clip):
    ((lon, lat),) = lonlat([[EAST_M + 60, NORTH_M - 60]]).tolist()
    found = client.get("/api/seen", params={"lon": lon, "lat": lat}).json()
    kinds = {one["kind"] for one in found}
    assert kinds == {"clip", "photograph"}
    seen = next(one for one in found if one["kind"] == "clip")
    assert seen["sha256"] == clip["sha256"]
    assert seen["best_code"].startswith("0:00:0")
    assert seen["from_s"] <= seen["best_s"] <= seen["to_s"]
    ranks = [one["rank_m"] for one in found if one["rank_m"] is not None]
    assert ranks == sorted(ranks)
    assert client.get("/api/seen", params={"lon": -70, "lat": -30}).json() == []


def test_the_page_and_the_command_find_the_same(client, case_path, capsys):
    ((lon, lat),) = lonlat([[EAST_M + 60, NORTH_M - 60]]).tolist()
    shown = client.get("/api/seen", params={"lon": lon, "lat": lat}).json()
    asked = ["seen", str(case_path), "--at", f"{lon!r},{lat!r}", "--limit", "60", "--json"]
    assert status_of(asked) == 0
    printed = json.loads(capsys.readouterr().out)
    codes = {"from_code", "to_code", "best_code"}
    assert len(shown) > 1
    assert [{k: v for k, v in one.items() if k not in codes} for one in shown] == printed


def test_photographs_are_made_small_and_only_those_of_the_case(client):
    photo = client.get("/api/footage").json()["photographs"][0]
    answer = client.get(f"/media/photographs/{photo['sha256']}", params={"side_px": 200})
    assert max(Image.open(io.BytesIO(answer.content)).size) <= 320
    assert client.get(f"/media/photographs/{'0' * 64}").status_code == 404


def test_a_picture_is_marked_graphic_and_the_mark_is_kept(client, clip, case_path):
    for is_graphic, marked in ((True, [clip["sha256"]]), (False, [])):
        body = {"sha256": clip["sha256"], "is_graphic": is_graphic}
        assert client.post("/api/graphic", json=body).status_code == 200
        assert client.get("/api/footage").json()["graphic"] == marked
    assert (
        client.post("/api/graphic", json={"sha256": "0" * 64, "is_graphic": True}).status_code
        == 404
    )


def clicks(position=(EAST_M + 75.0, NORTH_M - 90.0, GROUND_M + 70.0), focal=300.0, noise=0.3):
    """Clicks of places of known height in the picture of a camera that looks north and down."""
    rng = np.random.default_rng(3)
    xyz = np.array(
        [(*one, GROUND_M + ROOF_M) for one in POINTS] + [(*one, GROUND_M) for one in GROUND]
    )
    rotation = rotation_cam_from_world(0.0, -50.0, 0.0)
    params = (focal, focal, WIDTH_PX / 2, HEIGHT_PX / 2, 0, 0, 0, 0)
    seen = projected_px((xyz - position) @ rotation.T, params)
    inside = (seen > 0).all(axis=1) & (seen < (WIDTH_PX, HEIGHT_PX)).all(axis=1)
    seen = seen + rng.normal(0, noise, seen.shape)
    places = lonlat(xyz[:, :2])
    return [
        {"time_s": "7/10", "px": float(x), "py": float(y), "lon": float(lon), "lat": float(lat)}
        for (x, y), (lon, lat) in zip(seen[inside], places[inside], strict=True)
    ]


def test_six_pairs_and_more_give_the_camera_with_its_residuals(client, clip):
    sent = clicks()
    assert len(sent) >= 8
    told = client.post(f"/api/clips/{clip['sha256']}/solve", json={"clicks": sent}).json()
    (xy,) = transformed_xy("EPSG:4326", "EPSG:32637", [told["position"][:2]])
    miss = np.array(
        [xy[0] - EAST_M - 75, xy[1] - NORTH_M + 90, told["position"][2] - GROUND_M - 70]
    )
    assert (np.abs(miss) < 4 * np.array(told["sigma_m"])).all()
    assert all(told["used"])
    assert max(np.hypot(*np.array(told["residuals_px"]).T)) < 4
    assert len(told["left_out_px"]) == len(sent)
    assert told["heights_m"][0] == pytest.approx(GROUND_M + ROOF_M)
    assert len(told["ring"]) > 8
    assert len(told["outlines"]) > 3


def write_cameras_off_by(case_path, sigma_m):
    """The list of the map's cameras: one, whose position is off by so much east, north and up."""
    level = {
        "name": "a.jpg",
        "sha256": None,
        "registered": True,
        "reason": None,
        "mapped": True,
        "rotation_cam_from_world": [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
        "position_m": [0, 0, 9],
        "position_sigma_m": sigma_m,
    }
    content = {"crs": "EPSG:32637", "vertical_datum": "ellipsoid", "frames": [level]}
    (case_path / "products" / "cameras.json").write_text(json.dumps(content))


def test_a_camera_is_no_surer_than_the_map_that_was_clicked(client, clip, case_path):
    write_cameras_off_by(case_path, (6.0, 7.0, 11.0))
    told = client.post(f"/api/clips/{clip['sha256']}/solve", json={"clicks": clicks()}).json()
    east, north, up = told["sigma_m"]
    assert min(east, north) > 7
    assert up > 11


def test_the_page_and_the_command_state_the_same_accuracy_for_the_same_clicks(
    client, clip, case_path, tmp_path
):
    write_cameras_off_by(case_path, (2.0, 2.0, 4.0))
    sent = clicks()
    told = client.post(f"/api/clips/{clip['sha256']}/solve", json={"clicks": sent}).json()
    ties = tmp_path / "ties.csv"
    rows = [f"0.7,{one['px']},{one['py']},{one['lon']},{one['lat']}," for one in sent]
    ties.write_text("time_s,px,py,lon,lat,height\n" + "\n".join(rows) + "\n")
    located = locate(case_path, clip["sha256"], ties)
    path = decode_artefact(Trajectory, json.loads(located.path.read_text()), root=case_path)
    (saved,) = [one for one in path.poses if one.time_s == Fraction(7, 10)]
    assert told["ce90_m"] == pytest.approx(saved.ce90_m, rel=1e-3)
    assert saved.ce90_in_case_m < saved.ce90_m
    assert told["position"][2] == pytest.approx(saved.pose.position_m[2], abs=0.02)
    east, north, up = told["sigma_m"]
    said = f"  sigma     {east:.1f} m east, {north:.1f} m north, {up:.1f} m up"
    assert said in located.lines


def test_a_wrong_click_is_found(client, clip):
    sent = clicks()
    sent[2]["px"] += 60
    told = client.post(f"/api/clips/{clip['sha256']}/solve", json={"clicks": sent}).json()
    assert [i for i, used in enumerate(told["used"]) if not used] == [2]
    assert told["left_out_px"][2] > 40


def test_clicks_that_fix_no_camera_are_told_in_one_line(client, clip):
    path = f"/api/clips/{clip['sha256']}/solve"
    few = client.post(path, json={"clicks": clicks()[:4]})
    assert few.status_code == 422
    assert "a camera needs 6" in few.json()["error"]
    assert client.post(path, json={"clicks": []}).status_code == 422
    swapped = [{**one, "lon": one["lat"], "lat": one["lon"]} for one in clicks()]
    assert "swapped" in client.post(path, json={"clicks": swapped}).json()["error"]


def test_saved_clicks_are_kept_as_ties_and_come_back(client, clip, case_path):
    sent = clicks()
    answer = client.post(f"/api/clips/{clip['sha256']}/place", json={"clicks": sent})
    assert answer.status_code == 200, answer.text
    text = (case_path / "ties" / f"{clip['sha256']}.csv").read_text()
    assert text.splitlines()[0] == "time_s,px,py,lon,lat,height"
    assert len(text.splitlines()) == len(sent) + 1
    back = client.get(f"/api/clips/{clip['sha256']}/clicks").json()["clicks"]
    assert back[0]["time_s"] == "7/10"
    assert back[0]["lon"] == pytest.approx(sent[0]["lon"], abs=1e-8)
    said = []

    def is_placed():
        said.append(client.get(f"/api/clips/{clip['sha256']}/place").json())
        return said[-1]["state"] != "working"

    wait_until(is_placed)
    state = said[-1]
    assert state["state"] in ("done", "failed")
    assert state["state"] == "done" or state["error"]
