<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">
<qgis version="3.28.0" styleCategories="Symbology|Labeling">
  <renderer-v2 type="RuleRenderer" symbollevels="0" forceraster="0" enableorderby="0">
    <rules key="{aftermap}">
      <rule key="{aftermap-0}" symbol="0" label="exact: within 10 m" filter="&quot;precision&quot;='exact'"/>
      <rule key="{aftermap-1}" symbol="1" label="vicinity: within 100 m" filter="&quot;precision&quot;='vicinity'"/>
      <rule key="{aftermap-2}" symbol="2" label="locality: within 1 km" filter="&quot;precision&quot;='locality'"/>
      <rule key="{aftermap-3}" symbol="3" label="accuracy not known" filter="&quot;precision&quot;='none'"/>
    </rules>
    <symbols>
      <symbol type="fill" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="27,120,55,16"/>
          <Option type="QString" name="style" value="solid"/>
          <Option type="QString" name="outline_color" value="27,120,55,200"/>
          <Option type="QString" name="outline_style" value="solid"/>
          <Option type="QString" name="outline_width" value="0.25"/>
          <Option type="QString" name="outline_width_unit" value="MM"/>
          <Option type="QString" name="joinstyle" value="miter"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="fill" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="217,142,0,16"/>
          <Option type="QString" name="style" value="solid"/>
          <Option type="QString" name="outline_color" value="217,142,0,200"/>
          <Option type="QString" name="outline_style" value="solid"/>
          <Option type="QString" name="outline_width" value="0.25"/>
          <Option type="QString" name="outline_width_unit" value="MM"/>
          <Option type="QString" name="joinstyle" value="miter"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="fill" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="153,112,171,16"/>
          <Option type="QString" name="style" value="solid"/>
          <Option type="QString" name="outline_color" value="153,112,171,200"/>
          <Option type="QString" name="outline_style" value="solid"/>
          <Option type="QString" name="outline_width" value="0.25"/>
          <Option type="QString" name="outline_width_unit" value="MM"/>
          <Option type="QString" name="joinstyle" value="miter"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="fill" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="109,114,120,255"/>
          <Option type="QString" name="style" value="b_diag"/>
          <Option type="QString" name="outline_color" value="109,114,120,255"/>
          <Option type="QString" name="outline_style" value="solid"/>
          <Option type="QString" name="outline_width" value="0.2"/>
          <Option type="QString" name="outline_width_unit" value="MM"/>
          <Option type="QString" name="joinstyle" value="miter"/>
        </Option>
      </layer>
      </symbol>
    </symbols>
  </renderer-v2>
  <layerGeometryType>2</layerGeometryType>
</qgis>
