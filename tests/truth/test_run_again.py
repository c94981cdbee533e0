"""The same command again: what is done is not done twice, whichever way the run before ended."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import sys

import numpy as np
import pytest
import rasterio
from known_district import PRODUCTS, map_apart, map_here
from waiting import wait_until

pytestmark = pytest.mark.slow

MAPS = [name for name in PRODUCTS if not name.startswith("report")]


def digests(case):
    return {
        name: hashlib.sha256((case / "products" / name).read_bytes()).hexdigest() for name in MAPS
    }


def last_run(case):
    with sqlite3.connect(f"file:{case / 'case.gpkg'}?mode=ro", uri=True) as package:
        rows = package.execute("SELECT status, message, stages FROM run ORDER BY rowid").fetchall()
    package.close()
    return [(status, message, json.loads(stages or "[]")) for status, message, stages in rows]


@pytest.fixture
def copy_of_case(mapped, tmp_path):
    return shutil.copytree(mapped.case, tmp_path / "case")


def test_the_same_command_again_reuses_every_stage(mapped, copy_of_case):
    before = digests(copy_of_case)
    assert map_here(mapped.flight / "images", copy_of_case) == 0
    assert digests(copy_of_case) == before
    stages = {stage["stage"]: stage["reused"] for stage in last_run(copy_of_case)[-1][2]}
    assert {name for name, reused in stages.items() if reused} == {
        "poses",
        "surface",
        "orthophoto",
        "mesh",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="stops and kills by signals")
def test_a_killed_run_resumes_and_ends_like_an_unbroken_one(mapped, copy_of_case, capfd):
    stages = copy_of_case / "products" / "stages"
    for name in ("surface", "orthophoto"):
        (folder,) = stages.glob(f"{name}-*")
        shutil.rmtree(folder)
    for name in PRODUCTS:
        (copy_of_case / "products" / name).unlink()
    run = map_apart(mapped.flight / "images", copy_of_case)
    try:
        finished = wait_for_depths(stages, run)
        os.killpg(run.pid, signal.SIGSTOP)
        # While the stopped run holds the case, another one is refused.
        capfd.readouterr()
        assert map_here(mapped.flight / "images", copy_of_case) == 2
        refused = capfd.readouterr().err.strip().splitlines()
        assert len(refused) == 1
        assert f"is in use by another run of Aftermap (process {run.pid})" in refused[0]
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    assert finished
    assert not (copy_of_case / "products" / "surface.tif").exists()
    assert list(stages.glob("surface-*"))
    assert not list(stages.glob("surface-*/answer.json"))

    assert map_here(mapped.flight / "images", copy_of_case) == 0
    runs = last_run(copy_of_case)
    assert [status for status, *_ in runs] == ["ok", "interrupted", "ok"]
    reused = {stage["stage"]: stage["reused"] for stage in runs[-1][2]}
    assert (reused["poses"], reused["surface"], reused["orthophoto"]) == (True, False, False)
    with rasterio.open(mapped.product("surface.tif")) as one:
        expected = one.read(1)
    with rasterio.open(copy_of_case / "products" / "surface.tif") as other:
        assert np.array_equal(other.read(1), expected)
    assert digests(copy_of_case) == digests(mapped.case)
    assert not list(copy_of_case.rglob(".part-*"))


def wait_for_depths(stages, run):
    """Depths of finished views, as soon as there are some."""

    def depths():
        return list(stages.glob("surface-*/depth/depth-*.npy"))

    wait_until(lambda: len(depths()) >= 3 or run.poll() is not None)
    return depths() if run.poll() is None else []
