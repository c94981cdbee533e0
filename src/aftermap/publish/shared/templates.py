"""The one Jinja environment of all pages: undefined names are errors, everything is escaped."""

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aftermap.publish.shared.wording import moment, visible_text


def page_environment() -> Environment:
    """Templates of ``publish/templates`` with the filters ``plain`` and ``moment``."""
    environment = Environment(
        loader=PackageLoader("aftermap.publish", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(plain=visible_text, moment=moment)
    return environment


def style_sheet(*names: str) -> Markup:
    """Style sheets of ``publish/templates``, joined in the order given."""
    folder = files("aftermap.publish").joinpath("templates")
    return Markup("".join(folder.joinpath(name).read_text("utf-8") for name in names))  # noqa: S704 - our own files
