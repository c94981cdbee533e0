<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">
<qgis version="3.28.0" styleCategories="Symbology">
  <pipe>
    <rasterrenderer type="hillshade" band="1" azimuth="315" angle="45" zfactor="1" multidirection="1" opacity="1" alphaBand="-1"/>
    <brightnesscontrast brightness="0" contrast="0" gamma="1"/>
    <rasterresampler maxOversampling="2"/>
  </pipe>
</qgis>
