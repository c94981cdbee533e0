"""Masks as users draw them: what of a picture they leave in, and what is refused in one line."""

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import InProcess
from made_up_clips import clip_of, flight, written
from PIL import Image

from aftermap.errors import InputError
from aftermap.frames import FrameOptions, frames_of
from aftermap.frames.given_masks import GivenMask, given_masks, kept_by, notes_on, with_given_mask
from aftermap.media import Ingested
from aftermap.model.camera import Frame, FrameSet
from aftermap.model.clip import Sidecar
from aftermap.model.media import FocalPrior, FocalSource, MediaItem
from aftermap.progress import NoProgress
from aftermap.record import Case, StageFolder
from aftermap.run import Runner, Stage
from aftermap.workflows.clips import FRAMES, read_clips, read_given_masks

WIDTH, HEIGHT = 80, 60
PRIOR = FocalPrior(focal_px=70.0, sigma_px=1.0, source=FocalSource.ASSUMED)
PHOTOGRAPH = MediaItem(
    sha256="ab" * 32, name="IMG_1.JPG", size_bytes=1, width_px=WIDTH, height_px=HEIGHT, focal=PRIOR
)


def drawn(size=(WIDTH, HEIGHT), box=(10, 40, 30, 50), black=0, white=255) -> np.ndarray:
    """(rows, columns): black inside a box of left, top, right, bottom in an 80 by 60 picture."""
    values = np.full(size[::-1], white, np.uint8)
    x, y = size[0] / WIDTH, size[1] / HEIGHT
    values[round(box[1] * y) : round(box[3] * y), round(box[0] * x) : round(box[2] * x)] = black
    return values


def received(image: Image.Image | np.ndarray, path: Path, **options) -> Sidecar:
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    picture.save(path, **options)
    return Sidecar(name=f"masks/{path.name}", sha256="cd" * 32, path=path)


def kept(image, path: Path, photograph=PHOTOGRAPH, **options) -> np.ndarray:
    return kept_by(GivenMask.of(photograph, received(image, path, **options)))


WANTED = np.where(drawn() == 0, 0, 255)


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(drawn()),
        Image.fromarray(drawn(white=1)),  # anything but 0 is kept
        Image.fromarray(drawn()).convert("1"),
        Image.fromarray(drawn()).convert("RGB"),
        Image.fromarray(np.dstack([drawn(white=0), drawn(white=0), drawn(white=1)])),  # hardly blue
        Image.fromarray(drawn()).convert("RGBA"),
        Image.fromarray(drawn()).convert("P"),
        Image.fromarray(drawn().astype(np.uint16) * 257),
    ],
    ids=["grey", "one", "bits", "colour", "blue", "alpha", "palette", "16 bits"],
)
def test_black_is_left_out_and_anything_else_is_kept(tmp_path, image):
    found = kept(image, tmp_path / "m.png")
    assert found.dtype == np.uint8
    assert (found == WANTED).all()


def test_of_a_jpeg_the_blurred_edge_is_cut_at_half(tmp_path):
    found = kept(drawn(), tmp_path / "m.jpg", quality=60)
    assert (found != WANTED).mean() < 0.005
    inside, outside = drawn(box=(12, 42, 28, 48)) == 0, drawn(box=(8, 38, 32, 52)) != 0
    assert (found[inside] == 0).all()
    assert (found[outside] == 255).all()


@given(
    factor=st.sampled_from((0.25, 0.5, 2, 3, 4)),
    left=st.integers(0, 17),
    top=st.integers(0, 12),
    wide=st.integers(1, 3),
    deep=st.integers(1, 3),
)
def test_a_mask_of_another_size_leaves_out_the_same_places(
    tmp_path_factory, factor, left, top, wide, deep
):
    box = (left * 4, top * 4, (left + wide) * 4, (top + deep) * 4)
    size = (round(WIDTH * factor), round(HEIGHT * factor))
    found = kept(drawn(size, box), tmp_path_factory.mktemp("m") / "m.png")
    assert (found == np.where(drawn(box=box) == 0, 0, 255)).all()


