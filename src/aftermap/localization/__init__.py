"""Pictures without telemetry to camera poses, from what a map shows: resection and registration."""

from aftermap.localization.register_shots import shot_place, shot_tasks

__all__ = ["shot_place", "shot_tasks"]
