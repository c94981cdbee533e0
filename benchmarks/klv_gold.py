"""Our reading of KLV against the gold files of KWIVER and the vectors of ST 1201."""

import json
import math
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aftermap.media.telemetry.container import data_packets
from aftermap.media.telemetry.misb.imap import imap_value
from aftermap.media.telemetry.misb.klv import ST0601, Packet, packets_in
from aftermap.media.telemetry.misb.st0601 import READERS, local_set_values
from benchmarks.st0601.local_set import every_value


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line for each form
    """A value of a gold file as we give ours: enumerations as numbers, sets as tables by tag."""
    if isinstance(value, list):
        if value and all(isinstance(one, dict) and "key" in one for one in value):
            return {
                str(one["key"]["integer"]): plain(one["value"])
                if one["value"] is not None or "value-unparsed-bytes" not in one
                else one["value-unparsed-bytes"]
                for one in value
            }
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "integer" in value:
        return value["integer"]
    if set(value) == {"length", "value"}:
        return value["value"]
    if set(value) == {"bytes", "hex"}:
        return value["hex"]
    return {
        key: plain(one)
        for key, one in value.items()
        if key not in _HOW_IT_IS_PACKED and not (key in ("sigma", "rho") and one is None)
    }


_HOW_IT_IS_PACKED = ("semi-length", "element-size", "apa", "apa-params-length", "imap-params")


def same(ours: Any, gold: Any) -> bool:
    """Equal, numbers to one part in 10^12."""
    if isinstance(gold, dict) and isinstance(ours, dict):
        mine = {str(key): value for key, value in ours.items()}
        return set(mine) == set(gold) and all(same(mine[key], gold[key]) for key in gold)
    if isinstance(gold, list) and isinstance(ours, list):
        return len(gold) == len(ours) and all(map(same, ours, gold))
    if isinstance(gold, float) and isinstance(ours, int | float):
        return math.isclose(ours, gold, rel_tol=1e-12, abs_tol=1e-12)
    return bool(ours == gold)


def against_stream(folder: Path) -> dict[str, Any]:
    """Every tag of every packet of the three streams, against video_stream_klv.json.zz.

    ``track_tags_right`` counts those that the product reads, by its own reader; the others are
    read by that of the benchmarks.
    """
    gold = json.loads(zlib.decompress((folder / "video_stream_klv.json.zz").read_bytes()))
    figures: dict[str, Any] = {}
    for name in ("h264_klv.ts", "h265_klv.ts", "mpeg2_klv.ts"):
        right: Counter[int] = Counter()
        wrong: Counter[int] = Counter()
        packets = list(_sets(folder / name))
        for packet, expected in zip(packets, gold, strict=True):
            ours = every_value(packet.value) | local_set_values(packet.value)
            for entry in expected["value"]:
                tag = entry["key"]["integer"]
                known = tag in ours and same(ours[tag], plain(entry["value"]))
                (right if known else wrong)[tag] += 1
        figures[name] = {
            "packets": len(packets),
            "tags": len(right | wrong),
            "tags_right": len(set(right) - set(wrong)),
            "track_tags_right": len((set(right) - set(wrong)) & set(READERS)),
            "values": sum((right + wrong).values()),
            "values_right": sum(right.values()),
            "tags_not_right": sorted(wrong),
        }
    return figures


def _sets(path: Path) -> Iterator[Packet]:
    for piece in data_packets(path):
        for one in packets_in(piece.data):
            if isinstance(one, Packet) and one.key == ST0601:
                yield one


def against_st1201(vectors: Path) -> dict[str, Any]:
    """The vectors of jMISB: values out of bytes."""
    cases = json.loads(vectors.read_text("utf-8"))
    backward = 0
    for case in cases:
        low, high, length = case["a"], case["b"], case["L"]
        data = bytes.fromhex(case["forwardResultHex"][2:].zfill(2 * length))
        ours = imap_value(data, low, high)
        backward += ours is not None and _alike(ours, _number(case["reverseResult"]))
    return {"vectors": len(cases), "values_right": backward}


def _alike(ours: float, gold: float) -> bool:
    if math.isnan(gold):
        return math.isnan(ours)
    return ours == gold or math.isclose(ours, gold, rel_tol=1e-9, abs_tol=1e-9)


def _number(text: Any) -> float:
    return math.nan if "NaN" in str(text) else float(text)
