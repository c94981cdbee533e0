"""Angles of a sensor on a platform -> angles of the sensor over the ground."""

import numpy as np

from aftermap.geo.axes import gimbal_angles_deg, rotation_cam_from_world
from aftermap.model.media import Attitude

_LEVEL_NORTH = rotation_cam_from_world(0.0, 0.0, 0.0)


def composed(platform: Attitude, relative: Attitude) -> Attitude:
    """The absolute attitude of a sensor that is turned by ``relative`` on its platform.

    Both are turned Z-Y-X in the frame of what carries them, as ST 0601 (tags 5 to 7 and 18 to 20)
    and gimbals do. With a banked platform azimuths do not add up, which is why they are composed.
    """
    inner = rotation_cam_from_world(relative.yaw_deg, relative.pitch_deg, relative.roll_deg)
    outer = rotation_cam_from_world(platform.yaw_deg, platform.pitch_deg, platform.roll_deg)
    # A level camera that looks north has the platform's axes, so it leads from one to the other.
    rotation = np.asarray(inner @ _LEVEL_NORTH.T @ outer, float)
    yaw, pitch, roll = gimbal_angles_deg(rotation)
    return Attitude(yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
