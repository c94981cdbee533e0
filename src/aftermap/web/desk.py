"""Everything of a case that the addresses of the workbench ask."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aftermap.errors import AftermapError
from aftermap.web.buildings import BuildingDesk
from aftermap.web.grading import Writer
from aftermap.web.layers import Layers
from aftermap.web.locate import Locating
from aftermap.web.opened import OpenedCase
from aftermap.web.pictures import Thumbnails
from aftermap.web.placing import PlacingJobs
from aftermap.web.playback import PlaybackClips
from aftermap.web.spot import moments_of
from aftermap.web.tiles import Tiles


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything that answers, for one case."""

    case: OpenedCase
    tiles: Tiles
    layers: Layers
    buildings: BuildingDesk
    footage: PlaybackClips
    pictures: Thumbnails
    locating: Locating
    placing: PlacingJobs
    writer: Writer
    basemap: Path | None = None
    solving: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a camera is solved: only the newest clicks count."""

    def warm(self) -> None:
        """Make beforehand what the first page asks for; what is missing is told to the page."""
        with suppress(AftermapError, OSError):
            for is_blind in (False, True):
                self.buildings.layer(is_blind=is_blind)
                self.buildings.queue(is_blind=is_blind)
        with suppress(AftermapError, OSError):
            for name in self.layers.names():
                self.layers.text(name)
        with suppress(AftermapError, OSError):
            west, south, east, north = self.tiles.facts("surface").bounds_lonlat
            moments_of(self.case, ((west + east) / 2, (south + north) / 2))


def desk_of(case_path: Path, *, basemap: Path | None = None) -> Desk:
    """The desk of the case in a folder."""
    case = OpenedCase(case_path)
    footage = PlaybackClips(case)
    return Desk(
        case=case,
        tiles=Tiles(case),
        layers=Layers(case),
        buildings=BuildingDesk(case),
        footage=footage,
        pictures=Thumbnails(case),
        locating=Locating(case),
        placing=PlacingJobs(case, footage),
        writer=Writer(case.path / "case.gpkg"),
        basemap=basemap,
    )
