"""What the tables of docs/reference/benchmarks.md are made of: figures in results, and goals."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table: a figure at ``path`` in the results, and the goal it should reach."""

    what: str
    data: str
    path: str
    goal: str
    shown: str
    is_reached: Callable[[float], bool] | None = None
    note: str = ""
    factor: float = 1.0


def most(limit: float) -> Callable[[float], bool]:
    """Whether a figure is at most a limit, whatever its sign."""
    return lambda value: abs(value) <= limit


def least(limit: float) -> Callable[[float], bool]:
    """Whether a figure is at least a limit."""
    return lambda value: value >= limit


ALL, SEEN = "accuracy.twin.surface.all_cells", "accuracy.twin.surface.seen_by_two"
CLOUD, CHECK = "accuracy.brighton_beach.cloud", "accuracy.twin_with_control.check"
OURS = (
    Row(
        what="photographs in one model",
        data="brighton_beach",
        goal="18 of 18",
        shown="{:.0f}",
        path="accuracy.brighton_beach.photographs.in_one_model",
        is_reached=least(18),
    ),
    Row(
        what="",
        data="ochota_city, no GPS",
        goal="40 of 40",
        shown="{:.0f}",
        path="accuracy.ochota_city.photographs.in_one_model",
        is_reached=least(40),
    ),
    Row(
        what="median ground height",
        data="brighton_beach",
        goal="162.3 ± 1.5 m",
        shown="{:.2f} m",
        path=f"{CLOUD}.ground.median_m",
        is_reached=lambda value: abs(value - 162.3) <= 1.5,
        note="nothing removed",
    ),
    Row(
        what="surface against the cloud: NMAD",
        data="brighton_beach",
        goal="≤ 0.04 m",
        shown="{:.3f} m",
        path=f"{CLOUD}.spread.nmad_m",
        is_reached=most(0.04),
        note="plane removed",
    ),
    Row(
        what="share of the cloud covered",
        data="brighton_beach",
        goal="≥ 95 %",
        shown="{:.1f} %",
        path=f"{CLOUD}.covered_measured",
        factor=100,
        is_reached=least(95),
        note="by measured cells",
    ),
    Row(
        what="surface against truth: NMAD",
        data="twin, all cells",
        goal="≤ 0.03 m",
        shown="{:.3f} m",
        path=f"{ALL}.nmad_m",
        is_reached=most(0.03),
    ),
    Row(
        what="RMSE",
        data="twin, all cells",
        goal="≤ 0.7 m",
        shown="{:.2f} m",
        path=f"{ALL}.rmse_m",
        is_reached=most(0.7),
    ),
    Row(
        what="RMSE if the surface were perfect",
        data="twin, all cells",
        goal="",
        shown="{:.2f} m",
        path="accuracy.twin.surface_if_perfect.all_cells.rmse_m",
        note="from cells that do not coincide",
    ),
    Row(
        what="within 0.25 m",
        data="twin, all cells",
        goal="≥ 93 %",
        shown="{:.1f} %",
        path=f"{ALL}.within_0.25_m",
        factor=100,
        is_reached=least(93),
    ),
    Row(
        what="within 1 m",
        data="twin, all cells",
        goal="≥ 97.5 %",
        shown="{:.1f} %",
        path=f"{ALL}.within_1_m",
        factor=100,
        is_reached=least(97.5),
    ),
    Row(
        what="complete",
        data="twin, all cells",
        goal="≥ 98 %",
        shown="{:.1f} %",
        path=f"{ALL}.complete",
        factor=100,
        is_reached=least(98),
        note="measured or filled",
    ),
    Row(
        what="NMAD",
        data="twin, seen by two",
        goal="≤ 0.03 m",
        shown="{:.3f} m",
        path=f"{SEEN}.nmad_m",
        is_reached=most(0.03),
    ),
    Row(
        what="RMSE",
        data="twin, seen by two",
        goal="≤ 0.7 m",
        shown="{:.2f} m",
        path=f"{SEEN}.rmse_m",
        is_reached=most(0.7),
    ),
    Row(
        what="within 0.25 m",
        data="twin, seen by two",
        goal="≥ 93 %",
        shown="{:.1f} %",
        path=f"{SEEN}.within_0.25_m",
        factor=100,
        is_reached=least(93),
    ),
    Row(
        what="within 1 m",
        data="twin, seen by two",
        goal="≥ 97.5 %",
        shown="{:.1f} %",
        path=f"{SEEN}.within_1_m",
        factor=100,
        is_reached=least(97.5),
    ),
    Row(
        what="complete",
        data="twin, seen by two",
        goal="≥ 98 %",
        shown="{:.1f} %",
        path=f"{SEEN}.complete",
        factor=100,
        is_reached=least(98),
        note="measured or filled",
    ),
    Row(
        what="cells seen by two",
        data="twin, of all cells",
        goal="",
        shown="{:.1f} %",
        path=f"{SEEN}.share_of_cells",
        factor=100,
        note="the rest nobody can measure",
    ),
    Row(
        what="camera positions: RMSE",
        data="twin",
        goal="≤ 0.08 m",
        shown="{:.3f} m",
        path="accuracy.twin.cameras.position_rmse_m",
        is_reached=most(0.08),
        note="similarity removed",
    ),
    Row(
        what="focal length",
        data="twin",
        goal="within 0.3 %",
        shown="{:+.2f} %",
        factor=100,
        path="accuracy.twin.cameras.focal_error",
        is_reached=most(0.3),
    ),
    Row(
        what="bending by the cameras",
        data="twin",
        goal="",
        shown="{:.4f} m",
        path="accuracy.twin.pose_induced_deformation.rms_m",
        note="RMS, plane removed",
    ),
    Row(
        what="marks, no control: RMSE",
        data="twin",
        goal="≤ 0.6 px",
        shown="{:.2f} px",
        path="accuracy.twin.marks.rmse_px",
        is_reached=most(0.6),
        note="2-D similarity removed",
    ),
    Row(
        what="check marks, 6 control: horizontal",
        data="twin",
        goal="≤ 1 px",
        shown="{:.2f} px",
        path=f"{CHECK}.rmse_px",
        is_reached=most(1),
        note="on the orthophoto, nothing removed",
    ),
    Row(
        what="check marks, 6 control: height",
        data="twin",
        goal="≤ 0.10 m",
        shown="{:.3f} m",
        path=f"{CHECK}.height_rmse_m",
        is_reached=most(0.1),
        note="on the surface, the same",
    ),
    Row(
        what="CPU time against the peer's",
        data="brighton_beach",
        goal="≤ 50 %",
        shown="{:.0f} %",
        path="speed.brighton_beach.share_of_peers_cpu",
        factor=100,
        is_reached=most(50),
    ),
    Row(
        what="",
        data="twin",
        goal="≤ 50 %",
        shown="{:.0f} %",
        path="speed.twin.share_of_peers_cpu",
        factor=100,
        is_reached=most(50),
    ),
    Row(
        what="peak memory",
        data="brighton_beach",
        goal="≤ 2 GB",
        shown="{:.2f} GB",
        path="speed.brighton_beach.aftermap.cost.peak_memory_bytes",
        factor=1e-9,
        is_reached=most(2),
        note="whole process tree, PSS",
    ),
    Row(
        what="CPU per photograph, 200 over 25 photographs",
        data="twins of 25 to 200",
        goal="< 1.3",
        shown="{:.2f}",
        path="growth.last_over_first",
        is_reached=lambda value: value < 1.3,
    ),
)

