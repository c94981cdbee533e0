"""Files to media items: what an original is and what it claims."""

from aftermap.media.find import files_in
from aftermap.media.ingest import (
    Ingested,
    OriginalStore,
    RefusedFootageError,
    StoredOriginal,
    ingest,
)
from aftermap.media.probe import probe
from aftermap.media.video import probe_video

__all__ = [
    "Ingested",
    "OriginalStore",
    "RefusedFootageError",
    "StoredOriginal",
    "files_in",
    "ingest",
    "probe",
    "probe_video",
]
