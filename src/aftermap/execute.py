"""Independent pieces of work on this machine's cores, behind one interface.

``LocalExecutor`` satisfies ``model.runs.Executor``: one function, a sequence of items, results in
the order of the items. A cluster (Dask) would implement the same ``map`` and nothing else would
change: work and items are picklable, results are small or are files, and order is kept.

Processes are started by forkserver (spawn where there is none), never by fork: a fork after
pycolmap or OpenCV have started threads can deadlock. Each worker computes on one thread, so that
as many workers as cores fill the machine. Workers live as long as the executor.
"""

import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.reduction import ForkingPickler
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

from aftermap.errors import AftermapError
from aftermap.model.runs import Progress
from aftermap.worker import Reply, serve

Item = TypeVar("Item")
Result = TypeVar("Result")

SENT_AHEAD = 2  # items a worker holds: the one it works on and the next, so that it never waits
WINDOW_PER_WORKER = 4  # finished or unfinished items that may wait for a slow one before them
GOODBYE_S = 2.0
PRELOADED = ("numpy", "cv2")

_ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMBA_NUM_THREADS",
    ),
    "1",
)


@dataclass
class _Job:
    """One call of ``map`` under way."""

    number: int
    work: bytes
    items: Sequence[Any]
    label: str
    sent: int = 0
    done: int = 0
    yielded: int = 0
    ended: bool = False
    replies: dict[int, Reply] = field(default_factory=dict)


class _Worker:
    """A process at the other end of a pipe."""

    def __init__(self, context: BaseContext) -> None:
        self.pipe, theirs = context.Pipe(duplex=True)
        self.process = context.Process(  # type: ignore[attr-defined]
            target=serve, args=(theirs,), name="aftermap-worker", daemon=True
        )
        self.process.start()
        theirs.close()
        self.jobs: set[int] = set()
        self.holds: list[tuple[_Job, int]] = []

    def send(self, job: _Job, index: int) -> None:
        """Hand out an item, and the function with the first item of a job."""
        if job.number not in self.jobs:
            self.jobs.add(job.number)
            self.pipe.send(("work", job.number, job.work))
        self.pipe.send(("item", job.number, index, job.items[index]))
        self.holds.append((job, index))

    def forget(self, job: _Job) -> None:
        """Let the worker free the function of a job that has ended."""
        if job.number in self.jobs:
            self.jobs.discard(job.number)
            with suppress(OSError):
                self.pipe.send(("forget", job.number))

    def end(self, *, kill: bool) -> None:
        """End the process: when its queue is empty, or at once."""
        if kill:
            self.process.kill()
        else:
            with suppress(OSError):
                self.pipe.send(("end",))
            self.process.join(GOODBYE_S)
            if self.process.exitcode is None:
                self.process.kill()
        self.process.join()
        self.process.close()
        self.pipe.close()


