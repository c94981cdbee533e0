"""A grid on the ground and the raster files that fill it."""

from dataclasses import dataclass

from aftermap.model.media import VerticalDatum


@dataclass(frozen=True, kw_only=True)
class Grid:
    """North-up cells of ``cell_m``, the outer corner of the first at (``east_m``, ``north_m``)."""

    crs: str
    east_m: float
    north_m: float
    cell_m: float
    columns: int
    rows: int

    @property
    def area_m(self) -> tuple[float, float, float, float]:
        """West, south, east, north of all cells."""
        east_m = self.east_m + self.columns * self.cell_m
        return self.east_m, self.north_m - self.rows * self.cell_m, east_m, self.north_m


@dataclass(frozen=True, kw_only=True)
class Raster:
    """A raster file with its grid, what no data is, and for heights what they are measured from."""

    path: str
    grid: Grid
    nodata: float | None
    vertical_datum: VerticalDatum | None = None


@dataclass(frozen=True, kw_only=True)
class MeasuredCells:
    """A file of the cells that a frame, by its place among the mapped ones, measured itself.

    ``window`` is first row, first column, rows and columns of the surface that the file covers.
    """

    frame: int
    path: str
    window: tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Elevation:
    """The surface and, per cell, how many photographs agree on it (0 where it was filled).

    ``sigma`` holds the standard deviation of each measured height; None where an earlier version
    measured the surface.
    ``ground_sample_m`` is the median size of a picture's pixel on the ground. The fractions are
    of the cells with a height: measured by at least two photographs, filled. ``sights`` say which
    frame measured which cells itself; none where an earlier version measured the surface.
    """

    surface: Raster
    confidence: Raster
    ground_sample_m: float
    measured_fraction: float
    filled_fraction: float
    sigma: Raster | None = None
    sights: tuple[MeasuredCells, ...] = ()

    @property
    def published(self) -> tuple[Raster, ...]:
        """The rasters that are products."""
        rasters = (self.surface, self.confidence, self.sigma)
        return tuple(raster for raster in rasters if raster is not None)


@dataclass(frozen=True, kw_only=True)
class Orthophoto:
    """The true orthophoto and, per pixel, the frame that it was taken from.

    ``source`` holds the index into the frames of cameras.json; 65535 where there is no picture.
    ``gains`` are the brightness factors that were applied, one per mapped frame, in their order.
    ``gaps`` (red, green, blue, alpha) is what the frames show through small gaps in what was
    measured, as if it lay at the height filled in there; it is drawn nowhere.
    """

    image: Raster
    source: Raster
    gains: tuple[float, ...]
    covered_fraction: float
    gaps: Raster | None = None

    @property
    def published(self) -> tuple[Raster, ...]:
        """The rasters that are products; ``gaps`` is for grading alone, and is not for the map."""
        return self.image, self.source
