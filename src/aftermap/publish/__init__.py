"""What leaves the case: the report and the camera list."""

from aftermap.publish.cameras import read_cameras, write_cameras
from aftermap.publish.facts import ClipFacts, ReportFacts, UnmappedFacts
from aftermap.publish.report import Report, write_report
from aftermap.publish.unmapped import write_unmapped_report

__all__ = [
    "ClipFacts",
    "Report",
    "ReportFacts",
    "UnmappedFacts",
    "read_cameras",
    "write_cameras",
    "write_report",
    "write_unmapped_report",
]
