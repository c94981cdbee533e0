<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">
<qgis version="3.28.0" styleCategories="Symbology|Labeling">
  <renderer-v2 type="RuleRenderer" symbollevels="0" forceraster="0" enableorderby="0">
    <rules key="{aftermap}">
      <rule key="{aftermap-0}" symbol="0" label="passable by truck (3.5 m or more)" filter="&quot;passage&quot;='truck'"/>
      <rule key="{aftermap-1}" symbol="1" label="passable by car (2.5 to 3.5 m)" filter="&quot;passage&quot;='car'"/>
      <rule key="{aftermap-2}" symbol="2" label="impassable (less than 2.5 m)" filter="&quot;passage&quot;='nobody'"/>
      <rule key="{aftermap-3}" symbol="3" label="not seen" filter="&quot;passage&quot;='not_seen'"/>
    </rules>
    <symbols>
      <symbol type="line" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="line_color" value="255,255,255,255"/>
          <Option type="QString" name="line_width" value="1.7000000000000002"/>
          <Option type="QString" name="line_width_unit" value="MM"/>
          <Option type="QString" name="line_style" value="solid"/>
          <Option type="QString" name="capstyle" value="round"/>
          <Option type="QString" name="joinstyle" value="round"/>
        </Option>
      </layer>
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="line_color" value="44,123,182,255"/>
          <Option type="QString" name="line_width" value="1.1"/>
          <Option type="QString" name="line_width_unit" value="MM"/>
          <Option type="QString" name="line_style" value="solid"/>
          <Option type="QString" name="capstyle" value="round"/>
          <Option type="QString" name="joinstyle" value="round"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="line" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="line_color" value="255,255,255,255"/>
          <Option type="QString" name="line_width" value="1.7000000000000002"/>
          <Option type="QString" name="line_width_unit" value="MM"/>
          <Option type="QString" name="line_style" value="solid"/>
          <Option type="QString" name="capstyle" value="round"/>
          <Option type="QString" name="joinstyle" value="round"/>
        </Option>
      </layer>
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="line_color" value="171,217,233,255"/>
          <Option type="QString" name="line_width" value="1.1"/>
          <Option type="QString" name="line_width_unit" value="MM"/>
          <Option type="QString" name="line_style" value="solid"/>
          <Option type="QString" name="capstyle" value="round"/>
          <Option type="QString" name="joinstyle" value="round"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="line" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="line_color" value="255,255,255,255"/>
          <Option type="QString" name="line_width" value="2.1"/>
          <Option type="QString" name="line_width_unit" value="MM"/>
          <Option type="QString" name="line_style" value="solid"/>
          <Option type="QString" name="capstyle" value="round"/>
          <Option type="QString" name="joinstyle" value="round"/>
        </Option>
      </layer>
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="line_color" value="215,25,28,255"/>
          <Option type="QString" name="line_width" value="1.5"/>
          <Option type="QString" name="line_width_unit" value="MM"/>
          <Option type="QString" name="line_style" value="solid"/>
          <Option type="QString" name="capstyle" value="round"/>
          <Option type="QString" name="joinstyle" value="round"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="line" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="line_color" value="255,255,255,255"/>
          <Option type="QString" name="line_width" value="1.4"/>
          <Option type="QString" name="line_width_unit" value="MM"/>
          <Option type="QString" name="line_style" value="solid"/>
          <Option type="QString" name="capstyle" value="round"/>
          <Option type="QString" name="joinstyle" value="round"/>
        </Option>
      </layer>
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="line_color" value="138,143,148,255"/>
          <Option type="QString" name="line_width" value="0.8"/>
          <Option type="QString" name="line_width_unit" value="MM"/>
          <Option type="QString" name="line_style" value="dash"/>
          <Option type="QString" name="capstyle" value="round"/>
          <Option type="QString" name="joinstyle" value="round"/>
        </Option>
      </layer>
      </symbol>
    </symbols>
  </renderer-v2>
  <layerGeometryType>1</layerGeometryType>
</qgis>
