"""What is asked of the index of sightings."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SightingOptions:
    """Limits of what counts as seen, and how finely it is looked at.

    ``farthest_heights``: rays end this many flying heights away in plan (5 is 79 degrees off
    nadir: beyond, a roof hides its whole street). ``farthest_m``: and never farther than this.
    ``border_points``: points on each side of the picture that make its footprint.
    ``march_cell_m``: surfaces finer than this are averaged to it (a wall is still a wall at 1 m).
    ``window_cells``: most cells of a surface that are held on a side; bounds memory to 64 MB.
    ``moments_per_segment``: poses of a second that are looked at for the best time code.
    ``points_per_side``: points on a side of the smallest cells that are asked whether they are
    hidden; each larger size of cell is asked at twice as many.
    """

    farthest_heights: float = 5.0
    farthest_m: float = 1500.0
    border_points: int = 16
    march_cell_m: float = 1.0
    window_cells: int = 4000
    moments_per_segment: int = 3
    points_per_side: int = 3
