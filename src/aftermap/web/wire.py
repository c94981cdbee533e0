"""What the page sends, checked at the border before anything else sees it."""

import math
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from aftermap.errors import InputError
from aftermap.model.assessment import Grade
from aftermap.model.reviewer import LONGEST_NAME, reviewer_name

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Text = Annotated[str, Field(max_length=4000)]

REASONS = (
    "not seen",
    "hidden by trees",
    "hidden by buildings",
    "in shadow",
    "blurred",
    "no building here",
    "other",
)


class Sent(BaseModel):
    """Everything that is sent: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class MeSent(Sent):
    """Who reviews in this browser, and whether model grades are to be kept back."""

    reviewer: Name
    is_blind: bool = True

    @field_validator("reviewer")
    @classmethod
    def _recorded(cls, name: str) -> str:
        try:
            return reviewer_name(name)
        except InputError as error:
            raise ValueError(str(error)) from error


class GradeSent(Sent):
    """A decision of the reviewer of this browser. Without a grade it gives a reason."""

    source_id: Annotated[str, Field(min_length=1, max_length=400)]
    grade: Grade | None
    not_assessed_reason: Annotated[str, Field(max_length=200)] | None = None
    note: Text | None = None
    at: Annotated[str, Field(max_length=40)] | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "GradeSent":
        if self.grade is None and not (self.not_assessed_reason or "").strip():
            raise ValueError("give a reason why the building is not assessed")
        return self


class UndoSent(Sent):
    """The reviewer of this browser takes back what they last decided of a building."""

    source_id: Annotated[str, Field(min_length=1, max_length=400)]
    at: Annotated[str, Field(max_length=40)] | None = None


class MarkSent(Sent):
    """An original is graphic, or is not."""

    sha256: Digest
    is_graphic: bool


class ClickSent(Sent):
    """One place clicked in a picture and on the map."""

    time_s: Annotated[str, Field(pattern=r"^-?\d{1,18}(/[1-9]\d{0,17})?$")]
    px: Annotated[float, Field(ge=-100, le=100_000)]
    py: Annotated[float, Field(ge=-100, le=100_000)]
    lon: Lon
    lat: Lat
    height_m: Annotated[float, Field(ge=-1000, le=20_000)] | None = None


class ClicksSent(Sent):
    """The clicks of one clip."""

    clicks: Annotated[list[ClickSent], Field(max_length=500)]

    @field_validator("clicks")
    @classmethod
    def _finite(cls, clicks: list[ClickSent]) -> list[ClickSent]:
        for one in clicks:
            if not math.isfinite(float(Fraction(one.time_s))):
                raise ValueError("a time must be a finite number")
        return clicks


class LineSent(Sent):
    """A line on the map."""

    line: Annotated[list[tuple[Lon, Lat]], Field(min_length=2, max_length=500)]


TileKind = Literal["orthophoto", "before", "relief", "confidence"]
RasterName = Literal["orthophoto", "surface", "confidence", "before"]
