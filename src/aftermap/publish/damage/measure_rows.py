"""The measures of one building in the order in which a sheet tells them, with their units."""

from collections.abc import Mapping

from aftermap.publish.damage.evidence_sheet import MeasureRow

LABELS = (
    ("roof_height_m", "roof above the ground", "m"),
    ("neighbour_height_fraction", "height against its neighbours", "%"),
    ("height_loss_fraction", "lost against its storeys or earlier", "%"),
    ("below_half_fraction", "footprint below half height", "%"),
    ("fallen_fraction", "footprint fallen to near the ground", "%"),
    ("plane_residual_m", "residual to the best roof planes", "m"),
    ("plane_fraction", "roof that lies on planes", "%"),
    ("hole_fraction", "holes in the roof", "%"),
    ("dark_hole_m2", "dark holes in its picture", "m2"),
    ("roughness_m", "roughness of the roof", "m"),
    ("normal_entropy", "spread of directions, of 1", ""),
    ("gradient_isotropy", "edges without direction, of 1", ""),
    ("apron_fraction", "heaped ground within 5 m", "%"),
    ("apron_sides", "sides with a rubble apron, of 4", ""),
    ("before_correlation", "likeness to the picture of earlier, of 1", ""),
    ("measured_fraction", "footprint measured", "%"),
)


def measured_rows(values: Mapping[str, float | None]) -> tuple[MeasureRow, ...]:
    """What a sheet tells of a building's measures; what is not known stays None.

    ``values`` has the columns of :class:`aftermap.model.building.MeasureTable`.
    """
    return tuple(
        MeasureRow(name=label, value=values[name], sigma=values.get(f"{name}_sigma"), unit=unit)
        for name, label, unit in LABELS
        if name in values
    )
