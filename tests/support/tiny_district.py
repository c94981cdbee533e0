"""One tiny flight, and how to read back what it wrote."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aftermap_twin import TwinOptions, TwinSummary


@dataclass(frozen=True, kw_only=True)
class Made:
    folder: Path
    options: TwinOptions
    summary: TwinSummary
    progress: list[tuple[int, int]]

    def truth(self, name: str) -> Any:
        return json.loads((self.folder / "truth" / name).read_text(encoding="utf-8"))

    def photo(self, name: str) -> Path:
        return self.folder / "images" / name


def small(**changes: object) -> TwinOptions:
    settings: dict[str, object] = {
        "photos": 6,
        "width_px": 320,
        "height_px": 240,
        "ground_sample_m": 0.12,
        "seed": 5,
        "focal_error": 0.05,
    }
    return TwinOptions(**(settings | changes))  # type: ignore[arg-type]
