"""The light of a flight: where the sun stands, how much comes through, how hazy the air is."""

import math
from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, Float32Array
from aftermap_twin.options import Style, TwinOptions

HAZE = np.array([0.52, 0.58, 0.66], np.float32)
"""Linear colour of the air."""
CLEAR_AIR_M = 3000.0
"""Distance at which haze covers 63 % of what a clip shows, unless the day is hazier."""
AZIMUTH_SPREAD_DEG = 80.0
LOWEST_SUN_DEG, HIGHEST_SUN_DEG = 28.0, 72.0


@dataclass(frozen=True, kw_only=True)
class Light:
    """One day's light.

    The sun's place is in degrees, clockwise from north and above the horizon; ``sun_share`` is what
    thin cloud lets through, ``gain`` the exposure that makes up for it, ``haze_m`` the distance at
    which haze covers 63 % of what a picture shows. ``soil`` tints the ground.
    """

    azimuth_deg: float
    elevation_deg: float
    sun_share: float = 1.0
    gain: float = 1.0
    haze_m: float = math.inf
    soil: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def ground_tint(self) -> Float32Array:
        """(3,) what the colours of the ground are multiplied by."""
        return np.array(self.soil, np.float32)

    @property
    def sun(self) -> Array:
        """(3,) towards the sun: east, north, up, as long as the share that comes through."""
        azimuth, elevation = np.radians([self.azimuth_deg, self.elevation_deg])
        flat = math.cos(elevation)
        unit = np.array(
            [math.sin(azimuth) * flat, math.cos(azimuth) * flat, math.sin(elevation)], float
        )
        return np.asarray(unit * self.sun_share)


def light_of(options: TwinOptions) -> Light:
    """The asked sun on a clear day; where the district varies, a day that the seed draws."""
    if options.style is Style.CITY and not options.variety:
        return Light(azimuth_deg=options.sun_azimuth_deg, elevation_deg=options.sun_elevation_deg)
    rng = np.random.default_rng([options.seed, 71])
    azimuth = options.sun_azimuth_deg + rng.uniform(-1, 1) * AZIMUTH_SPREAD_DEG
    share = float(rng.choice([1.0, rng.uniform(0.35, 0.9)]))
    lightness, warmth = rng.uniform(0.75, 1.2), rng.uniform(-0.14, 0.14)
    return Light(
        soil=(float(lightness * (1 + warmth)), float(lightness), float(lightness * (1 - warmth))),
        azimuth_deg=float(azimuth % 360),
        elevation_deg=float(rng.uniform(LOWEST_SUN_DEG, HIGHEST_SUN_DEG)),
        sun_share=share,
        gain=float(rng.uniform(0.85, 1.1) / (0.4 + 0.6 * share)),
        haze_m=float(rng.choice([math.inf, rng.uniform(500, 2500)])),
    )


def hazy(light: Float32Array, falls: Float32Array, height_m: float, haze_m: float) -> Float32Array:
    """Light (rows, columns, 3) with the haze of the air before level ground.

    ``falls`` (rows, columns) is how far a ray falls in one unit of its length; above the horizon
    there is only haze.
    """
    clear = np.exp(-height_m / falls / haze_m)[..., None]
    return np.asarray(light * clear + HAZE * (1 - clear), np.float32)
