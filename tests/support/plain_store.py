"""A store of originals that is a folder, and that fails for files called so."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from aftermap.errors import CaseError, InputError


@dataclass(frozen=True)
class Stored:
    sha256: str
    path: Path
    size_bytes: int


@dataclass(frozen=True)
class Store:
    folder: Path

    def add(self, path: Path, *, suffix: str | None = None) -> Stored:
        if "locked" in path.name:
            raise InputError(f"{path}: cannot be read (Permission denied); check its permissions")
        if "full" in path.name:
            raise CaseError(f"{self.folder}: the disk is full; free some space and run again")
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        self.folder.mkdir(exist_ok=True)
        kept = self.folder / f"{sha256}{suffix or path.suffix}"
        shutil.copyfile(path, kept)
        return Stored(sha256, kept, len(content))
