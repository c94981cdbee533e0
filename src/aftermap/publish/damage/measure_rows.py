"""The measures of one building in the order of the evidence sheet, with their units."""

from collections.abc import Mapping

from aftermap.publish.damage.evidence_sheet import MeasureRow

LABELS = (
    ("roof_height_m", "roof height above ground", "m"),
    ("neighbour_height_fraction", "height relative to neighbours", "%"),
    ("height_loss_fraction", "height loss (pre-event or storeys)", "%"),
    ("below_half_fraction", "footprint below half height", "%"),
    ("fallen_fraction", "footprint collapsed to near ground", "%"),
    ("plane_residual_m", "roof plane residual", "m"),
    ("plane_fraction", "roof on planes", "%"),
    ("hole_fraction", "holes in the roof", "%"),
    ("hole_width_m", "widest hole in the roof", "m"),
    ("edge_loss_fraction", "roof missing at its edge", "%"),
    ("dark_hole_m2", "dark holes in the image", "m²"),
    ("roughness_m", "roof roughness", "m"),
    ("normal_entropy", "roof normal entropy (0-1)", ""),
    ("gradient_isotropy", "gradient isotropy (0-1)", ""),
    ("apron_fraction", "rubble within 5 m", "%"),
    ("apron_sides", "sides with rubble (of 4)", ""),
    ("before_correlation", "correlation with pre-event image", ""),
    ("measured_fraction", "footprint measured", "%"),
)
"""Name, label and unit. The page has the same labels, and more, in ``frontend/src/texts.ts``."""


def measured_rows(values: Mapping[str, float | None]) -> tuple[MeasureRow, ...]:
    """The measures of a building as rows of its sheet; what is not known stays None.

    ``values`` has the columns of :class:`aftermap.model.building.MeasureTable`.
    """
    return tuple(
        MeasureRow(name=label, value=values[name], sigma=values.get(f"{name}_sigma"), unit=unit)
        for name, label, unit in LABELS
        if name in values
    )
