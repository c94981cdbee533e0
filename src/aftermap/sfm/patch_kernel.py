"""Least-squares matching of small patches (Foerstner 1982; Gruen 1985), compiled.

A template is cut from the picture in which a point is defined. In another picture the patch is
sampled through the affine map that the geometry predicts, and shifted until its grey values fit
best, brightness and contrast being free. Pixels here count from the first pixel's centre.
"""

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Float32Array
from aftermap.geo.compiled import compiled, inlined

HALF = 8
"""The patch reaches this many pixels to each side of the point."""
SIDE = 2 * HALF + 1
SEARCH = 3
"""The first, whole-pixel search goes this far to each side of the prediction."""
STEPS = 12
CONVERGED_PX = 0.01


@compiled
def sample_patch(
    picture: Float32Array, x: float, y: float, warp: Array, half: int, out: Float32Array
) -> bool:
    """Fill ``out`` by bilinear samples around x, y, axes mapped by ``warp``; False if outside.

    ``out`` is (2 half + 1, 2 half + 1) grey values, ``warp`` (2, 2), x and y count pixels from
    the
    centre of the first one.
    """
    rows, columns = picture.shape
    reach_x = half * (abs(warp[0, 0]) + abs(warp[0, 1]))
    reach_y = half * (abs(warp[1, 0]) + abs(warp[1, 1]))
    if x - reach_x < 0 or x + reach_x > columns - 1.001:
        return False
    if y - reach_y < 0 or y + reach_y > rows - 1.001:
        return False
    for i in range(-half, half + 1):
        for j in range(-half, half + 1):
            u = x + warp[0, 0] * j + warp[0, 1] * i
            v = y + warp[1, 0] * j + warp[1, 1] * i
            column = int(u)
            row = int(v)
            a = np.float32(u - column)
            b = np.float32(v - row)
            top = picture[row, column] * (1 - a) + picture[row, column + 1] * a
            low = picture[row + 1, column] * (1 - a) + picture[row + 1, column + 1] * a
            out[i + half, j + half] = top * (1 - b) + low * b
    return True


@compiled
def templates_at(picture: Float32Array, xy: Array, out: Float32Array, good: BoolArray) -> None:
    """Fill ``out`` (N, SIDE + 2, SIDE + 2) with patches, and ``good`` where they lie inside.

    A point is good if its patch has enough structure in every direction to be found again.
    """
    identity = np.eye(2)
    for n in range(len(xy)):
        good[n] = sample_patch(picture, xy[n, 0], xy[n, 1], identity, HALF + 1, out[n])
        if not good[n]:
            continue
        xx = yy = cross = 0.0
        patch = out[n]
        for i in range(1, SIDE + 1):
            for j in range(1, SIDE + 1):
                gx = 0.5 * (patch[i, j + 1] - patch[i, j - 1])
                gy = 0.5 * (patch[i + 1, j] - patch[i - 1, j])
                xx += gx * gx
                yy += gy * gy
                cross += gx * gy
        least = 0.5 * (xx + yy - np.sqrt((xx - yy) ** 2 + 4 * cross * cross))
        good[n] = least > SIDE * SIDE * 4.0


@compiled
def _likeness(template: Float32Array, patch: Float32Array, row: int, column: int) -> float:
    """Normalised correlation of the template's inside with a window of a larger patch."""
    count = SIDE * SIDE
    st = sp = stt = spp = stp = 0.0
    for i in range(SIDE):
        for j in range(SIDE):
            t = template[i + 1, j + 1]
            p = patch[row + i, column + j]
            st += t
            sp += p
            stt += t * t
            spp += p * p
            stp += t * p
    vt = stt - st * st / count
    vp = spp - sp * sp / count
    if vt <= 1e-6 or vp <= 1e-6:
        return -1.0
    return float((stp - st * sp / count) / np.sqrt(vt * vp))


