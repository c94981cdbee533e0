"""Photographs as cameras write them, made here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from plain_store import Store

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
MakePhotograph = Callable[..., Path]


@pytest.fixture
def photograph(tmp_path: Path) -> MakePhotograph:
    """photograph("a.jpg", size=(400, 300), main={}, camera={}, gps={}, xmp=b"...") -> its path."""

    def make(
        name: str,
        *,
        size: tuple[int, int] = (400, 300),
        main: Mapping[int, Any] | None = None,
        camera: Mapping[int, Any] | None = None,
        gps: Mapping[int, Any] | None = None,
        xmp: bytes | None = None,
        **options: Any,
    ) -> Path:
        exif = Image.Exif()
        for tag, value in (main or {}).items():
            exif[tag] = value
        for ifd, values in ((EXIF_IFD, camera), (GPS_IFD, gps)):
            if values:
                exif.get_ifd(ifd).update(values)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if xmp is not None and path.suffix != ".png":
            options["xmp"] = xmp
        picture(size).save(path, exif=exif, **options)
        return path

    return make


def picture(size: tuple[int, int], seed: int = 1) -> Image.Image:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (max(1, size[1] // 8), max(1, size[0] // 8), 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size)


def packet(attributes: Mapping[str, str]) -> bytes:
    """An XMP packet in DJI's attribute form."""
    written = "\n".join(f'   drone-dji:{name}="{value}"' for name, value in attributes.items())
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about="DJI Meta Data"\n'
        '   xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"\n'
        f"{written}>\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
    ).encode()


@pytest.fixture
def dji_packet() -> Callable[[Mapping[str, str]], bytes]:
    return packet


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("case") / "media")
