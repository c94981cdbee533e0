"""What a file is, and one clear line for everything that cannot be used."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aftermap.errors import InputError
from aftermap.media.probe import probe
from aftermap.model.media import Attitude, FocalSource, MediaItem, VerticalDatum

MakePhotograph = Callable[..., Path]
Packet = Callable[[Mapping[str, str]], bytes]
SHA = "0" * 64
RAQQA = {1: "N", 2: (35.0, 57.0, 3.6), 3: "E", 4: (39.0, 0.0, 36.0), 5: b"\x00", 6: 300.25}


def probed(path: Path) -> MediaItem:
    return probe(path, name=path.name, sha256=SHA)


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        probed(path)
    message = str(caught.value)
    assert message.startswith(f"{path.name}: ")
    assert "\n" not in message
    assert ";" in message
    return message


def outcome(path: Path) -> str | None:
    """Why a file cannot be used; None where it can."""
    try:
        probed(path)
    except InputError as error:
        return str(error)
    return None


def test_a_plain_photograph_is_described(photograph: MakePhotograph) -> None:
    path = photograph(
        "a.jpg",
        main={0x010F: "Canon\0\0", 0x0110: "Canon PowerShot A3300 IS", 0x0112: 6},
        camera={0x9003: "2012:07:20 18:09:13", 0x920A: 5.0},
        gps=RAQQA,
    )
    item = probed(path)
    assert (item.width_px, item.height_px, item.orientation) == (400, 300, 6)
    assert (item.make, item.camera) == ("Canon", "Canon PowerShot A3300 IS")
    assert item.size_bytes == path.stat().st_size
    assert (item.taken_at, item.clock) == ("2012-07-20T18:09:13", "camera local time, zone unknown")
    assert item.focal.source is FocalSource.SENSOR_DATABASE
    assert item.focal.focal_px == pytest.approx(5.0 / 6.16 * 400)
    assert item.geotag is not None
    assert item.geotag.lat_deg == pytest.approx(35.951)
    assert item.geotag.lon_deg == pytest.approx(39.01)
    assert item.geotag.height_m == pytest.approx(300.25)
    assert item.geotag.vertical_datum is VerticalDatum.UNKNOWN
    assert (item.geotag.sigma_horizontal_m, item.geotag.sigma_vertical_m) == (3.0, 5.0)


def test_a_photograph_without_any_metadata_is_used(photograph: MakePhotograph) -> None:
    item = probed(photograph("bare.png", size=(320, 240)))
    assert (item.geotag, item.attitude, item.taken_at, item.camera) == (None, None, None, None)
    assert item.focal.source is FocalSource.ASSUMED
    assert item.focal.focal_px == pytest.approx(0.85 * 320)


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_orientation_is_kept_and_never_applied(photograph: MakePhotograph, suffix: str) -> None:
    item = probed(photograph(f"turned{suffix}", main={0x0112: 8}))
    assert (item.width_px, item.height_px, item.orientation) == (400, 300, 8)


def test_dji_metadata_is_read_from_attributes(
    photograph: MakePhotograph, dji_packet: Packet
) -> None:
    xmp = dji_packet(
        {
            "AbsoluteAltitude": "+198.31",
            "RelativeAltitude": "+39.80",
            "GimbalRollDegree": "+0.00",
            "GimbalYawDegree": "+45.00",
            "GimbalPitchDegree": "-89.90",
            "CameraSerialNumber": "7X",
        }
    )
    item = probed(photograph("dji.jpg", gps=RAQQA, xmp=xmp))
    assert item.attitude == Attitude(yaw_deg=45.0, pitch_deg=-89.9, roll_deg=0.0)
    assert item.relative_height_m == 39.8
    assert item.lens_serial == "7X"
    assert item.geotag is not None
    assert item.geotag.height_m == 198.31
    assert item.geotag.vertical_datum is VerticalDatum.BAROMETRIC
    assert item.geotag.sigma_vertical_m == 3.0


def test_an_mpo_is_its_first_picture(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (400, 300), "red"), Image.new("RGB", (240, 220), "blue")
    path = tmp_path / "stereo.jpg"
    first.save(path, format="MPO", save_all=True, append_images=[second])
    with Image.open(path) as image:
        assert image.format == "MPO"
    assert probed(path).width_px == 400


def test_corrupt_exif_costs_facts_not_the_photograph(
    photograph: MakePhotograph, tmp_path: Path
) -> None:
    whole = photograph("a.jpg", main={0x0110: "X"}, camera={0x920A: 5.0}, gps=RAQQA).read_bytes()
    start = whole.index(b"Exif\0\0") + 6
    length = int.from_bytes(whole[start - 8 : start - 6], "big") - 8
    path = tmp_path / "corrupt.jpg"
    for at in range(0, length, 3):
        damaged = bytearray(whole)
        damaged[start + at : start + at + 2] = b"\xff\xfe"
        path.write_bytes(damaged)
        assert probed(path).width_px == 400


@pytest.mark.parametrize(
    ("gps", "why"),
    [
        ({**RAQQA, 2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)}, "0, 0 is no fix"),
        ({**RAQQA, 2: (95.0, 0.0, 0.0)}, "latitude off the globe"),
        ({**RAQQA, 4: (181.0, 0.0, 0.0)}, "longitude off the globe"),
        ({k: v for k, v in RAQQA.items() if k != 1}, "hemisphere not said"),
        ({k: v for k, v in RAQQA.items() if k != 4}, "half a position"),
    ],
)
def test_a_position_that_is_none_is_not_believed(
    photograph: MakePhotograph, gps: Mapping[int, Any], why: str
) -> None:
    assert probed(photograph("a.jpg", gps=gps)).geotag is None, why


def test_a_zero_denominator_in_a_position_means_none(
    photograph: MakePhotograph, tmp_path: Path
) -> None:
    whole = photograph("a.jpg", gps=RAQQA).read_bytes()
    degrees = struct.pack("<II", 35, 1) if b"Exif\0\0II" in whole else struct.pack(">II", 35, 1)
    assert whole.count(degrees) == 1
    path = tmp_path / "nan.jpg"
    path.write_bytes(whole.replace(degrees, bytes(8)))
    assert probed(path).geotag is None


def test_a_text_file_named_jpg(tmp_path: Path) -> None:
    path = tmp_path / "note.jpg"
    path.write_text("Fotos vom Dienstag\n", encoding="utf-8")
    assert "is a text file, not an image; JPEG, PNG and TIFF" in refused(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.97])
def test_a_truncated_photograph(photograph: MakePhotograph, suffix: str, part: float) -> None:
    path = photograph(f"cut{suffix}", size=(640, 480))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    assert "copy it again from the card" in refused(path)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.97])
def test_a_jpeg_whose_end_a_failing_card_left_zero(
    photograph: MakePhotograph, tmp_path: Path, part: float
) -> None:
    with io.BytesIO() as small:
        Image.new("RGB", (160, 120)).save(small, "JPEG")
        thumbnail = small.getvalue()
    path = photograph("zeros.jpg", size=(640, 480), camera={0x927C: thumbnail})
    assert probed(path).width_px == 640
    whole = path.read_bytes()
    kept = int(len(whole) * part)
    path.write_bytes(whole[:kept] + bytes(len(whole) - kept))
    assert "copy it again from the card" in refused(path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    assert "is empty" in refused(path)


@pytest.mark.parametrize("size", [(1, 1), (4000, 199), (199, 4000)])
def test_a_tiny_picture(photograph: MakePhotograph, size: tuple[int, int]) -> None:
    message = refused(photograph("tiny.png", size=size))
    assert f"is {size[0]} x {size[1]} pixels, too small to be aligned" in message


def chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png(width: int, height: int, *extra: bytes, content: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            *extra,
            chunk(b"IDAT", content),
            chunk(b"IEND", b""),
        ]
    )


@pytest.mark.parametrize("side", [13_400, 60_000, 2**31 - 1])
def test_a_png_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(side, side, content=zlib.compress(bytes(1_000_000))))
    assert "states more than 179 megapixels" in refused(path)


def test_a_png_whose_text_unpacks_to_gigabytes(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(5_000_000))
    text = chunk(b"zTXt", b"Comment\0\0" + packed)
    path = tmp_path / "text.png"
    path.write_bytes(png(300, 300, text))
    assert "too large when unpacked" in refused(path)


def test_a_png_whose_colour_profile_is_a_bomb_is_refused_or_harmless(tmp_path: Path) -> None:
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(50_000_000)))
    rows = b"".join(b"\0" + bytes(900) for _ in range(300))
    path = tmp_path / "profile.png"
    path.write_bytes(png(300, 300, profile, content=zlib.compress(rows)))
    said = outcome(path)
    assert said is None or "too large when unpacked" in said


@pytest.mark.parametrize(("suffix", "form"), [(".png", "PNG"), (".tif", "TIFF")])
def test_a_file_of_several_pictures(tmp_path: Path, suffix: str, form: str) -> None:
    frames = [Image.new("RGB", (300, 300), colour) for colour in ("red", "blue")]
    path = tmp_path / f"several{suffix}"
    frames[0].save(path, format=form, save_all=True, append_images=frames[1:])
    assert "contains several images" in refused(path)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "BMP"])
def test_other_kinds_of_picture_named_jpg(tmp_path: Path, form: str) -> None:
    path = tmp_path / "other.jpg"
    Image.new("RGB", (300, 300)).save(path, format=form)
    assert "JPEG, PNG and TIFF photographs are supported" in refused(path)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "is a video"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "cannot be read"),
        (b"\x7fELF\x02\x01\x01\0", "not a supported image"),
    ],
)
def test_other_contents_named_jpg(tmp_path: Path, head: bytes, said: str) -> None:
    path = tmp_path / "other.jpg"
    path.write_bytes(head + bytes(200))
    assert said in refused(path)


def test_a_sixteen_bit_tiff_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "deep.tif"
    Image.new("I;16", (300, 300)).save(path)
    assert "export it as an 8-bit JPEG" in refused(path)


def test_a_dng_named_tif_is_refused(photograph: MakePhotograph) -> None:
    assert "DNG" in refused(photograph("raw.tif", main={50706: b"\x01\x04\0\0"}))


def test_a_stitched_panorama_has_no_single_camera(photograph: MakePhotograph) -> None:
    xmp = b'<rdf:Description GPano:ProjectionType="equirectangular"/>'
    assert "panorama" in refused(photograph("pano.jpg", xmp=xmp))


def test_damage_anywhere_gives_one_line_or_a_photograph(
    photograph: MakePhotograph, tmp_path: Path, dji_packet: Packet
) -> None:
    """No damage to a byte lets anything but an InputError out, nor a warning (they are errors)."""
    xmp = dji_packet({"AbsoluteAltitude": "+1.0"})
    for suffix, step in ((".jpg", 31), (".png", 197), (".tif", 9973)):
        whole = photograph(f"a{suffix}", main={0x0110: "X"}, gps=RAQQA, xmp=xmp).read_bytes()
        path = tmp_path / f"damaged{suffix}"
        for at in [*range(0, min(len(whole), 900), 11), *range(900, len(whole), step * 7)]:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
            said = outcome(path)
            assert said is None or (said.startswith(path.name) and "\n" not in said)
