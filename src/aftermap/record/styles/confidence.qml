<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">
<qgis version="3.28.0" styleCategories="Symbology">
  <pipe>
    <rasterrenderer type="singlebandpseudocolor" band="1" opacity="0.8" alphaBand="-1" classificationMin="0" classificationMax="255">
      <rastershader>
        <colorrampshader colorRampType="DISCRETE" classificationMode="1" clip="0" minimumValue="0" maximumValue="255">
            <item value="0" label="filled, not measured" color="#c8c2b8" alpha="255"/>
            <item value="1" label="1 image" color="#e8dcb5" alpha="255"/>
            <item value="2" label="2 images agree" color="#bfd8c8" alpha="255"/>
            <item value="4" label="3 or 4" color="#7fbcbb" alpha="255"/>
            <item value="8" label="5 to 8" color="#3690c0" alpha="255"/>
            <item value="255" label="more than 8" color="#0b4f8a" alpha="255"/>
        </colorrampshader>
      </rastershader>
    </rasterrenderer>
    <brightnesscontrast brightness="0" contrast="0" gamma="1"/>
    <rasterresampler maxOversampling="2"/>
  </pipe>
</qgis>