CLIP, NEWS = "clips.DJI_0001.MP4", "clips.news.mp4"
GLOBE = "centre.on_the_globe_with_a_shared_error_drawn.inside_ce90"
OWN = "centre.on_its_own_map.inside_ce90"


def nine_of_ten(value: float) -> bool:
    """Whether a share in per cent is what circles of 90 % should hold."""
    return 85 <= value <= 95


FOOTAGE = (
    Row(
        what="DJI SRT files understood",
        data="dji_srt, the sound ones",
        goal="20 of 20",
        shown="{:.0f}",
        path="telemetry.dji_srt.sound_understood",
        is_reached=least(20),
    ),
    Row(
        what="broken ones refused with a reason",
        data="dji_srt",
        goal="3 of 3",
        shown="{:.0f}",
        path="telemetry.dji_srt.broken_told",
        is_reached=least(3),
    ),
    Row(
        what="ST 0601 tags right",
        data="misb_klv, three streams each",
        goal="139 of 139",
        shown="{:.0f}",
        path="telemetry.misb_klv.streams.h264_klv.ts.tags_right",
        is_reached=least(139),
    ),
    Row(
        what="frames in one model",
        data="shushi_orbit, no telemetry",
        goal="59 of 59",
        shown="{:.0f}",
        path="orbit.in_one_model",
        is_reached=least(59),
    ),
    Row(
        what="median position error",
        data="shushi_orbit",
        goal="≤ 0.2 % of the extent",
        shown="{:.2f} %",
        factor=100,
        path="orbit.median_position_of_extent",
        is_reached=most(0.2),
        note="against another program's poses, similarity removed",
    ),
    Row(
        what="camera positions: RMSE",
        data="twin, oblique clip, SRT at 10 Hz",
        goal="≤ 0.5 m",
        shown="{:.2f} m",
        path=f"{CLIP}.position_rmse_m",
        is_reached=most(0.5),
        note="in a case with photographs; nothing removed",
    ),
    Row(
        what="",
        data="twin, the same, SRT at 1 Hz",
        goal="≤ 0.5 m",
        shown="{:.2f} m",
        path=f"{CLIP}, 1 Hz.position_rmse_m",
        is_reached=most(0.5),
    ),
    Row(
        what="shots found",
        data="twin, edited news",
        goal="4 of 4",
        shown="{:.0f}",
        path=f"{NEWS}.shots.found",
        is_reached=least(4),
        note="one that is not located is listed as a shot of its own",
    ),
    Row(
        what="shots located",
        data="twin, edited news",
        goal="≥ 3 of 4",
        shown="{:.0f}",
        path=f"{NEWS}.shots.located",
        is_reached=least(3),
    ),
    Row(
        what="shots placed wrongly",
        data="twin, edited news",
        goal="0",
        shown="{:.0f}",
        path=f"{NEWS}.shots.wrong",
        is_reached=most(0),
    ),
    Row(
        what="median centre error",
        data="twin, edited news",
        goal="≤ 3 m",
        shown="{:.2f} m",
        path=f"{NEWS}.shots.median_centre_m",
        is_reached=most(3),
    ),
    Row(
        what="seen, a spot: median",
        data="10 million frames",
        goal="≤ 1 ms",
        shown="{:.2f} ms",
        path="seen.spot.median_ms",
        is_reached=most(1),
    ),
    Row(
        what="p95",
        data="10 million frames",
        goal="≤ 10 ms",
        shown="{:.2f} ms",
        path="seen.spot.p95_ms",
        is_reached=most(10),
    ),
    Row(
        what="seen, a fresh polygon: median",
        data="10 million frames",
        goal="≤ 20 ms",
        shown="{:.1f} ms",
        path="seen.polygon.median_ms",
        is_reached=most(20),
    ),
    Row(
        what="reading a clip over decoding it",
        data="4K HEVC",
        goal="≤ 1.5",
        shown="{:.2f}",
        path="video.over_decoding.read",
        is_reached=most(1.5),
        note="CPU",
    ),
    *(
        Row(
            what=what,
            data=f"twin, {data}",
            goal="85 to 95 %",
            shown="{:.0f} %",
            factor=100,
            path=path,
            is_reached=nine_of_ten,
            note=note,
        )
        for what, note, ways in (
            (
                "inside CE90 on the globe",
                "shared error of the receiver drawn as stated",
                (
                    (f"{CLIP}.{GLOBE}", "clip with SRT"),
                    (f"clips.flight.ts.{GLOBE}", "TS with KLV"),
                    (f"{NEWS}.{GLOBE}", "edited news"),
                ),
            ),
            (
                "inside CE90 on the case's own map",
                "",
                (
                    (f"{CLIP}.{OWN}", "clip with SRT"),
                    (f"clips.flight.ts.{OWN}", "TS with KLV"),
                    (f"{NEWS}.{OWN}", "edited news"),
                    ("locate.news.all.centre_inside_ce90", "news, each shot by itself"),
                    (
                        "locate.drone clip without its telemetry.centre_inside_ce90",
                        "clip without SRT",
                    ),
                    ("locate.clicks.12 clicks.centre_inside_ce90", "12 clicks"),
                    ("locate.carried 3 s from the truth.centre_inside_ce90", "carried 3 s"),
                ),
            ),
            (
                "cameras inside 90 %",
                "on the case's own map",
                (
                    ("locate.clicks.12 clicks.position_inside_90_percent", "12 clicks"),
                    ("locate.clicks.24 clicks.position_inside_90_percent", "24 clicks"),
                    ("locate.carried 3 s from the truth.position_inside_90_percent", "carried 3 s"),
                ),
            ),
        )
        for path, data in ways
    ),
)

