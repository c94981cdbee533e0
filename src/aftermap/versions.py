"""Which versions of Aftermap and of the libraries under it compute a result."""

import platform
from functools import cache
from importlib.metadata import version as version_of

import pyproj
import rasterio

from aftermap.arithmetic import arithmetic_name

TOOLS = (
    "numba",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "pycolmap",
    "pyproj",
    "rasterio",
    "scipy",
)


@cache
def versions() -> dict[str, str]:
    """Aftermap and everything that it computes with, by name."""
    found = {"aftermap": version_of("aftermap"), "python": platform.python_version()}
    found |= {tool: version_of(tool) for tool in TOOLS}
    found["arithmetic"] = arithmetic_name()
    return found | {"PROJ": pyproj.proj_version_str, "GDAL": rasterio.__gdal_version__}