@compiled
def align(
    picture: Float32Array,
    predicted: Array,
    warps: Array,
    templates: Float32Array,
    found: Array,
    likeness: Array,
) -> None:
    """Fill ``found`` (N, 2) pixels and ``likeness`` (N,), -1 where the patch was not found."""
    wide = np.empty((SIDE + 2 * SEARCH, SIDE + 2 * SEARCH), np.float32)
    patch = np.empty((SIDE + 2, SIDE + 2), np.float32)
    for n in range(len(predicted)):
        likeness[n] = -1.0
        warp = warps[n]
        x, y = predicted[n, 0], predicted[n, 1]
        if not sample_patch(picture, x, y, warp, HALF + SEARCH, wide):
            continue
        best, best_i, best_j = -1.0, 0, 0
        for i in range(2 * SEARCH + 1):
            for j in range(2 * SEARCH + 1):
                value = _likeness(templates[n], wide, i, j)
                if value > best:
                    best, best_i, best_j = value, i - SEARCH, j - SEARCH
        if best < 0.5:
            continue
        du, dv = float(best_j), float(best_i)
        du, dv, value = _refined(picture, x, y, warp, templates[n], patch, du, dv)
        if abs(du) > SEARCH + 0.5 or abs(dv) > SEARCH + 0.5:
            continue
        found[n, 0] = x + warp[0, 0] * du + warp[0, 1] * dv
        found[n, 1] = y + warp[1, 0] * du + warp[1, 1] * dv
        likeness[n] = value


@inlined
def _brightness(template: Float32Array, patch: Float32Array) -> tuple[float, float, float]:
    """Contrast of the template over the patch's, and the mean grey values of both."""
    count = SIDE * SIDE
    st = sp = stt = spp = 0.0
    for i in range(1, SIDE + 1):
        for j in range(1, SIDE + 1):
            st += template[i, j]
            sp += patch[i, j]
            stt += template[i, j] * template[i, j]
            spp += patch[i, j] * patch[i, j]
    st /= count
    sp /= count
    gain = np.sqrt(max(stt / count - st * st, 1e-6) / max(spp / count - sp * sp, 1e-6))
    return gain, st, sp


@inlined
def _shift_equations(
    template: Float32Array, patch: Float32Array, gain: float, st: float, sp: float
) -> tuple[float, float, float, float, float]:
    """Normal equations of a shift along columns and rows: xx, yy, xy, and their right-hand side.

    Gradients are the mean of both pictures'; brightness is free, so they count from their mean.
    """
    count = SIDE * SIDE
    xx = yy = cross = rx = ry = 0.0
    sx = sy = 0.0
    for i in range(1, SIDE + 1):
        for j in range(1, SIDE + 1):
            gx = 0.25 * (
                template[i, j + 1] - template[i, j - 1] + gain * (patch[i, j + 1] - patch[i, j - 1])
            )
            gy = 0.25 * (
                template[i + 1, j] - template[i - 1, j] + gain * (patch[i + 1, j] - patch[i - 1, j])
            )
            r = template[i, j] - st - gain * (patch[i, j] - sp)
            xx += gx * gx
            yy += gy * gy
            cross += gx * gy
            rx += gx * r
            ry += gy * r
            sx += gx
            sy += gy
    return xx - sx * sx / count, yy - sy * sy / count, cross - sx * sy / count, rx, ry


@compiled
def _refined(
    picture: Float32Array,
    x: float,
    y: float,
    warp: Array,
    template: Float32Array,
    patch: Float32Array,
    du: float,
    dv: float,
) -> tuple[float, float, float]:
    """Shift in template pixels at which the patch fits best, and the correlation there."""
    for _ in range(STEPS):
        u = x + warp[0, 0] * du + warp[0, 1] * dv
        v = y + warp[1, 0] * du + warp[1, 1] * dv
        if not sample_patch(picture, u, v, warp, HALF + 1, patch):
            return du, dv, -1.0
        gain, st, sp = _brightness(template, patch)
        xx, yy, cross, rx, ry = _shift_equations(template, patch, gain, st, sp)
        determinant = xx * yy - cross * cross
        if determinant <= 1e-6:
            return du, dv, -1.0
        step_u = (yy * rx - cross * ry) / determinant
        step_v = (xx * ry - cross * rx) / determinant
        du += step_u
        dv += step_v
        if abs(du) > SEARCH + 1 or abs(dv) > SEARCH + 1:
            return du, dv, -1.0
        if abs(step_u) < CONVERGED_PX and abs(step_v) < CONVERGED_PX:
            return du, dv, _likeness(template, patch, 1, 1)
    return du, dv, -1.0