BESIDE = (
    Row(what="CPU time", data="brighton_beach", path="cost.cpu_s", goal="", shown="{:.0f} s"),
    Row(
        what="peak memory",
        data="brighton_beach",
        path="cost.peak_memory_bytes",
        goal="",
        shown="{:.2f} GB",
        factor=1e-9,
    ),
    Row(
        what="map, of it measured",
        data="brighton_beach",
        path="map.area_m2 map.measured_area_m2",
        goal="",
        shown="{:,.0f} m²",
    ),
    Row(what="CPU time", data="twin", path="cost.cpu_s", goal="", shown="{:.0f} s"),
    Row(
        what="peak memory",
        data="twin",
        path="cost.peak_memory_bytes",
        goal="",
        shown="{:.2f} GB",
        factor=1e-9,
    ),
    Row(
        what="map, of it measured",
        data="twin",
        path="map.area_m2 map.measured_area_m2",
        goal="",
        shown="{:,.0f} m²",
    ),
    Row(
        what="NMAD, plane removed",
        data="brighton_beach",
        path="accuracy.cloud.spread.nmad_m",
        goal="",
        shown="{:.3f} m",
    ),
    Row(
        what="NMAD, bowl removed too",
        data="brighton_beach",
        path="accuracy.cloud.without_bowl_nmad_m",
        goal="",
        shown="{:.3f} m",
    ),
    Row(
        what="median ground height (162.3 m)",
        data="brighton_beach",
        path="accuracy.cloud.ground.median_m",
        goal="",
        shown="{:.2f} m",
    ),
    Row(
        what="cloud covered: measured, with filled",
        data="brighton_beach",
        path="accuracy.cloud.covered_measured accuracy.cloud.covered_measured_or_filled",
        goal="",
        shown="{:.1f} %",
        factor=100,
    ),
    *(
        Row(
            what=what,
            data=f"twin, {cells}",
            path=f"accuracy.surface.{part}.{key}",
            goal="",
            shown=shown,
            factor=factor,
        )
        for cells, part in (("all cells", "all_cells"), ("seen by two", "seen_by_two"))
        for what, key, shown, factor in (
            ("NMAD", "nmad_m", "{:.3f} m", 1.0),
            ("RMSE", "rmse_m", "{:.2f} m", 1.0),
            ("within 0.25 m", "within_0.25_m", "{:.1f} %", 100.0),
            ("within 1 m", "within_1_m", "{:.1f} %", 100.0),
            ("complete", "complete", "{:.1f} %", 100.0),
        )
    ),
    Row(
        what="camera positions: RMSE",
        data="twin",
        path="accuracy.cameras.position_rmse_m",
        goal="",
        shown="{:.3f} m",
    ),
    Row(
        what="focal length",
        data="twin",
        path="accuracy.cameras.focal_error",
        goal="",
        shown="{:+.2f} %",
        factor=100,
    ),
    Row(
        what="marks, no control: RMSE",
        data="twin",
        path="accuracy.marks.rmse_px",
        goal="",
        shown="{:.2f} px",
    ),
)
