"""What the page is told of totals, in words: it does not count, round or word anything itself."""

from aftermap.web.responses import PageResponse


class TotalRow(PageResponse):
    """A row of the table: its cells by column (docs/explanation/totals.md), and the sentence."""

    cells: dict[str, str]
    sentence: str


class AreaFacts(PageResponse):
    """The totals of an area: what holds for all rows, a line each, and the rows.

    ``too_few`` says why nothing is estimated; null where something is.
    """

    preamble: list[str]
    rows: list[TotalRow]
    too_few: str | None


class TotalsFacts(PageResponse):
    """Totals of the case, and what must be known beside them."""

    areas: list[AreaFacts]
    notes: list[str]
