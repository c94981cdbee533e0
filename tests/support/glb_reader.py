"""Reads a binary glTF the plain way, and checks what a viewer relies on."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

TYPES = {5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}


@dataclass(frozen=True)
class Primitive:
    """World coordinates (x east, y up, z south), texture coordinates, faces, and the picture."""

    node: str
    material: str
    xyz: np.ndarray
    uv: np.ndarray
    faces: np.ndarray
    picture: np.ndarray


def read_glb(path: Path) -> tuple[dict, list[Primitive]]:
    """The description and every primitive; asserts that all bounds hold."""
    data = path.read_bytes()
    magic, version, total = struct.unpack_from("<4sII", data)
    assert (magic, version, total) == (b"glTF", 2, len(data))
    length, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    assert length % 4 == 0
    text = json.loads(data[20 : 20 + length])
    size, kind = struct.unpack_from("<I4s", data, 20 + length)
    binary = data[28 + length :]
    assert kind == b"BIN\0"
    assert len(text["buffers"]) == 1
    assert len(binary) == size == text["buffers"][0]["byteLength"]
    assert set(text["extensionsRequired"]) <= set(text["extensionsUsed"])
    views = text["bufferViews"]
    assert all(v["byteOffset"] % 4 == 0 for v in views)
    assert all(v["byteOffset"] + v["byteLength"] <= size for v in views)
    ends = [(v["byteOffset"], v["byteOffset"] + v["byteLength"]) for v in views]
    assert all(a[1] <= b[0] for a, b in zip(sorted(ends), sorted(ends)[1:], strict=False))
    pictures = [_picture(text, image, binary) for image in text["images"]]
    nodes = [text["nodes"][number] for number in text["scenes"][text["scene"]]["nodes"]]
    return text, [
        _primitive(text, binary, node, one, pictures)
        for node in nodes
        for one in text["meshes"][node["mesh"]]["primitives"]
    ]


def _picture(text, image, binary):
    view = text["bufferViews"][image["bufferView"]]
    assert image["mimeType"] == "image/jpeg"
    coded = np.frombuffer(binary, np.uint8, view["byteLength"], view["byteOffset"])
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]


def _values(text, binary, number) -> np.ndarray:
    accessor = text["accessors"][number]
    view = text["bufferViews"][accessor["bufferView"]]
    kind, width = np.dtype(TYPES[accessor["componentType"]]), WIDTHS[accessor["type"]]
    stride = view.get("byteStride", kind.itemsize * width)
    assert stride % 4 == 0 or accessor["type"] == "SCALAR"
    assert (accessor["count"] - 1) * stride + kind.itemsize * width <= view["byteLength"]
    values = np.ndarray(
        (accessor["count"], width), kind, binary, view["byteOffset"], (stride, kind.itemsize)
    )
    if "min" in accessor:
        assert values.min(axis=0).tolist() == accessor["min"]
        assert values.max(axis=0).tolist() == accessor["max"]
    if accessor.get("normalized"):
        return values / np.iinfo(kind).max
    return values


def _primitive(text, binary, node, one, pictures) -> Primitive:
    steps = _values(text, binary, one["attributes"]["POSITION"])
    assert "min" in text["accessors"][one["attributes"]["POSITION"]]
    uv = _values(text, binary, one["attributes"]["TEXCOORD_0"])
    faces = _values(text, binary, one["indices"]).reshape(-1, 3)
    assert len(uv) == len(steps)
    assert faces.max() < len(steps)
    material = text["materials"][one["material"]]
    texture = text["textures"][material["pbrMetallicRoughness"]["baseColorTexture"]["index"]]
    if text["samplers"][texture["sampler"]]["wrapS"] != 10497:
        assert uv.min() >= 0
        assert uv.max() <= 1
    xyz = steps * np.array(node["scale"]) + np.array(node["translation"])
    return Primitive(
        node["name"], material["name"], xyz, uv, faces.astype(np.int64), pictures[texture["source"]]
    )
