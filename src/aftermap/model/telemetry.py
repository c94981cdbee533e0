"""What a camera in flight recorded of itself, on the clock of its own video."""

from dataclasses import dataclass
from fractions import Fraction

from aftermap.model.media import Attitude, VerticalDatum
from aftermap.model.runs import Skipped


@dataclass(frozen=True, kw_only=True)
class TelemetrySample:
    """One moment of a track. What was not recorded, or not believable, is None.

    ``time_s`` counts on the clock that the track names. ``height_m`` is in the track's datum;
    ``relative_height_m`` is above the place of take-off. ``attitude`` is absolute, of the camera
    and not of the aircraft. ``hfov_deg`` is the horizontal field of view. ``utc`` is ISO 8601,
    only where the recorder says that it is UTC; ``recorded_at`` is a clock of unknown zone.
    """

    time_s: Fraction
    lonlat_deg: tuple[float, float] | None = None
    height_m: float | None = None
    relative_height_m: float | None = None
    attitude: Attitude | None = None
    hfov_deg: float | None = None
    utc: str | None = None
    recorded_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class Track:
    """The telemetry of one clip, as it was understood.

    ``sha256`` and ``name`` are of the file it was read from, a sidecar or the clip itself.
    ``dialect`` names the format and its variety; ``clock`` what ``time_s`` counts from ("video":
    the clip's own presentation time; "recorder": an offset to the video is not known).
    The sigmas are one standard deviation of the class of receiver. ``origins`` says of each kind of
    value where in the file it came from, such as ("position", "GPS(lon,lat,n)"). ``refused`` lists
    samples and fields that were not believed, with the reason; ``withheld`` what was read and is
    not kept, such as the position of the operator.
    """

    sha256: str
    name: str
    dialect: str
    clock: str
    vertical_datum: VerticalDatum
    sigma_horizontal_m: float
    sigma_vertical_m: float
    samples: tuple[TelemetrySample, ...]
    origins: tuple[tuple[str, str], ...] = ()
    refused: tuple[Skipped, ...] = ()
    withheld: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
