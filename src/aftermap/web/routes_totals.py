"""The address of totals: the table that aftermap totals prints, and its sentences to copy."""

from fastapi import APIRouter

from aftermap.assessment.scales import Scale
from aftermap.assessment.total import TooFew
from aftermap.record import Case
from aftermap.web.dependencies import CaseDesk
from aftermap.web.totals_responses import AreaFacts, TotalRow, TotalsFacts
from aftermap.workflows.totals import AreaTotals, TotalsOptions, totalled_in

routes = APIRouter()


@routes.get("/api/totals")
def totals(
    desk: CaseDesk,
    scale: Scale = Scale.OURS,
    *,
    assume_alike: bool = False,
    with_unblinded: bool = False,
) -> TotalsFacts:
    """Totals of the case; refused with what to do where there is nothing to estimate them from."""
    options = TotalsOptions(scale=scale, assume_alike=assume_alike, with_unblinded=with_unblinded)
    with Case.open_to_read(desk.case.path, whole=False) as case:
        found = totalled_in(case, options)
    return TotalsFacts(areas=[_area(one) for one in found.areas], notes=list(found.notes))


def _area(one: AreaTotals) -> AreaFacts:
    if isinstance(one.table, TooFew):
        return AreaFacts(preamble=[], rows=[], too_few=str(one.table))
    rows = [
        TotalRow(cells=cells, sentence=str(row))
        for row, cells in zip(one.rows, one.cells, strict=True)
    ]
    return AreaFacts(preamble=list(one.table.preamble), rows=rows, too_few=None)
