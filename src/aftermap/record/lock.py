"""One run at a time on a case: a lock that the system frees when its holder dies, however it dies.

The lock is on an open file (``flock``; on Windows one byte of it), never on the file's existence,
so that a killed run leaves nothing to clean up.
"""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from aftermap.errors import CaseInUseError
from aftermap.record.disk import writing_to

LOCK_NAME = ".lock"
_PID_LIMIT_BYTES = 32

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the text, which others must read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class CaseLock:
    """Held while a run writes to a case."""

    def __init__(self, case: Path) -> None:
        path = case / LOCK_NAME
        with writing_to(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(self._descriptor)
        except (BlockingIOError, PermissionError) as error:
            holder = _pid_in(self._descriptor)
            os.close(self._descriptor)
            raise CaseInUseError(
                f"{case}: is in use by another run of Aftermap (process {holder}); "
                "wait until it has ended or stop it, then run this command again"
            ) from error
        with writing_to(path):
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the next run in. Safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _pid_in(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, _PID_LIMIT_BYTES).decode("ascii", "replace").strip()
    return text if text.isdigit() else "unknown"
