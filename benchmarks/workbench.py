"""How fast the workbench answers: tiles, first map, next building, grades, moments of a spot.

    .venv/bin/python -m benchmarks.workbench --work WORK [--seen CASE] [--only tiles map ...]

Everything is asked over HTTP on loopback of a server process of its own, and pages are opened in
Debian's Chromium, which draws in software here. ``--seen`` is the case that
``benchmarks.seen_index`` leaves in its work folder. benchmarks/results/workbench.json is written;
what is measured anew takes the place of its own part of it.
"""

import argparse
import asyncio
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import rasterio
import shapely
from rasterio.enums import ColorInterp, Resampling

from aftermap.geo.crs import transformed_xy
from aftermap.geo.polygon import polygons_of
from aftermap.model.assessment import GRADES, Assessment, AssessorKind, Grading
from aftermap.model.building import Alignment, Building, Buildings, Footprint, ShiftSource
from aftermap.record import Case
from aftermap.record.assessments import reviews
from aftermap.record.building_table import replace_buildings
from aftermap.record.custody import entries_of, verify_chain
from aftermap.record.evidence_table import EVIDENCE
from aftermap.record.geometry import polygon
from aftermap.record.geopackage import GeoPackage, add_table, describe, insert
from benchmarks.machine import RESULTS, write_result

CRS = "EPSG:32637"
EAST_M, NORTH_M = 500_000.0, 3_978_000.0
GIGAPIXEL_SIDE = 32_768
CELL_M = 0.05
BUILDINGS, FOOTPRINTS, PICTURES = 25_000, 10_000, 6
REVIEWERS, GRADES_IN_ALL = 20, 10_000
PACED_IN_ALL, PACE_S = 2_000, 0.25
TILES, SPOTS, NEXT = 300, 300, 40
WARM_S = 3.0
PORT = 8711
SERVER = """
import sys, uvicorn
from pathlib import Path
from aftermap.web.app import workbench
from aftermap.web.desk import desk_of
from aftermap.web.security import Door, names_of
port = int(sys.argv[2])
door = Door(port=port, names=names_of("127.0.0.1"))
desk = desk_of(Path(sys.argv[1]))
for _ in range(int(sys.argv[3])):
    print(door.invitation(), flush=True)
uvicorn.run(workbench(desk, door), host="127.0.0.1", port=port, log_level="warning")
"""
WHOLE_MAP = """
() => new Promise((done) => {
  const map = document.querySelector(".map").bench.map;
  const look = () => {
    if (map.areTilesLoaded() && map.isSourceLoaded("buildings")) requestAnimationFrame(done);
    else setTimeout(look, 5);
  };
  look();
})
"""
PANNING = """
async ([dx, dy, steps]) => {
  const map = document.querySelector(".map").bench.map;
  const times = [];
  let last = performance.now();
  for (let i = 0; i < steps; i++) {
    map.panBy([dx, dy], { animate: false });
    await new Promise((done) => requestAnimationFrame(done));
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  return times;
}
"""
NEXT_ONE = """
async () => {
  const name = () => document.querySelector(".review-head h2 bdi").textContent;
  const before = name(), started = performance.now();
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
  for (;;) {
    const pictures = [...document.querySelectorAll(".evidence img")];
    if (name() !== before && pictures.length && pictures.every((one) => one.complete && one.naturalWidth)) break;
    await new Promise((done) => setTimeout(done, 2));
  }
  return performance.now() - started;
}
"""  # noqa: E501
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


