"""What a map will take: how it grows, that it covers what was measured, that it can be refitted.

Memory and disk of the machine are files and numbers made up here.
"""

import importlib
import json
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.estimate import (
    STAGES,
    USUAL_SOURCES,
    Costs,
    StageCosts,
    Workload,
    kept_bytes,
    need_of,
    need_of_all,
    shipped_costs,
    wall_s,
    workload_of,
)
from aftermap.room import available_memory_bytes, room_at

SIZES = st.lists(st.tuples(st.integers(100, 6000), st.integers(100, 6000)), min_size=1, max_size=40)
KEPT = json.loads(files("aftermap").joinpath("stage_costs.json").read_text("utf-8"))
RUNS = KEPT["source"]["runs"]


@given(sizes=SIZES, side=st.integers(200, 4000))
def test_matched_megapixels_are_no_more_than_the_pictures_and_grow_with_the_side(sizes, side):
    one = workload_of(sizes, matched_side_px=side, sources=6)
    finer = workload_of(sizes, matched_side_px=side + 100, sources=6)
    assert one.matched_megapixels <= finer.matched_megapixels <= one.megapixels * (1 + 1e-9)
    assert one.largest_matched_megapixels <= side * side / 1e6 * (1 + 1e-9)
    assert one.pictures == len(sizes)


def test_a_picture_is_matched_at_the_longest_side_that_was_asked():
    work = workload_of([(4000, 3000)] * 5, matched_side_px=1600, sources=6)
    assert work.matched_megapixels == pytest.approx(5 * 1.6 * 1.2)
    assert work.megapixels == pytest.approx(60)


@given(sizes=SIZES, workers=st.integers(1, 16), stage=st.sampled_from(STAGES))
def test_more_pictures_take_more_of_all_and_more_workers_more_memory(sizes, workers, stage):
    one, twice = (
        need_of(stage, workload_of(many, matched_side_px=1600, sources=6), workers)
        for many in (sizes, sizes * 2)
    )
    assert twice.cpu_s == pytest.approx(2 * one.cpu_s)
    assert twice.disk_bytes == pytest.approx(2 * one.disk_bytes)
    assert one.memory_bytes <= twice.memory_bytes < 2 * one.memory_bytes
    work = workload_of(sizes, matched_side_px=1600, sources=6)
    assert need_of(stage, work, workers + 1).memory_bytes > one.memory_bytes


@given(sizes=SIZES)
def test_stages_one_after_the_other_hold_what_the_greediest_does_beside_what_is_left(sizes):
    work = workload_of(sizes, matched_side_px=1600, sources=6)
    needs = [need_of(stage, work, 2) for stage in STAGES]
    whole = need_of_all(STAGES, work, 2)
    assert whole.cpu_s == pytest.approx(sum(need.cpu_s for need in needs))
    assert whole.memory_bytes == max(need.memory_bytes for need in needs)
    assert max(need.disk_bytes for need in needs) <= whole.disk_bytes
    left = sum(kept_bytes(stage, work) for stage in STAGES)
    assert whole.disk_bytes <= max(need.disk_bytes for need in needs) + left


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["case"])
def test_no_measured_run_needed_more_memory_or_much_more_disk_than_its_estimate(run):
    work = Workload(**run["workload"])
    for stage in STAGES:
        spent, need = run["stages"].get(stage, {}), need_of(stage, work, run["workers"])
        if "peak_memory_bytes" in spent:
            assert spent["peak_memory_bytes"] <= need.memory_bytes * 1.01
            assert need.memory_bytes < 2.5 * spent["peak_memory_bytes"]
        if "peak_disk_bytes" in spent:
            assert spent["peak_disk_bytes"] < 1.6 * need.disk_bytes
            assert spent["left_disk_bytes"] <= kept_bytes(stage, work) * 1.01


def is_undisturbed(run):
    """Whether other programs left it its cores: seconds of shared ones are longer."""
    cpu, wall = (sum(run["stages"][s][key] for s in STAGES) for key in ("cpu_s", "wall_s"))
    return cpu / wall / run["workers"] >= 0.7


@pytest.mark.parametrize("run", [*filter(is_undisturbed, RUNS)], ids=lambda run: run["case"])
def test_the_time_of_a_measured_run_is_estimated_within_a_factor_of_two(run):
    work = Workload(**run["workload"])
    spent = sum(run["stages"][stage]["cpu_s"] for stage in STAGES)
    assert 0.5 < need_of_all(STAGES, work, run["workers"]).cpu_s / spent < 2