class LocalExecutor:
    """Runs work on this machine: in this process for one worker or one item, else in workers.

    ``workers`` defaults to the cores that this process may use. ``preload`` names modules that
    are imported once and shared by every worker, which saves each its start-up time.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        progress: Progress,
        preload: Sequence[str] = PRELOADED,
    ) -> None:
        self.workers = max(1, workers or usable_cores())
        self._progress = progress
        self._preload = list(preload)
        self._numbers = itertools.count(1)
        self._pool: list[_Worker] = []

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], *, label: str
    ) -> Iterator[Result]:
        """Yield ``work(item)`` for every item in order, showing progress under ``label``.

        Nothing starts before the first result is asked for. Only a few items per worker are under
        way at a time, so results that are used one by one never pile up. An error in the work is
        raised here as it was raised there. ``work`` and the items must be picklable.
        """
        if self.workers == 1 or len(items) < 2:
            return self._map_here(work, items, label)
        return self._map_by_workers(work, items, label)

    def _map_here(
        self, work: Callable[[Item], Result], items: Sequence[Item], label: str
    ) -> Iterator[Result]:
        for done, item in enumerate(items, start=1):
            result = work(item)
            self._progress.advance(label, done, len(items))
            yield result

    def _map_by_workers(
        self, work: Callable[[Item], Result], items: Sequence[Item], label: str
    ) -> Iterator[Result]:
        pickled = bytes(ForkingPickler.dumps(work))
        job = _Job(number=next(self._numbers), work=pickled, items=items, label=label)
        self._start()
        try:
            while job.yielded < len(items):
                self._hand_out(job)
                while job.yielded not in job.replies:
                    self._collect()
                    self._hand_out(job)
                reply = job.replies.pop(job.yielded)
                job.yielded += 1
                yield reply.result()
        except KeyboardInterrupt:
            self.close(kill=True)
            raise
        finally:
            job.ended = True
            for worker in self._pool:
                worker.forget(job)

    def _start(self) -> None:
        if self._pool:
            return
        context = _context(self._preload)
        with _environment(_ONE_THREAD), _ctrl_c_waiting():
            self._pool = [_Worker(context) for _ in range(self.workers)]

    def _hand_out(self, job: _Job) -> None:
        """Give the workers with the shortest queues the next items, within the window."""
        limit = min(len(job.items), job.yielded + WINDOW_PER_WORKER * self.workers)
        while job.sent < limit:
            worker = min(self._pool, key=lambda one: len(one.holds))
            if len(worker.holds) >= SENT_AHEAD:
                return
            try:
                worker.send(job, job.sent)
            except (BrokenPipeError, ConnectionResetError):
                self._mourn(worker)
            job.sent += 1

    def _collect(self) -> None:
        """Wait for a worker to answer, and take in every answer that is there."""
        by_pipe = {worker.pipe: worker for worker in self._pool}
        for pipe in wait(list(by_pipe)):
            worker = by_pipe[pipe]  # type: ignore[index]
            try:
                number, index, reply = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                self._mourn(worker)
            position = next(
                at for at, (job, i) in enumerate(worker.holds) if (job.number, i) == (number, index)
            )
            job, _ = worker.holds.pop(position)
            if not job.ended:  # its caller may have stopped asking
                job.replies[index] = reply
                job.done += 1
                self._progress.advance(job.label, job.done, len(job.items))

    def _mourn(self, worker: _Worker) -> NoReturn:
        """Say which work a worker died of, and what to do. The other workers end too."""
        worker.process.join()
        code = worker.process.exitcode or 0
        at = "at its start"
        if worker.holds:
            job, index = worker.holds[0]
            at = f"{job.label}, {_named(job.items[index], index)}"
        self.close(kill=True)
        raise AftermapError(f"{at}: {_cause_of_death(code)}")

    def close(self, *, kill: bool = False) -> None:
        """End the workers. The executor can be used again; it then starts new ones."""
        pool, self._pool = self._pool, []
        for worker in pool:
            if kill:
                worker.process.kill()
        for worker in pool:
            worker.end(kill=kill)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(kill=kind is not None)


def usable_cores() -> int:
    """Cores that this process may use; a container or taskset may give it fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _context(preload: list[str]) -> BaseContext:
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preload)
    return context


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that processes started inside the block inherit, and nobody else sees."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _ctrl_c_waiting() -> Iterator[None]:
    """Hold back Ctrl-C inside the block, and for good in processes that are started in it.

    Ctrl-C reaches every process of a terminal. It is for this one, which then ends its workers.
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # when it starts, it lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _named(item: object, index: int) -> str:
    """What a person would call an item."""
    name = getattr(item, "name", item)
    return name if isinstance(name, str) else f"item {index + 1}"


def _cause_of_death(code: int) -> str:
    again = "run the same command again with --workers 1 or --quality draft (finished work is kept)"
    if code == -signal.SIGKILL:
        return f"a worker process was stopped, most likely out of memory; {again}"
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"a worker process ended unexpectedly ({how}); {again}"