def main() -> None:
    """Measure what was asked for and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, help="work folder, 6 GB free")
    parser.add_argument("--seen", type=Path, help="the case of benchmarks.seen_index")
    parser.add_argument("--only", nargs="+", choices=("tiles", "map", "grades", "seen"))
    options = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "tiles": lambda: _tiles(options.work),
        "map": lambda: _page(options.work),
        "grades": lambda: _grades(options.work),
        "seen": lambda: _seen(options.seen),
    }
    path = RESULTS / "workbench.json"
    figures = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in options.only or [part for part in parts if part != "seen" or options.seen]:
        figures[name] = parts[name]()
        print(name, figures[name])
    kept = {name: figures[name] for name in parts if name in figures}
    print(write_result("workbench", kept))


@contextmanager
def _served(case: Path, people: int = 1) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A server process on a case, and an address for each of so many browsers."""
    command = [sys.executable, "-c", SERVER, str(case), str(PORT), str(people)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        addresses = [
            (process.stdout.readline() if process.stdout else "").strip() for _ in range(people)
        ]
        try:
            _wait()
            time.sleep(WARM_S)  # a person opens the page no sooner
            yield process, addresses
        finally:
            process.send_signal(signal.SIGTERM)


def _wait() -> None:
    for _ in range(600):
        try:
            httpx2.get(f"http://127.0.0.1:{PORT}/", trust_env=False)
        except httpx2.ConnectError:
            time.sleep(0.05)
        else:
            return


@contextmanager
def _client(address: str) -> Iterator[httpx2.Client]:
    origin = address.split("/enter", maxsplit=1)[0]
    with httpx2.Client(
        base_url=origin, headers={"origin": origin}, timeout=120, trust_env=False
    ) as client:
        client.get(address)
        yield client


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far, which others on the machine do not lengthen."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _figures(times_ms: list[float]) -> dict[str, Any]:
    return {
        "asked": len(times_ms),
        "median_ms": float(np.median(times_ms)),
        "p95_ms": float(np.percentile(times_ms, 95)),
        "max_ms": max(times_ms),
    }


def _timed(ask: Callable[[], Any]) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000


# Tiles


def _tiles(work: Path) -> dict[str, Any]:
    case = _gigapixel_case(work / "gigapixel")
    picture = case / "products" / "orthophoto.tif"
    random = np.random.default_rng(1)
    with _served(case) as (process, (address,)), _client(address) as client:
        facts = client.get("/api/case").json()["rasters"]["orthophoto"]
        paths = [_tile_at(random, facts) for _ in range(TILES)]
        with picture.open("rb") as stream:  # the disk's cache is emptied of it
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        before_s = _cpu_s(process.pid)
        cold = [_timed(lambda path=path: client.get(path)) for path in paths]
        cpu_ms = 1000 * (_cpu_s(process.pid) - before_s) / len(paths)
        warm = [_timed(lambda path=path: client.get(path)) for path in paths]
    return {
        "pixels": GIGAPIXEL_SIDE**2,
        "file_bytes": picture.stat().st_size,
        "cold": {**_figures(cold), "cpu_ms_each": cpu_ms},
        "warm": _figures(warm),
    }


def _tile_at(random: np.random.Generator, facts: dict[str, Any]) -> str:
    west, south, east, north = facts["bounds_lonlat"]
    zoom = int(random.integers(facts["deepest_zoom"] - 6, facts["deepest_zoom"] + 1))
    lon, lat = random.uniform(west, east), random.uniform(south, north)
    column = int((lon + 180) / 360 * 2**zoom)
    row = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom)
    return f"/tiles/orthophoto/{zoom}/{column}/{row}?v={facts['stamp']}"


