"""What leaves the case: the report and the camera list."""

from aftermap.publish.exchange.cameras import read_cameras, write_cameras
from aftermap.publish.report.facts import ClipFacts, ReportFacts, UnmappedFacts
from aftermap.publish.report.index_only_page import write_unmapped_report
from aftermap.publish.report.page import Report, write_report

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
