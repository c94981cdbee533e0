"""The measures by name."""

NAMES = (
    "measured_fraction", "filled_fraction", "empty_fraction", "photographs",
    "height_m", "roof_height_m", "height_spread_fraction", "below_half_fraction",
    "plane_residual_m", "plane_count", "plane_fraction", "largest_plane_fraction",
    "lower_plane_fraction", "standing_fraction", "whole_fraction", "broken_fraction",
    "fallen_fraction", "bare_fraction",
    "low_fraction", "hole_fraction", "hole_count", "deepest_m", "raised_fraction",
    "roughness_m", "rough_fraction", "normal_entropy",
    "apron_fraction", "apron_height_m", "apron_sides",
    "gradient_isotropy", "edge_entropy", "edge_fraction", "contrast", "broken_texture",
    "dust_fraction", "dark_hole_m2", "dark_hole_count", "hole_probability",
    "neighbour_height_fraction", "sunk_fraction", "sunk_beside_fraction", "height_loss_fraction",
    "before_loss_m", "before_lost_fraction", "before_height_m", "before_correlation",
)  # fmt: skip