def test_time_is_shared_by_cores_and_not_by_more_workers_than_there_are():
    assert wall_s(120, 2, 2) == pytest.approx(60 / shipped_costs().busy_fraction)
    assert wall_s(120, 8, 2) == wall_s(120, 2, 2) < wall_s(120, 1, 2)


coefficients = st.builds(
    StageCosts,
    picture_cpu_s=st.floats(0.1, 2),
    megapixel_cpu_s=st.floats(0.1, 5),
    main_memory_bytes=st.floats(1e8, 1e9),
    picture_memory_bytes=st.floats(1e5, 1e6),
    worker_memory_bytes=st.floats(1e8, 1e9),
    worker_megapixel_memory_bytes=st.floats(1e7, 3e8),
    picture_disk_bytes=st.floats(1e4, 1e6),
    megapixel_disk_bytes=st.floats(1e6, 1e8),
    megapixel_kept_bytes=st.floats(1e5, 1e6),
)


@given(true=st.lists(coefficients, min_size=3, max_size=3))
def test_a_fit_finds_the_coefficients_that_runs_were_made_with(fit, true):
    true = [replace(one, main_memory_bytes=3e8) for one in true]
    costs = Costs(stages=dict(zip(STAGES, true, strict=True)), busy_fraction=0.8)
    runs = []
    for count, side, workers, sources in (
        (30, 800, 2, 6),
        (12, 1600, 3, 6),
        (900, 3200, 4, 8),
        (300, 800, 2, 6),
    ):
        sizes = [(1000 + 10 * side // 4, 3000)] * count
        work = workload_of(sizes, matched_side_px=side, sources=sources)
        stages = {"photographs": {"peak_memory_bytes": 3e8}}
        for stage in STAGES:
            need = need_of(stage, work, workers, costs)
            stages[stage] = {
                "cpu_s": need.cpu_s,
                "peak_memory_bytes": need.memory_bytes,
                "peak_disk_bytes": need.disk_bytes,
                "wall_s": need.cpu_s / workers / 0.8,
                "left_disk_bytes": kept_bytes(stage, work, costs),
            }
        runs.append({"workload": asdict(work), "workers": workers, "stages": stages})
    found = fit(runs)
    assert found.busy_fraction == pytest.approx(0.8, abs=2e-3)
    for stage in STAGES:
        assert asdict(found.stages[stage]) == pytest.approx(asdict(costs.stages[stage]), rel=0.01)


@pytest.fixture(scope="module")
def fit():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).resolve().parent.parent))
        return importlib.import_module("benchmarks.stage_costs").fitted


def test_more_sources_make_more_work_for_the_surface_alone():
    work = workload_of([(4000, 3000)] * 5, matched_side_px=1600, sources=USUAL_SOURCES)
    more = replace(work, sources=2 * USUAL_SOURCES)
    assert need_of("surface", more, 2).cpu_s == 2 * need_of("surface", work, 2).cpu_s
    assert need_of("orthophoto", more, 2) == need_of("orthophoto", work, 2)


def meminfo(folder, available_kb):
    path = folder / "meminfo"
    path.write_text(f"MemTotal: 99999999 kB\nMemAvailable:   {available_kb} kB\n")
    return path


def cgroup(folder, name, limit, used, inactive_file=0):
    own = folder / name
    own.mkdir(parents=True, exist_ok=True)
    (own / "memory.max").write_text(f"{limit}\n")
    (own / "memory.current").write_text(f"{used}\n")
    (own / "memory.stat").write_text(f"anon 5\ninactive_file {inactive_file}\n")


def test_memory_is_what_the_system_has_and_the_container_allows(tmp_path):
    found = meminfo(tmp_path, 4000)
    groups, own = tmp_path / "cgroup", tmp_path / "own"
    own.write_text("0::/shared/mine\n")
    assert available_memory_bytes(found, groups, own) == 4000 * 1024
    cgroup(groups, "shared/mine", "max", 500)
    assert available_memory_bytes(found, groups, own) == 4000 * 1024
    cgroup(groups, "shared", 3_000_000, 1_000_000, inactive_file=250_000)
    assert available_memory_bytes(found, groups, own) == 2_250_000
    cgroup(groups, "shared/mine", 1_000_000, 2_000_000)
    assert available_memory_bytes(found, groups, own) == 0


def test_where_the_system_does_not_say_it_is_not_known(tmp_path):
    nothing = tmp_path / "nothing"
    assert available_memory_bytes(nothing, nothing, nothing) is None


def test_room_is_told_for_a_folder_that_is_not_there_yet(tmp_path):
    room = room_at(tmp_path / "not" / "yet")
    assert room.disk_bytes > 0
