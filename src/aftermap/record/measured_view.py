"""``surface.tif`` and ``confidence.tif`` -> ``surface_measured.vrt``: the measured heights alone.

A style cannot tell filled heights from measured ones: no GIS draws one raster by the values of
another. A virtual raster can: its mask is the confidence, so that every GDAL program, QGIS among
them, draws nothing where a height was filled, and no value in ``surface.tif`` changes. It is a text
file that names both rasters beside it (GDAL, VRT driver, elements ``MaskBand`` and ``LUT``;
https://gdal.org/drivers/raster/vrt.html, read 2026-11).
"""

from pathlib import Path
from xml.sax.saxutils import escape

import rasterio

from aftermap.record.disk import write_text

NAME = "surface_measured"
UNDER, OVER = "surface.tif", "confidence.tif"
MEASURED = "0:0,1:0,2:255,255:255"
"""A mask from a count: two photographs must agree (``geo.measured.LEAST_AGREEING``)."""

_TEXT = """\
<VRTDataset rasterXSize="{columns}" rasterYSize="{rows}">
  <SRS>{crs}</SRS>
  <GeoTransform>{transform}</GeoTransform>
  <Metadata>
    <MDI key="AREA_OR_POINT">Area</MDI>{tags}
  </Metadata>
  <VRTRasterBand dataType="Float32" band="1" blockXSize="512" blockYSize="512">
    <Description>measured height</Description>
    <UnitType>metre</UnitType>
    <SimpleSource>
      <SourceFilename relativeToVRT="1">{under}</SourceFilename>
      <SourceBand>1</SourceBand>
      {window}
    </SimpleSource>
  </VRTRasterBand>
  <MaskBand>
    <VRTRasterBand dataType="Byte" blockXSize="512" blockYSize="512">
      <ComplexSource>
        <SourceFilename relativeToVRT="1">{over}</SourceFilename>
        <SourceBand>1</SourceBand>
        {window}
        <LUT>{lut}</LUT>
      </ComplexSource>
    </VRTRasterBand>
  </MaskBand>
</VRTDataset>
"""


def write_measured_view(products: Path) -> Path | None:
    """Put the virtual raster beside both rasters; None where one of them is not there."""
    surface, confidence = products / UNDER, products / OVER
    if not (surface.is_file() and confidence.is_file()):
        return None
    with rasterio.open(surface) as file:
        size = f'xSize="{file.width}" ySize="{file.height}"'
        tags = {key: value for key, value in file.tags().items() if key.startswith("AFTERMAP_")}
        text = _TEXT.format(
            columns=file.width,
            rows=file.height,
            crs=escape(file.crs.to_wkt()) if file.crs else "",
            transform=", ".join(f"{value!r}" for value in file.transform.to_gdal()),
            tags="".join(
                f'\n    <MDI key="{escape(key)}">{escape(value)}</MDI>'
                for key, value in sorted(tags.items())
            ),
            under=UNDER,
            over=OVER,
            lut=MEASURED,
            window="\n      ".join(
                f'<{side} xOff="0" yOff="0" {size}/>' for side in ("SrcRect", "DstRect")
            ),
        )
    path = products / f"{NAME}.vrt"
    write_text(path, text)
    return path
