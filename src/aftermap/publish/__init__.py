"""What leaves the case: the report and the camera list."""

from aftermap.publish.exchange.cameras import read_cameras, write_cameras
from aftermap.publish.report.facts import ClipFacts, IndexOnlyFacts, ReportFacts
from aftermap.publish.report.index_only_page import write_index_only_report
from aftermap.publish.report.page import Report, write_report

__all__ = [
    "ClipFacts",
    "IndexOnlyFacts",
    "Report",
    "ReportFacts",
    "read_cameras",
    "write_cameras",
    "write_index_only_report",
    "write_report",
]
