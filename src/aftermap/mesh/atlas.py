"""Rectangles of many sizes -> their places on few square pages (shelves by falling height)."""

from collections.abc import Sequence
from dataclasses import dataclass

GAP_PX = 2


@dataclass(frozen=True, kw_only=True)
class AtlasPlace:
    """Where a rectangle lies: its page, and its upper left pixel there."""

    page: int
    left_px: int
    top_px: int


@dataclass(frozen=True, kw_only=True)
class Atlas:
    """The place of every rectangle, in their order, and the size of every page (width, height)."""

    spots: tuple[AtlasPlace, ...]
    pages: tuple[tuple[int, int], ...]


def pack_rectangles(sizes_px: Sequence[tuple[int, int]], *, side_px: int) -> Atlas:
    """Places for rectangles of (width, height) that do not touch, none larger than a page."""
    order = sorted(range(len(sizes_px)), key=lambda k: (-sizes_px[k][1], -sizes_px[k][0], k))
    spots: dict[int, AtlasPlace] = {}
    used: list[tuple[int, int]] = []
    page, left, top, shelf, widest = 0, 0, 0, 0, 0
    for number in order:
        width, height = sizes_px[number]
        if left + width > side_px:
            left, top, shelf = 0, top + shelf + GAP_PX, 0
        if top + height > side_px:
            used.append((widest, top - GAP_PX))
            page, left, top, shelf, widest = page + 1, 0, 0, 0, 0
        spots[number] = AtlasPlace(page=page, left_px=left, top_px=top)
        left, shelf, widest = left + width + GAP_PX, max(shelf, height), max(widest, left + width)
    if order:
        used.append((widest, top + shelf))
    return Atlas(spots=tuple(spots[k] for k in range(len(sizes_px))), pages=tuple(used))
