"""What leaves the case: the report and the camera list."""

from aftermap.publish.cameras import read_cameras, write_cameras
from aftermap.publish.facts import ReportFacts
from aftermap.publish.report import Report, write_report

__all__ = ["Report", "ReportFacts", "read_cameras", "write_cameras", "write_report"]