def _gigapixel_case(path: Path) -> Path:
    picture = path / "products" / "orthophoto.tif"
    if picture.is_file():
        return path
    with Case.create_or_open(path) as case:
        _place(case)
    part = picture.with_name("part.tif")
    block = _town(2048)
    profile = {
        "driver": "GTiff",
        "width": GIGAPIXEL_SIDE,
        "height": GIGAPIXEL_SIDE,
        "count": 4,
        "dtype": "uint8",
        "crs": CRS,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "deflate",
        "predictor": 2,
        "zlevel": 3,
        "bigtiff": "yes",
        "num_threads": 2,
        "transform": rasterio.Affine(CELL_M, 0, EAST_M, 0, -CELL_M, NORTH_M),
    }
    with rasterio.open(part, "w", **profile) as raster:
        raster.colorinterp = [
            ColorInterp.red,
            ColorInterp.green,
            ColorInterp.blue,
            ColorInterp.alpha,
        ]
        for row in range(0, GIGAPIXEL_SIDE, 2048):
            for column in range(0, GIGAPIXEL_SIDE, 2048):
                window = rasterio.windows.Window(column, row, 2048, 2048)
                raster.write(np.roll(block, (row // 7, column // 5), axis=(1, 2)), window=window)
    with rasterio.open(part, "r+") as raster:
        raster.build_overviews([2, 4, 8, 16, 32, 64], Resampling.average)
    part.rename(picture)
    return path


def _town(side: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(4, side, side): roofs, streets and grain, about as hard to compress as a photograph."""
    random = np.random.default_rng(2)
    row, column = np.indices((side, side))
    roof = ((row % 240 < 170) & (column % 200 < 150)).astype(float)
    base = 110 + 60 * roof + 20 * np.sin(row / 37) * np.cos(column / 53)
    bands = [base * tint + random.normal(0, 7, base.shape) for tint in (1.0, 0.95, 0.86)]
    alpha = np.full(base.shape, 255.0)
    return np.clip(np.stack([*bands, alpha]), 0, 255).astype(np.uint8)


def _place(case: Case) -> None:
    """The CRS of a case without cameras."""
    with case.package.transaction() as connection:
        describe(connection, "camera", crs=CRS, bounds=None)
        describe(connection, "camera_footprint", crs=CRS, bounds=None)


# The first map, panning, the next building


def _page(work: Path) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    case = _large_case(work / "large")
    with _served(case, people=4) as (_, addresses), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        times = [_first_map(browser, address, footprints=False) for address in addresses[:2]]
        with_footprints = _first_map(browser, addresses[2], footprints=True)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(120_000)
        _enter(page, addresses[3], footprints=False)
        cpu = page.context.new_cdp_session(page)
        cpu.send("Performance.enable", {"timeDomain": "threadTicks"})
        before_s = _page_cpu_s(cpu)
        frames = [
            one
            for dx, dy in ((60, 0), (0, 40), (-60, 0), (0, -40))
            for one in page.evaluate(PANNING, [dx, dy, 25])
        ]
        page_ms = 1000 * (_page_cpu_s(cpu) - before_s) / len(frames)
        page.keyboard.press("b")
        page.wait_for_selector(".evidence img")
        page.wait_for_timeout(3000)
        steps = []
        for _ in range(NEXT):
            steps.append(page.evaluate(NEXT_ONE))
            page.wait_for_timeout(700)  # a person looks
        browser.close()
    return {
        "buildings": BUILDINGS,
        "footprints": FOOTPRINTS,
        "first_map_s": times,
        "first_map_with_footprints_shown_s": with_footprints,
        "frame_while_panning": {**_figures(frames), "page_cpu_ms_each": page_ms},
        "next_building": _figures(steps),
        "drawn_by": "SwiftShader, in software",
    }


def _page_cpu_s(cpu: Any) -> float:
    """Processor time of the page's own thread so far: what is left where a graphics chip draws."""
    metrics = cpu.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def _first_map(browser: Any, address: str, *, footprints: bool) -> float:
    """From the address to a map with its picture and all buildings on it."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    started = time.perf_counter()
    _enter(page, address, footprints=footprints)
    page.evaluate(WHOLE_MAP)
    took = time.perf_counter() - started
    page.context.close()
    return took


def _enter(page: Any, address: str, *, footprints: bool) -> None:
    shown = json.dumps({"shown": {"photo_footprints": footprints}})
    page.add_init_script(f"localStorage.setItem('aftermap.prefs', {shown!r})")
    page.goto(address)
    page.wait_for_selector("#app[data-ready=yes]")
    if page.locator("dialog[open]").count():
        page.fill("dialog input", "bench")
        page.keyboard.press("Enter")


def _large_case(path: Path) -> Path:
    if (path / "products" / "evidence" / "done").is_file():
        return path
    with Case.create_or_open(path) as case:
        _place(case)
        random = np.random.default_rng(5)
        _add_footprints(case, random)
        _add_buildings(case, random)
        block = _town(2048)
        with rasterio.open(
            case.products / "orthophoto.tif",
            "w",
            driver="GTiff",
            width=8192,
            height=8192,
            count=4,
            dtype="uint8",
            crs=CRS,
            tiled=True,
            blockxsize=512,
            blockysize=512,
            compress="deflate",
            transform=rasterio.Affine(0.5, 0, EAST_M, 0, -0.5, NORTH_M),
        ) as raster:
            raster.colorinterp = [ColorInterp(i) for i in (3, 4, 5, 6)]
            for row in range(0, 8192, 2048):
                for column in range(0, 8192, 2048):
                    raster.write(block, window=rasterio.windows.Window(column, row, 2048, 2048))
        with rasterio.open(case.products / "orthophoto.tif", "r+") as raster:
            raster.build_overviews([2, 4, 8, 16], Resampling.average)
    (path / "products" / "evidence" / "done").touch()
    return path


def _add_footprints(case: Case, random: np.random.Generator) -> None:
    with case.package.transaction() as connection:
        for i in range(FOOTPRINTS):
            east, north = EAST_M + 4000 * random.random(), NORTH_M - 4000 * random.random()
            ring = [
                (east + 60 * math.cos(a), north + 45 * math.sin(a))
                for a in np.linspace(0, 2 * math.pi, 24, endpoint=False)
            ]
            digest = f"{i:064x}"
            insert(
                connection,
                "camera_footprint",
                {"name": f"DJI_{i:05d}.JPG", "sha256": digest, "geom": polygon(32637, ring)},
            )
            connection.execute(
                "INSERT INTO media (sha256, name, size_bytes, width_px, height_px, orientation, "
                "focal_px, focal_sigma_px, focal_source, metadata, added_at) "
                "VALUES (?, ?, 1, 4000, 3000, 1, 2300, 20, 'assumed', '{}', '2024-01-01')",
                (digest, f"DJI_{i:05d}.JPG"),
            )


def _add_buildings(case: Case, random: np.random.Generator) -> None:
    from PIL import Image  # noqa: PLC0415

    made, grades = [], []
    per_row = 160
    for i in range(BUILDINGS):
        east, north = EAST_M + 25 * (i % per_row), NORTH_M - 25 * (i // per_row) - 20
        outline = shapely.Polygon(
            [
                (east, north),
                (east + 14, north),
                (east + 14, north + 9),
                (east + 8, north + 9),
                (east + 8, north + 15),
                (east, north + 15),
            ]
        )
        parts = polygons_of(outline)
        name = f"way/{i:09d}"
        made.append(
            Building(
                footprint=Footprint(
                    source_id=name, feature=i, polygons_m=parts, area_m2=outline.area
                ),
                alignment=Alignment(
                    shift_m=(0.1, 0.2), sigma_m=0.2, residual_m=0.3, source=ShiftSource.OWN
                ),
                polygons_m=parts,
            )
        )
        grade = GRADES[int(random.integers(5))]
        grades.append(
            Assessment(
                source_id=name,
                kind=AssessorKind.MACHINE,
                assessor="made up",
                grade=grade,
                grades=(grade,),
                confidence=float(random.random()),
                probabilities=(0.2,) * 5,
                reasons=("roof 2.1 m lower than expected over 40 % of it", "rubble beside it"),
            )
        )
    grading = Grading(assessments=tuple(grades), model="made up", model_sha256="0" * 64)
    buildings = Buildings(crs=CRS, buildings=tuple(made))
    replace_buildings(case.package, buildings, grading, None)
    folder = case.products / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(60):
        pixels = random.integers(60, 200, (90, 120, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((900, 675), Image.Resampling.BICUBIC).save(
            folder / f"{k}.jpg", quality=90
        )
    with case.package.transaction() as connection:
        shared = EVIDENCE.columns.replace("file TEXT NOT NULL UNIQUE", "file TEXT NOT NULL")
        add_table(connection, replace(EVIDENCE, columns=shared))
        connection.execute("CREATE INDEX evidence_source_id ON evidence (source_id)")
        for i, one in enumerate(grades):
            for rank in range(PICTURES):
                _insert_evidence(connection, i, rank, one.source_id)


def _insert_evidence(
    connection: sqlite3.Connection, building: int, rank: int, source_id: str
) -> None:
    number = building * PICTURES + rank
    insert(
        connection,
        "evidence",
        {
            "building": building + 1,
            "source_id": source_id,
            "kind": "view",
            "rank": rank + 1,
            "file": f"evidence/{number % 60}.jpg",
            "file_sha256": "0" * 64,
            "original_sha256": "0" * 64,
            "original_name": "DJI_0001.JPG",
            "is_masked": 0,
            "sources": "[]",
        },
    )


# Grades


def _grades(work: Path) -> dict[str, Any]:
    case = work / "grading"
    if not case.exists():
        with Case.create_or_open(case) as opened:
            _place(opened)
            _add_buildings(opened, np.random.default_rng(6))
    with GeoPackage(case / "case.gpkg", read_only=True) as before:
        earlier = len(reviews(before))
    with _served(case, people=2 * REVIEWERS + 1) as (process, addresses):
        with _client(addresses[-1]) as client:
            client.post("/api/me", json={"reviewer": "alone"})
            alone = [_timed(lambda i=i: _grade(client, i)) for i in range(200)]
        told: list[int] = []
        paced = asyncio.run(_everyone(addresses[:REVIEWERS], told, PACED_IN_ALL, PACE_S))
        started, before_rush = time.perf_counter(), len(told)
        rushed = asyncio.run(_everyone(addresses[REVIEWERS:-1], told, GRADES_IN_ALL, 0.0))
        took = time.perf_counter() - started
        os.kill(process.pid, signal.SIGKILL)
    with Case.create_or_open(case) as opened:
        kept = {one.number for one in reviews(opened.package)}
        sound = not verify_chain(entries_of(opened.package))
    with closing(sqlite3.connect(case / "case.gpkg")) as record:
        (verdict,) = record.execute("PRAGMA integrity_check").fetchone()
    return {
        "alone": _figures(alone),
        "reviewers": REVIEWERS,
        "every_quarter_second": _figures(paced),
        "without_pause": _figures(rushed),
        "grades_per_s": (len(told) - before_rush) / took,
        "told_saved": len(told),
        "lost_after_kill": len(set(told) - kept),
        "rows": len(kept) - earlier,
        "chain_is_whole": sound,
        "integrity": verdict,
    }


def _grade(client: httpx2.Client, i: int) -> None:
    body = {"source_id": f"way/{i:09d}", "grade": "severe"}
    client.post("/api/grades", json=body).raise_for_status()


async def _everyone(
    addresses: list[str], told: list[int], in_all: int, pace_s: float
) -> list[float]:
    each = in_all // len(addresses)
    ran = [
        _reviewer(address, number, each, told, pace_s) for number, address in enumerate(addresses)
    ]
    return [one for times in await asyncio.gather(*ran) for one in times]


async def _reviewer(
    address: str, number: int, count: int, told: list[int], pace_s: float
) -> list[float]:
    origin = address.split("/enter", maxsplit=1)[0]
    times = []
    async with httpx2.AsyncClient(
        base_url=origin, headers={"origin": origin}, timeout=120
    ) as client:
        await client.get(address)
        await client.post("/api/me", json={"reviewer": f"reviewer {number}"})
        for i in range(count):
            body = {"source_id": f"way/{(number * 977 + i) % BUILDINGS:09d}", "grade": "light"}
            started = time.perf_counter()
            answer = await client.post("/api/grades", json=body)
            times.append((time.perf_counter() - started) * 1000)
            if answer.status_code == 200:
                told.append(answer.json()["number"])
            await asyncio.sleep(pace_s)
    return times


# Moments of a spot


def _seen(case: Path) -> dict[str, Any]:
    random = np.random.default_rng(4)
    places = np.array([EAST_M, NORTH_M]) + random.random((SPOTS, 2)) * (5000, 4000)
    spots = transformed_xy(CRS, "EPSG:4326", places)
    with _served(case) as (_, (address,)), _client(address) as client:
        client.get("/api/seen", params={"lon": 0.0, "lat": 0.0})
        times = [
            _timed(
                lambda lon=lon, lat=lat: client.get("/api/seen", params={"lon": lon, "lat": lat})
            )
            for lon, lat in spots.tolist()
        ]
    with GeoPackage(case / "case.gpkg", read_only=True, again=True) as record:
        ((segments,),) = record.rows("SELECT count(*) FROM segment")
    size = (case / "case.gpkg").stat().st_size
    return {"segments": segments, "frames": 30 * segments, "case_bytes": size, **_figures(times)}


if __name__ == "__main__":
    main()