def test_a_hair_in_a_larger_mask_is_not_lost(tmp_path):
    large = np.full((600, 800), 255, np.uint8)
    large[:, 401] = 0
    found = kept(large, tmp_path / "m.png")
    assert (found[:, 40] == 0).all()
    assert (np.delete(found, 40, axis=1) == 255).all()


@pytest.mark.parametrize("size", [(60, 80), (80, 45), (82, 60), (1, 1), (4, 4)])
def test_a_mask_of_another_shape_is_one_line_with_both_sizes(tmp_path, size):
    said = f"^masks/m.png: is {size[0]} x {size[1]} pixels and IMG_1.JPG 80 x 60 as stored; make it"
    with pytest.raises(InputError, match=said) as caught:
        kept(np.full(size[::-1], 255, np.uint8), tmp_path / "m.png")
    assert "\n" not in str(caught.value)


def test_an_all_black_mask_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"^masks/m\.png: masks all of IMG_1\.JPG") as caught:
        kept(np.zeros((HEIGHT, WIDTH), np.uint8), tmp_path / "m.png")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["empty", "text", "short"])
def test_an_unreadable_mask_is_one_line(tmp_path, content):
    noise = np.random.default_rng(1).integers(0, 255, (60, 80), np.uint8)
    mask = received(noise, tmp_path / "m.png")
    whole = mask.path.read_bytes()
    mask.path.write_bytes({"empty": b"", "text": b"hello", "short": whole[:400]}[content])
    with pytest.raises(InputError, match=r"^masks/m\.png: cannot be read as a mask") as caught:
        kept_by(GivenMask.of(PHOTOGRAPH, mask))
    assert "\n" not in str(caught.value)


def test_a_mask_counts_in_the_pixels_as_stored_whatever_either_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = replace(PHOTOGRAPH, orientation=6)
    assert (kept(drawn(), tmp_path / "m.png", turned, exif=exif) == WANTED).all()
    upright = np.ascontiguousarray(np.rot90(drawn(), -1))  # as a viewer shows the photograph
    with pytest.raises(InputError, match="the image is stored rotated, so rotate the mask"):
        kept(upright, tmp_path / "u.png", turned)
    said = list(notes_on([turned, replace(PHOTOGRAPH, sha256="ef" * 32)], {"ab" * 32: tmp_path}))
    assert said[0].startswith("1 of 2 photographs and clips have a mask")
    assert said[1].startswith("IMG_1.JPG: is stored rotated")
    assert list(notes_on([turned], {})) == []


def test_each_mask_becomes_a_file_and_one_that_leaves_all_in_is_none(tmp_path):
    files = StageFolder(folder=tmp_path / "stage")
    other = replace(PHOTOGRAPH, sha256="ef" * 32, name="2")
    masks = {
        PHOTOGRAPH.sha256: received(drawn(), tmp_path / "a.png"),
        other.sha256: replace(received(drawn(black=255), tmp_path / "b.png"), sha256="12" * 32),
    }
    made = given_masks(
        [PHOTOGRAPH, other, replace(other, sha256="34" * 32)], masks, files, InProcess()
    )
    assert list(made) == [PHOTOGRAPH.sha256]
    written = cv2.imread(str(made[PHOTOGRAPH.sha256]), cv2.IMREAD_UNCHANGED)
    assert (written == WANTED).all()


def test_frames_of_a_clip_leave_out_what_either_mask_does(tmp_path):
    files = StageFolder(folder=tmp_path / "stage")
    found, own = drawn(box=(0, 0, 80, 10)), drawn()
    paths = [str(tmp_path / name) for name in ("found.png", "own.png")]
    for path, values in zip(paths, (found, own), strict=True):
        assert cv2.imwrite(path, values)
    frame = Frame(
        sha256="aa",
        name="clip 1",
        path="",
        width_px=WIDTH,
        height_px=HEIGHT,
        orientation=1,
        camera_key="k",
        focal_px=70.0,
        focal_sigma_px=1.0,
        focal_source=FocalSource.ASSUMED,
    )
    frames = [frame, replace(frame, mask=paths[0]), replace(frame, mask=paths[0])]
    masked = with_given_mask(frames, Path(paths[1]), files)
    assert masked[0].mask == paths[1]
    assert masked[1].mask == masked[2].mask
    assert (cv2.imread(masked[1].mask, cv2.IMREAD_UNCHANGED) == np.minimum(found, own)).all()
    assert cv2.imwrite(paths[0], drawn(box=(0, 0, 5, 5)))  # another shot of the same name
    assert with_given_mask(frames[1:], Path(paths[1]), files)[0].mask != masked[1].mask


