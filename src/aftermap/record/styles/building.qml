<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">
<qgis version="3.28.0" styleCategories="Symbology|Labeling">
  <renderer-v2 type="RuleRenderer" symbollevels="0" forceraster="0" enableorderby="0">
    <rules key="{aftermap}">
      <rule key="{aftermap-0}" symbol="0" label="no visible damage" filter="coalesce(&quot;adopted_grade&quot;,&quot;grade&quot;)='none'"/>
      <rule key="{aftermap-1}" symbol="1" label="light damage" filter="coalesce(&quot;adopted_grade&quot;,&quot;grade&quot;)='light'"/>
      <rule key="{aftermap-2}" symbol="2" label="moderate damage" filter="coalesce(&quot;adopted_grade&quot;,&quot;grade&quot;)='moderate'"/>
      <rule key="{aftermap-3}" symbol="3" label="severe damage" filter="coalesce(&quot;adopted_grade&quot;,&quot;grade&quot;)='severe'"/>
      <rule key="{aftermap-4}" symbol="4" label="destroyed" filter="coalesce(&quot;adopted_grade&quot;,&quot;grade&quot;)='destroyed'"/>
      <rule key="{aftermap-5}" symbol="5" label="not assessed: not seen well enough" filter='coalesce("adopted_grade","grade") IS NULL'/>
    </rules>
    <symbols>
      <symbol type="fill" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
      <data_defined_properties>
        <Option type="Map">
          <Option type="QString" name="name" value=""/>
          <Option type="Map" name="properties">
            <Option type="Map" name="alpha">
              <Option type="bool" name="active" value="true"/>
              <Option type="QString" name="expression" value='CASE WHEN "adopted_grade" IS NOT NULL THEN 95 ELSE 30 + 65 * coalesce("confidence", 0) END'/>
              <Option type="int" name="type" value="3"/>
            </Option>
          </Option>
          <Option type="QString" name="type" value="collection"/>
        </Option>
      </data_defined_properties>
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="44,123,182,255"/>
          <Option type="QString" name="style" value="solid"/>
          <Option type="QString" name="outline_color" value="35,35,35,255"/>
          <Option type="QString" name="outline_style" value="solid"/>
          <Option type="QString" name="outline_width" value="0.2"/>
          <Option type="QString" name="outline_width_unit" value="MM"/>
          <Option type="QString" name="joinstyle" value="miter"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="fill" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
      <data_defined_properties>
        <Option type="Map">
          <Option type="QString" name="name" value=""/>
          <Option type="Map" name="properties">
            <Option type="Map" name="alpha">
              <Option type="bool" name="active" value="true"/>
              <Option type="QString" name="expression" value='CASE WHEN "adopted_grade" IS NOT NULL THEN 95 ELSE 30 + 65 * coalesce("confidence", 0) END'/>
              <Option type="int" name="type" value="3"/>
            </Option>
          </Option>
          <Option type="QString" name="type" value="collection"/>
        </Option>
      </data_defined_properties>
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="171,217,233,255"/>
          <Option type="QString" name="style" value="solid"/>
          <Option type="QString" name="outline_color" value="35,35,35,255"/>
          <Option type="QString" name="outline_style" value="solid"/>
          <Option type="QString" name="outline_width" value="0.2"/>
          <Option type="QString" name="outline_width_unit" value="MM"/>
          <Option type="QString" name="joinstyle" value="miter"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="fill" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
      <data_defined_properties>
        <Option type="Map">
          <Option type="QString" name="name" value=""/>
          <Option type="Map" name="properties">
            <Option type="Map" name="alpha">
              <Option type="bool" name="active" value="true"/>
              <Option type="QString" name="expression" value='CASE WHEN "adopted_grade" IS NOT NULL THEN 95 ELSE 30 + 65 * coalesce("confidence", 0) END'/>
              <Option type="int" name="type" value="3"/>
            </Option>
          </Option>
          <Option type="QString" name="type" value="collection"/>
        </Option>
      </data_defined_properties>
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="254,224,144,255"/>
          <Option type="QString" name="style" value="solid"/>
          <Option type="QString" name="outline_color" value="35,35,35,255"/>
          <Option type="QString" name="outline_style" value="solid"/>
          <Option type="QString" name="outline_width" value="0.2"/>
          <Option type="QString" name="outline_width_unit" value="MM"/>
          <Option type="QString" name="joinstyle" value="miter"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="fill" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
      <data_defined_properties>
        <Option type="Map">
          <Option type="QString" name="name" value=""/>
          <Option type="Map" name="properties">
            <Option type="Map" name="alpha">
              <Option type="bool" name="active" value="true"/>
              <Option type="QString" name="expression" value='CASE WHEN "adopted_grade" IS NOT NULL THEN 95 ELSE 30 + 65 * coalesce("confidence", 0) END'/>
              <Option type="int" name="type" value="3"/>
            </Option>
          </Option>
          <Option type="QString" name="type" value="collection"/>
        </Option>
      </data_defined_properties>
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="244,109,67,255"/>
          <Option type="QString" name="style" value="solid"/>
          <Option type="QString" name="outline_color" value="35,35,35,255"/>
          <Option type="QString" name="outline_style" value="solid"/>
          <Option type="QString" name="outline_width" value="0.2"/>
          <Option type="QString" name="outline_width_unit" value="MM"/>
          <Option type="QString" name="joinstyle" value="miter"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="fill" name="4" alpha="1" clip_to_extent="1" force_rhr="0">
      <data_defined_properties>
        <Option type="Map">
          <Option type="QString" name="name" value=""/>
          <Option type="Map" name="properties">
            <Option type="Map" name="alpha">
              <Option type="bool" name="active" value="true"/>
              <Option type="QString" name="expression" value='CASE WHEN "adopted_grade" IS NOT NULL THEN 95 ELSE 30 + 65 * coalesce("confidence", 0) END'/>
              <Option type="int" name="type" value="3"/>
            </Option>
          </Option>
          <Option type="QString" name="type" value="collection"/>
        </Option>
      </data_defined_properties>
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="165,0,38,255"/>
          <Option type="QString" name="style" value="solid"/>
          <Option type="QString" name="outline_color" value="35,35,35,255"/>
          <Option type="QString" name="outline_style" value="solid"/>
          <Option type="QString" name="outline_width" value="0.2"/>
          <Option type="QString" name="outline_width_unit" value="MM"/>
          <Option type="QString" name="joinstyle" value="miter"/>
        </Option>
      </layer>
      </symbol>
      <symbol type="fill" name="5" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleFill" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="color" value="109,114,120,140"/>
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
