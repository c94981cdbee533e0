"""Our grades as CSV with HXL hashtags: one line for each building, the tags below the headings.

Humanitarian Exchange Language 1.1 (https://hxlstandard.org/standard/1-1final/). Cells are guarded
against being run as formulas (``model/spreadsheet.py``).
"""

import csv
import io
from collections.abc import Mapping, Sequence

from aftermap.model.spreadsheet import guarded

TAGS = {
    "source_id": "#loc+building+code",
    "lat": "#geo+lat",
    "lon": "#geo+lon",
    "grade": "#severity+damage+grade",
    "grades": "#severity+damage+possible+list",
    "status": "#status+damage",
    "confidence": "#indicator+confidence+num",
    "not_assessed_reason": "#description+reason+not_assessed",
    "reasons": "#description+reason+list",
    "reasons_against": "#description+reason+against+list",
    "notes": "#description+notes+list",
    "assessor": "#meta+assessor",
    "assessor_kind": "#meta+assessor+type",
    "first_seen": "#date+sensor+start",
    "last_seen": "#date+sensor+end",
    "scale": "#meta+scale",
}


def hxl_text(rows: Sequence[Mapping[str, object]]) -> str:
    """The file's text; every row has the columns of ``TAGS``, None where nothing is known."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(TAGS)
    writer.writerow(TAGS.values())
    for row in rows:
        writer.writerow([guarded(row.get(name)) for name in TAGS])
    return stream.getvalue()
