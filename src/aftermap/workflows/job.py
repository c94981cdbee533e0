"""What every part of a run works with."""

from dataclasses import dataclass

from aftermap.config import Settings
from aftermap.model.runs import Executor
from aftermap.record import Case
from aftermap.run import Runner


@dataclass(frozen=True, kw_only=True)
class Job:
    """A case, the run on it, the processes that work, and what the user asked for."""

    case: Case
    run: Runner
    executor: Executor
    settings: Settings
