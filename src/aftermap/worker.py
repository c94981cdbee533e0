"""The other end of :mod:`aftermap.execute`: a process that computes items until it is told to end.

Kept apart, since every worker imports it. Messages come in as ("work", job, function),
("item", job, index, item), ("forget", job) and ("end",); each item is answered by (job, index,
:class:`Reply`).
"""

import os
import pickle
import queue
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import cv2

from aftermap.cost import give_back_memory


class WorkerTraceback(Exception):  # noqa: N818 - shown as the cause of an error, never raised alone
    """Where in the worker an error came up, as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The result of an item, or the error that it raised and where."""

    value: Any = None
    error: Exception | None = None
    trace: str = ""

    def result(self) -> Any:
        """The value; raises the error that the worker raised."""
        if self.error is not None:
            raise self.error from WorkerTraceback(self.trace)
        return self.value


def serve(pipe: "Connection[Any, Any]") -> None:
    """Compute items until told to end, or until the process at the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for the parent, which then ends us
    cv2.setNumThreads(1)  # its threads would only fight over cores that other workers fill
    inbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, inbox), daemon=True).start()
    works: dict[int, Callable[[Any], Any] | Reply] = {}
    while True:
        message = inbox.get()
        match message:
            case ("work", job, pickled):
                works[job] = _load_work(pickled)
                # pycolmap, which may just have been imported, would print its stack on SIGTERM
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            case ("forget", job):
                works.pop(job, None)
                give_back_memory()
            case ("item", job, index, item):
                _send(pipe, job, index, _reply_of(works[job], item))
            case _:
                return


def _receive(pipe: "Connection[Any, Any]", inbox: "queue.SimpleQueue[tuple[Any, ...]]") -> None:
    """Move messages to the queue. When the parent is gone, however it went, so are we."""
    try:
        while True:
            inbox.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(1)


def _load_work(pickled: bytes) -> Callable[[Any], Any] | Reply:
    try:
        work: Callable[[Any], Any] = pickle.loads(pickled)  # noqa: S301 - from our own parent
    except Exception as error:  # noqa: BLE001 - carried to the parent, which raises it
        return _failure(error)
    return work


def _reply_of(work: Callable[[Any], Any] | Reply, item: object) -> Reply:
    if isinstance(work, Reply):
        return work
    try:
        return Reply(value=work(item))
    except Exception as error:  # noqa: BLE001 - carried to the parent, which raises it
        return _failure(error)


def _failure(error: Exception) -> Reply:
    """A reply that certainly arrives: an error that cannot be pickled is told in words."""
    trace = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - any class may fail to pickle in its own way
        error = RuntimeError(f"{type(error).__name__}: {error}")
    return Reply(error=error, trace=trace)


def _send(pipe: "Connection[Any, Any]", job: int, index: int, reply: Reply) -> None:
    try:
        answer = ForkingPickler.dumps((job, index, reply))
    except Exception as error:  # noqa: BLE001 - a result that cannot be pickled, told to the parent
        answer = ForkingPickler.dumps((job, index, _failure(error)))
    try:
        pipe.send_bytes(answer)
    except OSError:
        os._exit(1)
