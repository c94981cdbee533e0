"""Tiles, layers and places: right numbers on known ground, a line where something is missing."""

import io
import math

import numpy as np
import pytest
import rasterio
from made_up_case import CELL_M, EAST_M, GROUND_M, NORTH_M, ROOF_M, make_case, outline
from PIL import Image
from starlette.testclient import TestClient

from aftermap.geo.crs import transformed_xy
from aftermap.geo.hatch import PERIOD_PX, hatch_mask
from aftermap.web.app import workbench
from aftermap.web.desk import desk_of
from aftermap.web.security import Door, host_names


def lonlat(east, north):
    ((lon, lat),) = transformed_xy("EPSG:32637", "EPSG:4326", [[east, north]])
    return float(lon), float(lat)


def tile_at(lon, lat, zoom):
    column = (lon + 180) / 360 * 2**zoom
    row = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom
    return (int(column), int(row)), (column % 1 * 512, row % 1 * 512)


def pixels(answer):
    assert answer.status_code == 200, answer.text
    return np.array(Image.open(io.BytesIO(answer.content)))


ROOF = outline(4).centroid.coords[0]
STREET = (EAST_M + 28.0, NORTH_M - 60.0)


def test_a_tile_shows_the_roof_where_it_stands(client):
    lon, lat = lonlat(*ROOF)
    (column, row), (x, y) = tile_at(lon, lat, 19)
    picture = pixels(client.get(f"/tiles/orthophoto/19/{column}/{row}"))
    assert picture.shape == (512, 512, 4)
    assert abs(int(picture[int(y), int(x), 0]) - 200) < 6
    assert picture[int(y), int(x), 3] == 255


def test_relief_and_confidence_are_clear_where_nothing_is_known(client):
    (column, row), (x, y) = tile_at(*lonlat(EAST_M + 2, NORTH_M - 60), 19)
    for kind in ("relief", "confidence"):
        assert pixels(client.get(f"/tiles/{kind}/19/{column}/{row}"))[int(y), int(x), 3] == 0


def test_what_was_filled_is_hatched_in_relief_and_confidence_and_is_no_colour_of_a_ramp(
    client, case_path
):
    filled = (EAST_M + 100, NORTH_M - 60)
    with rasterio.open(case_path / "products" / "confidence.tif", "r+") as file:
        counts = file.read(1)
        row, column = file.index(*filled)
        counts[row - 40 : row + 40, column - 40 : column + 40] = 0
        file.write(counts, 1)
    (column, row), (x, y) = tile_at(*lonlat(*filled), 19)
    for kind in ("relief", "confidence"):
        picture = pixels(client.get(f"/tiles/{kind}/19/{column}/{row}")).astype(int)
        around = picture[int(y) - 12 : int(y) + 12, int(x) - 12 : int(x) + 12]
        assert around.shape[2] == 3 or (around[..., 3] == 255).all()
        assert np.ptp(around[..., :3], axis=2).max() < 12  # grey
        strokes = (
            hatch_mask(24, 24, row * 512 + int(y) - 12, column * 512 + int(x) - 12, PERIOD_PX) > 0
        )
        assert around[strokes].mean() < around[~strokes].mean() - 20
    measured = pixels(client.get(f"/tiles/relief/19/{column}/{row}"))
    assert np.ptp(measured[..., :3].astype(int), axis=2).max() > 20  # the ramp beside it


def test_wild_filled_heights_change_no_relief_tile_and_no_span(client, case_path):
    (column, row), _ = tile_at(*lonlat(EAST_M + 100, NORTH_M - 60), 19)

    def asked():
        tile = client.get(f"/tiles/relief/19/{column}/{row}").content
        return tile, client.get("/api/case").json()["height"]

    products = case_path / "products"
    with rasterio.open(products / "confidence.tif", "r+") as file:
        counts = file.read(1)
        counts[150:260, 150:260] = 0
        file.write(counts, 1)
    first = asked()
    with rasterio.open(products / "surface.tif", "r+") as file:
        heights = file.read(1)
        wild = (counts < 2) & (heights != file.nodata)
        heights[wild] = np.random.default_rng(2).normal(9000, 1000, int(wild.sum()))
        file.write(heights, 1)
    assert asked()[1] == first[1]


def test_the_span_of_heights_mixes_nothing_filled_into_it(client, case_path, monkeypatch):
    """Every third column filled, far up; the overviews are means, as of earlier maps."""
    monkeypatch.setattr("aftermap.web.tiles.OVERVIEW_PX", 64)
    products = case_path / "products"
    with rasterio.open(products / "confidence.tif", "r+") as file:
        counts = file.read(1)
        counts[:, ::3] = 0
        file.write(counts, 1)
    first = client.get("/api/case").json()["height"]
    with rasterio.open(products / "surface.tif", "r+") as file:
        heights = file.read(1)
        heights[(counts < 2) & (heights != file.nodata)] = 9000
        file.write(heights, 1)
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(products / "surface.tif", "r+") as file:
        file.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    assert client.get("/api/case").json()["height"] == first


