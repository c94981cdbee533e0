"""What can be asked of the twin's clips. Lengths in metres, times in seconds, angles in degrees."""

import math
from dataclasses import dataclass
from fractions import Fraction

from aftermap_twin.options import TwinOptions


@dataclass(frozen=True, kw_only=True)
class ClipOptions:
    """Three clips of one district: a drone's, an edited news piece and a transport stream.

    Attributes:
        seconds: length of the drone's clip; the news shots and the stream keep their share of 40.
        width_px: picture width of the drone's clip; the others keep their share of 1280.
        height_px: picture height of the drone's clip; the others keep their share of 720.
        drone_fps: pictures a second of the drone's clip and the stream; every one is rendered.
        news_fps: pictures a second of the news piece; every one is rendered.
        position_sigma_m: white noise of every 1 Hz position fix, on each axis (one sigma).
        yaw_bias_deg: written yaw minus true yaw.
        height_offset_m: written absolute height minus true height.
        time_offset_s: time on the picture's clock minus the sidecar's time of the same pose.
    """

    seconds: float = 40.0
    width_px: int = 1280
    height_px: int = 720
    drone_fps: Fraction = Fraction(5)
    news_fps: Fraction = Fraction(25)
    position_sigma_m: float = 1.5
    yaw_bias_deg: float = 2.3
    height_offset_m: float = 12.0
    time_offset_s: float = 0.4


@dataclass(frozen=True, kw_only=True)
class ClipCamera(TwinOptions):
    """The district's options with the lens of a shot: any angle of view, hardly distorted."""

    hfov_deg: float = 73.7398
    distortion: tuple[float, float, float, float] = (-0.008, 0.003, 0.0, 0.0)
    principal_point_px: tuple[float, float] = (1.5, -1.0)

    @property
    def focal_px(self) -> float:
        """True focal length in pixels."""
        return focal_px(self.hfov_deg, self.width_px)


def focal_px(hfov_deg: float, width_px: int) -> float:
    """Focal length that shows an angle across a picture's width."""
    return width_px / 2 / math.tan(math.radians(hfov_deg) / 2)
