"""How the layers look in QGIS: styles inside ``case.gpkg`` and beside the rasters.

QGIS keeps styles in a table ``layer_styles`` of a GeoPackage and opens each layer with its default
one (https://docs.qgis.org/3.28/en/docs/user_manual/working_with_vector/vector_properties.html,
"Save and Load Layer Properties", read 2026-11-25); beside ``surface.tif`` it looks for
``surface.qml``. The files are package data in ``styles/``.
"""

from importlib.resources import files
from pathlib import Path

from aftermap.record.disk import write_text
from aftermap.record.geopackage import GeoPackage, Table, add_table
from aftermap.record.measured_view import write_measured_view

LAYERS = ("building", "street", "camera", "camera_footprint", "segment", "clip_footprint")
RASTERS = ("surface", "surface_measured", "confidence")
NAME = "Aftermap"
LAYER_STYLES = Table(
    name="layer_styles",
    description="How QGIS draws the layers",
    columns="""
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
  f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
  styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
  owner TEXT(30), ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))""",
)


def add_styles(package: GeoPackage) -> None:
    """Give every layer that the record has its style. Styles that people made there stay.

    Ours is the default only where people have not chosen one of theirs.
    """
    with package.transaction() as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "layer_styles" not in names:
            add_table(connection, LAYER_STYLES)
        connection.execute("DELETE FROM layer_styles WHERE styleName = ?", (NAME,))
        chosen = {
            name
            for (name,) in connection.execute(
                "SELECT f_table_name FROM layer_styles WHERE useAsDefault"
            )
        }
        for layer in LAYERS:
            if layer in names:
                connection.execute(
                    "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
                    "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, "
                    "owner) VALUES ('', '', ?, 'geom', ?, ?, '', ?, ?, 'aftermap')",
                    (layer, NAME, style_of(layer), layer not in chosen, "as Aftermap draws it"),
                )


def write_raster_styles(products: Path) -> tuple[Path, ...]:
    """Put ``surface.qml`` and ``confidence.qml`` beside the rasters that are there.

    Beside both also the virtual raster of what was measured, with its style.
    """
    view = write_measured_view(products)
    made = [] if view is None else [view]
    for name in RASTERS:
        if any((products / f"{name}.{kind}").is_file() for kind in ("tif", "vrt")):
            path = products / f"{name}.qml"
            write_text(path, style_of(name))
            made.append(path)
    return tuple(made)


def style_of(name: str) -> str:
    """The QML of a layer or raster."""
    return files("aftermap.record").joinpath("styles", f"{name}.qml").read_text("utf-8")
