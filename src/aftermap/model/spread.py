"""What is stated of products of one footage that two machines make with other instructions.

Machines that compute by the same ones agree by value. Measured between stand-ins for machines that
do not; table and method: docs/explanation/reproducibility.md.
"""

HEIGHTS_GSD = 1.0
"""Of the surface: 1.4826 times the median difference, a common shift included, in GSDs."""
GREY_LEVELS = 8.0
"""Of the orthophoto: median difference of its pixels, of 255."""
CAMERAS_CE90 = 0.5
"""Of camera positions: median distance, as a share of each one's CE90 within the case."""
