"""The case that is served: its folder, its place, and connections for reading, one for each thread.

A run may map the case at the same time. What is read is what the newest finished run left, and
``generation`` changes when another one has finished.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from aftermap.errors import CaseError
from aftermap.record import Case
from aftermap.record.geopackage import GeoPackage
from aftermap.record.map_layers import case_crs
from aftermap.record.media_table import is_original
from aftermap.record.run_table import Generation, newest_generation
from aftermap.web.place import CasePlace

Value = TypeVar("Value")

RUN_MAP = "run aftermap map to create it"
REMAKES = {
    "orthophoto": RUN_MAP,
    "surface": RUN_MAP,
    "confidence": RUN_MAP,
    "source": RUN_MAP,
    "before": "set before in aftermap.toml to a readable orthophoto",
}


class OpenedCase:
    """A case to look at. Every thread that asks gets a connection of its own."""

    def __init__(self, path: Path) -> None:
        with Case.open_to_read(path, whole=False) as case:
            self.path = case.path
            self.store = case.store
            self.products = case.products
        self._here = threading.local()

    @property
    def name(self) -> str:
        """What the folder is called."""
        return self.path.name

    @property
    def package(self) -> GeoPackage:
        """The record, to read, for this thread."""
        found: GeoPackage | None = getattr(self._here, "package", None)
        if found is None:
            found = GeoPackage(self.path / "case.gpkg", read_only=True, again=True)
            self._here.package = found
        return found

    @property
    def generation(self) -> Generation:
        """Which answer the record holds now."""
        return newest_generation(self.package)

    @property
    def place(self) -> CasePlace:
        """Where the case is: the CRS of its cameras, else of its buildings, else nowhere."""
        return CasePlace(crs=case_crs(self.package))

    def original(self, sha256: str) -> Path:
        """The kept original of that digest.

        Raises CaseError where the case never received it, or its copy is missing.
        """
        if not is_original(self.package, sha256):
            raise CaseError(f"{sha256[:16]}: is not an original of this case")
        kept = self.store.find(sha256)
        if kept is None:
            raise CaseError(f"{sha256[:16]}: the original is missing; run aftermap verify")
        return kept

    def raster(self, name: str) -> Path:
        """The product of that name.

        Raises CaseError, which says what makes it, where it is not there.
        """
        path = self.products / f"{name}.tif"
        if name not in REMAKES or not path.is_file():
            raise CaseError(f"products/{name}.tif: not found; {REMAKES.get(name, RUN_MAP)}")
        return path


def stamp_of(path: Path) -> str:
    """What changes when a file is put in another's place; "" where there is none."""
    with suppress(OSError):
        status = path.stat()
        return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
    return ""


class ResponseCache(Generic[Value]):
    """The answers that were asked for last, so many bytes of them, each made by one thread."""

    def __init__(self, size_bytes: int, size_of: Callable[[Value], int]) -> None:
        self._limit = size_bytes
        self._size_of = size_of
        self._used = 0
        self._found: OrderedDict[object, Value] = OrderedDict()
        self._making: dict[object, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        """The answer that is kept under the key, or the one that is made now.

        Who asks for what is being made waits for it.
        """
        with self._lock:
            turn = self._making.setdefault(key, threading.Lock())
        with turn:
            try:
                return self._find_or_make(key, make)
            finally:
                with self._lock:
                    self._making.pop(key, None)

    def _find_or_make(self, key: object, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        made = make()
        with self._lock:
            if key not in self._found:
                self._found[key] = made
                self._used += self._size_of(made)
            while self._used > self._limit and len(self._found) > 1:
                _, oldest = self._found.popitem(last=False)
                self._used -= self._size_of(oldest)
        return made
