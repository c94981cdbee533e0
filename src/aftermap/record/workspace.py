"""The folder of one stage, where finished files survive a kill.

Satisfies ``model.runs.Workspace``. It holds a path and nothing else, so it can be pickled and a
worker process can write its own items.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from aftermap.record.disk import whole_file, writing_to


@dataclass(frozen=True, kw_only=True)
class StageFolder:
    """Where one stage keeps its files. Names are relative, such as ``features/0f3a.npz``."""

    folder: Path

    def path(self, name: str) -> Path:
        """Where the file of that name is or will be; its folder exists."""
        path = self.folder / name
        with writing_to(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def writing(self, name: str) -> AbstractContextManager[Path]:
        """A temporary path that becomes ``path(name)`` when the block ends without an error."""
        return whole_file(self.folder / name)

    def item(self, name: str, make: Callable[[Path], None]) -> Path:
        """The finished file of that name, made by ``make(temporary_path)`` if it is not there.

        A file that is there is whole (it was renamed into place when it was finished) and belongs
        to the same inputs, options and versions (they name the folder), so it is used as it is.
        """
        path = self.folder / name
        if not path.is_file():
            with self.writing(name) as part:
                make(part)
        return path
