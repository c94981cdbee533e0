"""Pictures and drawings to finished files, each with the digest of its bytes."""

import hashlib
from pathlib import Path

import cv2

from aftermap.geo.arrays import ByteArray
from aftermap.model.runs import Workspace

JPEG_QUALITY = 92


def write_jpeg(picture: ByteArray, files: Workspace, name: str) -> str:
    """Write a picture as JPEG; its SHA-256.

    ``picture`` is (rows, columns, 3) uint8 BGR; its colours stay at full size so that thin lines
    stay.
    """
    settings = [
        cv2.IMWRITE_JPEG_QUALITY,
        JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    _, coded = cv2.imencode(".jpg", picture, settings)
    return write_bytes(coded.tobytes(), files, name)


def write_bytes(data: bytes, files: Workspace, name: str) -> str:
    """Write a file whole or not at all; the SHA-256 of its bytes."""
    with files.writing(name) as part:
        part.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def digest_of(path: str) -> str:
    """SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
