"""Triangles and textures to a binary glTF 2.0 file, written as they come.

Positions are unsigned 16-bit numbers of steps from a node's corner (KHR_mesh_quantization, which
every current viewer reads without a decoder), colours come from JPEG textures alone
(KHR_materials_unlit: the pictures hold the light of the day). Khronos, glTF 2.0 specification.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import cv2
import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Int32Array, Uint16Array

MAGIC, VERSION, JSON_CHUNK, BINARY_CHUNK = b"glTF", 2, b"JSON", b"BIN\0"
UNSIGNED_SHORT, UNSIGNED_INT, FLOAT = 5123, 5125, 5126
ARRAY_BUFFER, ELEMENT_BUFFER = 34962, 34963
LINEAR, LINEAR_MIPMAP, CLAMP, REPEAT = 9729, 9987, 33071, 10497
STEPS = 65535
MOST_BYTES = (1 << 32) - 1


@dataclass(frozen=True, kw_only=True)
class Triangles:
    """Vertices in steps of the node (V, 3) uint16, texture coordinates (V, 2), faces (F, 3).

    Texture coordinates of a repeating texture may be any; others lie within 0 and 1.
    """

    steps: Uint16Array
    uv: Array
    faces: Int32Array
    material: int


@dataclass
class GlbWriter:
    """Writes ``path`` when the context ends without an error."""

    path: Path
    extras: Mapping[str, object]
    _json: dict[str, Any] = field(default_factory=dict)
    _length: int = 0
    _file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._file = self._draft.open("wb")
        self._json = {
            "asset": {"version": "2.0", "generator": "Aftermap", "extras": dict(self.extras)},
            "extensionsUsed": ["KHR_materials_unlit", "KHR_mesh_quantization"],
            "extensionsRequired": ["KHR_mesh_quantization"],
            "scene": 0,
            "scenes": [{"nodes": []}],
            "nodes": [],
            "meshes": [],
            "accessors": [],
            "bufferViews": [],
            "materials": [],
            "textures": [],
            "images": [],
            "samplers": [
                {"magFilter": LINEAR, "minFilter": LINEAR_MIPMAP, "wrapS": wrap, "wrapT": wrap}
                for wrap in (CLAMP, REPEAT)
            ],
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put header, description and data together, or drop what was begun."""
        _opened(self._file).close()
        try:
            if kind is None:
                self._assemble()
        finally:
            self._draft.unlink(missing_ok=True)

    @property
    def _draft(self) -> Path:
        return self.path.with_name(self.path.name + ".bin")

    def material(self, name: str, pixels: ByteArray, *, quality: int, repeats: bool = False) -> int:
        """A material that shows (height, width, 3) red, green, blue as they are."""
        coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        view = self._view(coded.tobytes(), target=None)
        images, textures = self._json["images"], self._json["textures"]
        images.append({"bufferView": view, "mimeType": "image/jpeg", "name": name})
        textures.append({"source": len(images) - 1, "sampler": int(repeats)})
        self._json["materials"].append(
            {
                "name": name,
                "doubleSided": True,
                "extensions": {"KHR_materials_unlit": {}},
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": len(textures) - 1},
                    "metallicFactor": 0,
                    "roughnessFactor": 1,
                },
            }
        )
        return len(self._json["materials"]) - 1

    def node(
        self, name: str, corner: tuple[float, float, float], step: float, *parts: Triangles
    ) -> None:
        """A node whose parts' steps of ``step`` count from ``corner`` (x east, y up, z south)."""
        primitives = [self._primitive(part) for part in parts if len(part.faces)]
        if not primitives:
            return
        self._json["meshes"].append({"name": name, "primitives": primitives})
        self._json["nodes"].append(
            {
                "name": name,
                "mesh": len(self._json["meshes"]) - 1,
                "translation": [float(one) for one in corner],
                "scale": [step, step, step],
            }
        )
        self._json["scenes"][0]["nodes"].append(len(self._json["nodes"]) - 1)

    def _primitive(self, part: Triangles) -> dict[str, Any]:
        steps = np.zeros((len(part.steps), 4), np.uint16)  # rows of 8 bytes: aligned to four
        steps[:, :3] = part.steps
        position = self._accessor(
            steps.tobytes(),
            UNSIGNED_SHORT,
            "VEC3",
            len(steps),
            ARRAY_BUFFER,
            stride=8,
            low=part.steps.min(axis=0).tolist(),
            high=part.steps.max(axis=0).tolist(),
        )
        within = bool(len(part.uv)) and part.uv.min() >= 0 and part.uv.max() <= 1
        if within:
            uv = np.round(part.uv * STEPS).astype(np.uint16)
            kind, extra = UNSIGNED_SHORT, {"normalized": True}
        else:
            uv, kind, extra = part.uv.astype(np.float32), FLOAT, {}
        texture = self._accessor(uv.tobytes(), kind, "VEC2", len(uv), ARRAY_BUFFER)
        self._json["accessors"][texture].update(extra)
        is_small = len(steps) <= STEPS
        faces = part.faces.astype(np.uint16 if is_small else np.uint32)
        indices = self._accessor(
            faces.tobytes(),
            UNSIGNED_SHORT if is_small else UNSIGNED_INT,
            "SCALAR",
            faces.size,
            ELEMENT_BUFFER,
        )
        return {
            "attributes": {"POSITION": position, "TEXCOORD_0": texture},
            "indices": indices,
            "material": part.material,
        }

    def _accessor(
        self,
        data: bytes,
        kind: int,
        shape: str,
        count: int,
        target: int,
        *,
        stride: int = 0,
        low: list[int] | None = None,
        high: list[int] | None = None,
    ) -> int:
        view = self._view(data, target=target, stride=stride)
        accessor = {"bufferView": view, "componentType": kind, "type": shape, "count": count}
        if low is not None and high is not None:
            accessor |= {"min": low, "max": high}
        self._json["accessors"].append(accessor)
        return len(self._json["accessors"]) - 1

    def _view(self, data: bytes, *, target: int | None, stride: int = 0) -> int:
        view: dict[str, int] = {"buffer": 0, "byteOffset": self._length, "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        if stride:
            view["byteStride"] = stride
        file = _opened(self._file)
        padding = -len(data) % 4
        file.write(data + bytes(padding))
        self._length += len(data) + padding
        self._json["bufferViews"].append(view)
        return len(self._json["bufferViews"]) - 1

    def _assemble(self) -> None:
        self._json["buffers"] = [{"byteLength": self._length}]
        text = json.dumps(self._json, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + self._length
        if total > MOST_BYTES:
            raise ValueError("a binary glTF holds four gigabytes at most")
        with self.path.open("wb") as out, self._draft.open("rb") as data:
            out.write(struct.pack("<4sII", MAGIC, VERSION, total))
            out.write(struct.pack("<I4s", len(text), JSON_CHUNK) + text)
            out.write(struct.pack("<I4s", self._length, BINARY_CHUNK))
            while piece := data.read(1 << 20):
                out.write(piece)


def _opened(file: BinaryIO | None) -> BinaryIO:
    """The file, or an error where the writer's context was not entered."""
    if file is None:
        raise ValueError("a glTF is written inside its context")
    return file
