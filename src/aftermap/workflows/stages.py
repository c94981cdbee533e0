"""The stages that several commands know of: raise a version where the same inputs answer anew."""

from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.mesh import Mesh
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.run import Stage
from aftermap.versions import TOOLS

MASKS = Stage(name="masks", version=1, answer=FrameSet, tools=("opencv-python-headless", "pillow"))
FEATURES = Stage(name="features", version=2, answer=FrameSet)
POSES = Stage(name="poses", version=7, answer=Reconstruction)
SURFACE = Stage(name="surface", version=4, answer=Elevation)
ORTHOPHOTO = Stage(name="orthophoto", version=7, answer=Orthophoto)
MESH = Stage(name="mesh", version=3, answer=Mesh, tools=(*TOOLS, "fast-simplification", "laspy"))