def test_a_clips_mask_holds_for_all_its_shots_beside_what_was_found_and_decodes_nothing_anew(
    tmp_path,
):
    plain, with_caption = flight(1, 75, 8), [picture.copy() for picture in flight(2, 75, 8)]
    for picture in with_caption:
        picture[130:165, 20:200] = (160, 40, 20)
        cv2.putText(picture, "BREAKING", (30, 156), 0, 0.8, (255, 255, 255), 2)
    clip = clip_of(written(tmp_path / "news.mp4", [*plain, *with_caption]))
    smoke = np.full((180, 320), 255, np.uint8)
    smoke[:60, 200:] = 0
    found = [frames_of_clip(tmp_path, clip, mask) for mask in (None, smoke, smoke)]
    assert [reused for _, reused in found] == [False, True, True]
    shots = set()
    for bare, masked in zip(found[0][0], found[1][0], strict=True):
        assert replace(masked.frame, mask=None) == replace(bare.frame, mask=None)
        shown = cv2.imread(masked.frame.mask, cv2.IMREAD_UNCHANGED)
        own = bare.frame.mask and cv2.imread(bare.frame.mask, cv2.IMREAD_UNCHANGED)
        assert (shown == (smoke if own is None else np.minimum(smoke, own))).all()
        shots.add((masked.frame.moment.shot, own is None))
    assert shots == {(0, True), (1, False)}


def frames_of_clip(folder, clip, mask):
    """The recorded frames of a clip in a case, and whether they were taken out of it before."""
    masks = {} if mask is None else {clip.sha256: received(mask, folder / "m.png")}
    stored = {clip.sha256: folder / clip.name}
    came_in = Ingested(items=(), stored=stored, skipped=(), clips=(clip,), masks=masks)
    with (
        Case.create_or_open(folder / "case") as case,
        Runner(case, command="map", options=None, progress=NoProgress()) as run,
    ):
        taken = read_clips(came_in, read_given_masks(came_in, run, InProcess()), run, InProcess())
        (record,) = [one for one in run.records if one.stage == FRAMES.name]
    return taken.frames, record.reused


def test_a_changed_mask_voids_what_was_made_with_it_and_one_that_stays_does_not(tmp_path):
    made = []
    photograph = {PHOTOGRAPH.sha256: tmp_path / "IMG_1.JPG"}
    poses = Stage(name="poses", version=1, answer=FrameSet)
    for number, box in enumerate([(10, 40, 30, 50), (10, 40, 30, 50), (0, 0, 30, 50)]):
        mask = received(drawn(box=box), tmp_path / f"{number}.png")
        digest = hashlib.sha256(mask.path.read_bytes()).hexdigest()
        came_in = Ingested(
            items=(PHOTOGRAPH,),
            stored=photograph,
            skipped=(),
            masks={PHOTOGRAPH.sha256: replace(mask, sha256=digest)},
        )
        with (
            Case.create_or_open(tmp_path / "case") as case,
            Runner(case, command="map", options=None, progress=NoProgress()) as run,
        ):
            masks = read_given_masks(came_in, run, InProcess())
            frames = frames_of([PHOTOGRAPH], photograph, FrameOptions(), masks=masks)
            run.stage(poses, None, [frames], lambda _, found=frames: made.append(found) or found)
    assert len(made) == 2
    assert made[0].frames[0].mask != made[1].frames[0].mask
