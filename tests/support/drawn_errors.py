"""Errors by drawing them: what a stated accuracy has to be, found without its formula."""

import numpy as np
from scipy.spatial.transform import Rotation

DRAWS = 20_000


def drawn_ce90_m(position_m, ray, covariance, level_m, level_sigma_m):
    """The radius about where a ray meets the level ground that holds 90 % of drawn ones.

    ``covariance`` (6, 6) is of the position and of a small turn about the world's axes.
    """
    rng = np.random.default_rng(4)
    drawn = rng.multivariate_normal(np.zeros(6), np.asarray(covariance, float), DRAWS)
    levels = level_m + level_sigma_m * rng.normal(size=DRAWS)
    rays = Rotation.from_rotvec(drawn[:, 3:]).apply(np.asarray(ray, float))
    eyes = np.asarray(position_m, float) + drawn[:, :3]
    met = eyes + rays * ((levels - eyes[:, 2]) / rays[:, 2])[:, None]
    true = position_m + np.asarray(ray) * (level_m - position_m[2]) / ray[2]
    return float(np.quantile(np.linalg.norm((met - true)[:, :2], axis=1), 0.9))