def test_a_tile_beside_the_map_is_empty_and_no_error(client):
    assert pixels(client.get("/tiles/orthophoto/18/5/5")).shape == (1, 1, 4)
    assert client.get("/tiles/orthophoto/3/9/0").status_code == 200
    assert client.get("/tiles/orthophoto/99/0/0").status_code == 200
    assert client.get("/tiles/secret/1/0/0").status_code == 422


def test_a_place_is_told_in_the_coordinates_of_the_case_with_its_height(client):
    lon, lat = lonlat(*ROOF)
    spot = client.get("/api/point", params={"lon": lon, "lat": lat}).json()
    assert spot["xy_m"] == pytest.approx(ROOF, abs=0.02)
    assert spot["height_m"] == pytest.approx(GROUND_M + ROOF_M)
    assert spot["photographs"] == 6
    nowhere = client.get("/api/point", params={"lon": lon + 1, "lat": lat}).json()
    assert (nowhere["height_m"], nowhere["photographs"]) == (None, None)
    assert client.get("/api/point", params={"lon": 500, "lat": 0}).status_code == 422


def test_a_profile_tells_measured_from_filled_and_from_unknown(client):
    line = [lonlat(EAST_M - 10, NORTH_M - 60), lonlat(EAST_M + 150, NORTH_M - 60)]
    found = client.post("/api/profile", json={"line": line}).json()
    assert found["along_m"][-1] == pytest.approx(160, abs=0.1)
    known = [one for one in found["height_m"] if one is not None]
    assert min(known) == pytest.approx(GROUND_M)
    assert None in found["height_m"]
    assert 0 in found["photographs"]
    assert 6 in found["photographs"]


def test_layers_are_geojson_in_degrees(client):
    layer = client.get("/api/layers/cameras").json()
    lon, lat = layer["features"][0]["geometry"]["coordinates"][:2]
    assert transformed_xy("EPSG:4326", "EPSG:32637", [[lon, lat]])[0] == pytest.approx(
        (EAST_M + 60, NORTH_M - 60), abs=0.02
    )
    assert client.get("/api/case").json()["layers"] == [
        "cameras",
        "photo_footprints",
        "clip_footprints",
        "tracks",
    ]
    assert len(client.get("/api/layers/tracks").json()["features"]) == 1


def test_an_unchanged_layer_is_not_sent_again(client):
    tag = client.get("/api/layers/cameras").headers["etag"]
    again = client.get("/api/layers/cameras", headers={"if-none-match": tag})
    assert again.status_code == 304


def test_a_missing_product_is_told_with_the_command_that_makes_it(client, case_path):
    (case_path / "products" / "surface.tif").unlink()
    told = client.get("/api/case").json()
    assert "aftermap map" in told["missing"]["surface"]
    assert "relief" not in told["tiles"]
    answer = client.get("/tiles/relief/18/1/1")
    assert answer.status_code == 404
    assert "products/surface.tif" in answer.json()["error"]


def test_a_damaged_product_is_told_and_the_rest_goes_on(client, case_path):
    path = case_path / "products" / "orthophoto.tif"
    path.write_bytes(path.read_bytes()[:2000])
    told = client.get("/api/case").json()
    assert set(told["rasters"]) >= {"surface", "confidence"}
    (column, row), _ = tile_at(*lonlat(*ROOF), 19)
    answer = client.get(f"/tiles/orthophoto/19/{column}/{row}")
    assert answer.status_code in (404, 500)
    assert "orthophoto.tif" in answer.json()["error"]


def test_a_new_map_is_seen_once_its_run_has_ended(client, case_path):
    from aftermap.record import Case  # noqa: PLC0415

    before = client.get("/api/state").json()
    with Case.create_or_open(case_path) as case:
        run = case.start_run(command="map", options={}, versions={})
        assert client.get("/api/state").json()["is_running"]
        case.end_run(run, status="ok", message=None, results={"products": {}})
    after = client.get("/api/state").json()
    assert not after["is_running"]
    assert after["run"] == before["run"] + 1


def test_a_case_without_buildings_or_clips_opens(tmp_path):
    path = make_case(tmp_path / "bare", houses=0, with_clip=False)
    door = Door(port=8484, names=host_names("127.0.0.1"))
    with TestClient(workbench(desk_of(path), door), base_url="http://127.0.0.1:8484") as client:
        client.get(door.invitation())
        told = client.get("/api/case").json()
        assert not told["has_buildings"]
        assert client.get("/api/buildings").json()["features"] == []
        assert client.get("/api/footage").json()["clips"] == []
        assert client.get("/api/queue").json() == {"id": []}
        assert client.get("/api/grades").json() == {}
        assert client.get("/api/seen", params={"lon": 39, "lat": 35.9}).json() == []


def test_the_map_lies_where_the_raster_lies(client):
    west, south, east, north = client.get("/api/case").json()["rasters"]["surface"]["bounds_lonlat"]
    corner = transformed_xy("EPSG:4326", "EPSG:32637", [[west, north], [east, south]])
    assert corner[0] == pytest.approx((EAST_M, NORTH_M), abs=2 * CELL_M)
    assert corner[1] == pytest.approx((EAST_M + 200, NORTH_M - 200), abs=2 * CELL_M)
