"""What is kept: the case file, the media store and the chain of custody."""

from aftermap.record.case import Case
from aftermap.record.store import MediaStore, StoredFile
from aftermap.record.verification import findings_in
from aftermap.record.workspace import StageFolder

__all__ = ["Case", "MediaStore", "StageFolder", "StoredFile", "findings_in"]
