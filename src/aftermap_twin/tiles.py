"""Periodic textures that the shader looks up by world position: noise, cracks and broken stone.

Every tile is square and wraps round.
"""

import cv2
import numpy as np
from scipy.spatial import cKDTree

from aftermap.geo.arrays import Array, Float32Array
from aftermap_twin.lookups import NOISE_LEVELS, NOISE_SIZE, STONE_LEVELS, STONE_SIZE, Textures


def make_tiles(rng: np.random.Generator, sun: Array) -> Textures:
    """All tiles; stones throw the shadows of a ``sun`` (unit vector east, north, up)."""
    distance, cells = _cells(rng, 260)
    planes = np.stack([_spectrum(rng, 0.55), _spectrum(rng, 1.45), distance, cells], axis=-1)
    noise = _mips(planes, NOISE_LEVELS)
    return Textures(
        noise=np.ascontiguousarray(noise.T), stones=_mips(_stones(rng, sun), STONE_LEVELS)
    )


def _mips(image: Float32Array, levels: int) -> Float32Array:
    """(texels, 4) of every level, finest first."""
    flat = []
    for level in range(levels):
        size = image.shape[0] >> level
        small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) if level else image
        flat.append(np.asarray(small, np.float32).reshape(-1, 4))
    return np.concatenate(flat)


def _spectrum(rng: np.random.Generator, slope: float) -> Float32Array:
    """Noise whose amplitude falls with frequency to the power of ``slope``."""
    frequency = (
        np.hypot(np.fft.fftfreq(NOISE_SIZE)[:, None], np.fft.fftfreq(NOISE_SIZE)[None]) * NOISE_SIZE
    )
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=(NOISE_SIZE, NOISE_SIZE))) * frequency**-slope
    spectrum[0, 0] = 0
    noise = np.fft.ifft2(spectrum).real
    return np.asarray(noise / noise.std(), np.float32)


def _cells(rng: np.random.Generator, count: int) -> tuple[Float32Array, Float32Array]:
    """Crack lines (1 on a crack, falling to 0) and a random value in every cell between them."""
    sites = rng.random((count, 2)) * NOISE_SIZE
    wobble = np.stack([_spectrum(rng, 1.6), _spectrum(rng, 1.6)], -1) * 7
    rows, columns = np.mgrid[0:NOISE_SIZE, 0:NOISE_SIZE]
    query = (np.stack([columns, rows], -1) + wobble) % NOISE_SIZE
    gaps, index = cKDTree(sites, boxsize=NOISE_SIZE).query(query.reshape(-1, 2), k=2)
    lines = np.exp(-(((gaps[:, 1] - gaps[:, 0]) / 1.6) ** 2)).reshape(NOISE_SIZE, NOISE_SIZE)
    value = rng.normal(size=count)[index[:, 0]].reshape(NOISE_SIZE, NOISE_SIZE)
    return lines.astype(np.float32), value.astype(np.float32)


def _stones(rng: np.random.Generator, sun: Array) -> Float32Array:
    """Stones dropped one over the other, large first mixed with small, each with its shadow."""
    canvas = np.full((STONE_SIZE, STONE_SIZE, 4), 0.5, np.float32)
    canvas[..., :3] = (0.30, 0.27, 0.23)
    shadow = -np.array([sun[0], -sun[1]]) / sun[2]
    radii = np.exp(rng.normal(1.75, 0.55, 9000))
    radii[rng.random(9000) < 0.01] *= 2.5
    for radius in radii:
        centre = rng.random(2) * STONE_SIZE
        rank = float(rng.beta(1.3, 1.1))
        outline = _outline(rng, radius)
        tint = _stone_tone(rng)
        for shift in _wraps(centre, radius * 3):
            points = outline + centre + shift
            lift = radius * 0.55
            _fill(canvas, points + shadow * lift, (*[c * 0.32 for c in tint], rank))
            _fill(canvas, points, (*tint, rank))
            lit = points * 0.62 + (centre + shift) * 0.38 - shadow * lift * 0.35
            _fill(canvas, lit, (*[min(1.0, c * 1.22) for c in tint], rank))
    grain = 1 + 0.12 * cv2.resize(_spectrum(rng, 0.4), (STONE_SIZE, STONE_SIZE))
    canvas[..., :3] *= np.clip(grain, 0.5, 1.5)[..., None]
    return canvas


def _outline(rng: np.random.Generator, radius: float) -> Array:
    angles = np.sort(rng.random(rng.integers(4, 8))) * 2 * np.pi
    reach = radius * rng.uniform(0.7, 1.2, len(angles))
    stretch = rng.uniform(0.5, 1.0)
    turn = rng.random() * np.pi
    points = np.stack([np.cos(angles) * reach, np.sin(angles) * reach * stretch], 1)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(points @ np.array([[cos, sin], [-sin, cos]]))


def _stone_tone(rng: np.random.Generator) -> tuple[float, float, float]:
    """Mostly pale concrete; some earth, some brick, a few dark or painted pieces."""
    kind = rng.random()
    light = float(rng.normal(0, 0.055))
    if kind < 0.74:
        base = (0.44, 0.41, 0.36)
    elif kind < 0.90:
        base = (0.34, 0.29, 0.22)
    elif kind < 0.94:
        base = (0.33, 0.19, 0.13)
    elif kind < 0.985:
        base = (0.13, 0.12, 0.12)
    else:
        base = [(0.15, 0.27, 0.36), (0.55, 0.53, 0.50), (0.42, 0.12, 0.09)][rng.integers(3)]
    return tuple(float(np.clip(c + light, 0.04, 0.8)) for c in base)  # type: ignore[return-value]


def _wraps(centre: Array, reach: float) -> list[Array]:
    """Shifts at which a stone near the edge shows again on the other side."""
    shifts = [
        [0] + [STONE_SIZE] * bool(c < reach) + [-STONE_SIZE] * bool(c > STONE_SIZE - reach)
        for c in centre
    ]
    return [np.array([x, y], float) for x in shifts[0] for y in shifts[1]]


def _fill(canvas: Float32Array, points: Array, colour: tuple[float, ...]) -> None:
    cv2.fillConvexPoly(canvas, np.round(points * 16).astype(np.int32), colour, cv2.LINE_8, 4)
