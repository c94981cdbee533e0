"""The record says which mask was used with which original, and since when."""

import json
from dataclasses import replace

import pytest

from aftermap.errors import CaseError
from aftermap.model.clip import Sidecar
from aftermap.progress import NoProgress
from aftermap.record.custody import MASK, MASKED, entries_of, verify_chain
from aftermap.record.verification import findings_in


@pytest.fixture
def mask(case, tmp_path) -> Sidecar:
    file = tmp_path / "IMG_1_mask.png"
    file.write_bytes(b"a mask")
    stored = case.store.add(file, suffix=".mask")
    return Sidecar(name="IMG_1_mask.png", sha256=stored.sha256, path=stored.path)


def said(case):
    return [
        (one.action, one.subject, json.loads(one.detail))
        for one in entries_of(case.package)
        if one.action in (MASK, MASKED)
    ]


def test_a_mask_is_received_once_and_named_with_each_original(case, tagged, untagged, mask):
    case.add_media([tagged, untagged])
    for _ in range(2):  # the second run changes nothing
        same = replace(mask, name="IMG_2_mask.png")
        case.add_masks({tagged.sha256: mask, untagged.sha256: same})
    digest = mask.sha256
    assert said(case) == [
        (MASK, mask.sha256, {"name": "IMG_1_mask.png"}),
        (MASKED, tagged.sha256, {"name": "IMG_1_mask.png", "mask_sha256": digest}),
        (MASKED, untagged.sha256, {"name": "IMG_2_mask.png", "mask_sha256": digest}),
    ]
    assert verify_chain(entries_of(case.package)) == ()
    assert case.mask_of(tagged.sha256).path == mask.path
    missing = [line for line in findings_in(case, NoProgress()) if "mask" in line]
    assert missing == []  # the mask in media/ is known


def test_a_mask_that_is_taken_away_is_said_to_be_gone(case, tagged, mask):
    case.add_media([tagged])
    case.add_masks({tagged.sha256: None})
    assert said(case) == []
    case.add_masks({tagged.sha256: mask})
    case.add_masks({tagged.sha256: None})
    assert said(case)[-1] == (MASKED, tagged.sha256, {"name": None, "mask_sha256": None})
    assert case.mask_of(tagged.sha256) is None


def test_a_mask_that_is_missing_from_the_originals_is_found_out(case, tagged, mask):
    case.add_media([tagged])
    case.add_masks({tagged.sha256: mask})
    mask.path.unlink()
    assert any(
        "IMG_1_mask.png: the original is missing" in line
        for line in findings_in(case, NoProgress())
    )
    with pytest.raises(CaseError, match="aftermap verify"):
        case.mask_of(tagged.sha256)
