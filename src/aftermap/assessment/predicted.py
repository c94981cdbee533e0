"""The machine's probabilities beside the reviewed sample: the prediction-powered total.

PPI++ (Angelopoulos, Duchi and Zrnic 2023, arXiv:2311.01453) in strata (Fisch et al. 2024,
arXiv:2406.04291): in each stratum the mean of the labels is corrected by lambda times what the
sample's mean prediction lies off that of all buildings. Every building has a prediction and the
sample is a part of them, so this is the difference estimator of survey sampling (Saerndal et al.
1992, ch. 6), and the best lambda is the slope of label on prediction. It is not biased by a wrong
machine, only less precise.

The interval is that of the stratified estimate, moved to the new one and scaled by the ratio of the
two standard errors, so that it keeps its honesty where a class is rare.
"""

import numpy as np
import numpy.typing as npt

from aftermap.assessment.intervals import CONFIDENCE, Interval, score_interval

FEWEST_OF_A_KIND = 5
"""With fewer sampled buildings in the class, or outside of it, a slope is chance: lambda is 0."""


def predicted_interval(
    sizes: npt.ArrayLike,
    stratum: npt.ArrayLike,
    is_class: npt.ArrayLike,
    predicted: npt.ArrayLike,
    mean_predicted: npt.ArrayLike,
    level: float = CONFIDENCE,
) -> Interval:
    """The prediction-powered total of a class and its interval.

    ``sizes`` (H,) buildings of the strata; ``stratum`` (n,) the stratum of each sampled building;
    ``is_class`` (..., n) 0 or 1; ``predicted`` (..., n) the machine's probability of the class;
    ``mean_predicted`` (H,) its mean over all buildings of each stratum.
    """
    size = np.asarray(sizes, float)
    member = np.eye(len(size))[np.asarray(stratum, int)]
    n = member.sum(0)
    y, f = np.asarray(is_class, float), np.asarray(predicted, float)
    plain = score_interval(size, n, y @ member, level)
    mean_y, mean_f = y @ member / n, f @ member / n
    factor = size**2 * (1 - n / size) / n / np.maximum(n - 1, 1)
    dy, df = y - mean_y @ member.T, f - mean_f @ member.T
    yy, yf, ff = (((a * b) @ member * factor).sum(-1) for a, b in ((dy, dy), (dy, df), (df, df)))
    of_a_kind = np.minimum(y.sum(-1), y.shape[-1] - y.sum(-1))
    usable = (of_a_kind >= FEWEST_OF_A_KIND) & (ff > 0) & (yy > 0)
    slope = np.where(usable, np.clip(yf / np.where(ff > 0, ff, 1.0), 0.0, 1.0), 0.0)
    variance = np.maximum(yy - 2 * slope * yf + slope**2 * ff, 0.0)
    ratio = np.where(usable, np.sqrt(variance / np.where(yy > 0, yy, 1.0)), 1.0)
    moved = slope * (size * (np.asarray(mean_predicted, float) - mean_f)).sum(-1)
    least, most = y.sum(-1), size.sum() - (1 - y).sum(-1)
    estimate = np.clip(plain.estimate + moved, least, most)
    low = np.floor(estimate - ratio * (plain.estimate - plain.low) + 1e-6)
    high = np.ceil(estimate + ratio * (plain.high - plain.estimate) - 1e-6)
    return Interval(
        estimate=estimate, low=np.clip(low, least, most), high=np.clip(high, least, most)
    )
