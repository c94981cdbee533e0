"""What the executor promises to every step: order, errors, memory, and no process left behind."""

import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import cv2
import pytest
from waiting import HANGS_AFTER_S, wait_until

from aftermap.errors import AftermapError, ControlError
from aftermap.execute import SENT_AHEAD, WINDOW_PER_WORKER, LocalExecutor
from aftermap.progress import NoProgress

PATHS = [str(Path(__file__).parent), str(Path(__file__).parent / "support")]


class Said(NoProgress):
    """Remembers what was said of the work."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int, int]] = []

    def advance(self, label: str, done: int, total: int) -> None:
        self.lines.append((label, done, total))


@pytest.fixture(scope="module")
def executor():
    with LocalExecutor(2, progress=NoProgress(), preload=("cv2",)) as made:
        yield made


def squared(number: int) -> int:
    return number * number


def squared_late_if_even(number: int) -> int:
    """An even number takes far more work than an odd one, so that the odd one is done before."""
    return number * number + (sum(range(300_000)) * 0 if number % 2 == 0 else 0)


def refused(number: int) -> int:
    if number == 3:
        raise ControlError("gcp.txt: line 3 has two columns; give six")
    return number


def killed(name: str) -> str:
    if name == "b.jpg":
        os.kill(os.getpid(), signal.SIGKILL)
    return name


def marked(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    return number


def endless(folder: Path, number: int) -> int:
    """Longer than any test waits."""
    marked(folder, number)
    return int(threading.Event().wait(10 * HANGS_AFTER_S))


def a_function(number: int):
    return lambda: number


class PeculiarError(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


def peculiar(number: int) -> int:
    raise PeculiarError(number, number)


def process(_: object) -> int:
    return os.getpid()


def threads(_: object) -> tuple[int, str | None]:
    return cv2.getNumThreads(), os.environ.get("OPENBLAS_NUM_THREADS")


def test_results_come_in_the_order_of_the_items(executor):
    found = list(executor.map(squared_late_if_even, range(40), label="squares"))
    assert found == [number * number for number in range(40)]


def test_work_is_done_by_other_processes_that_stay(executor):
    first = set(executor.map(process, range(20), label="processes"))
    second = set(executor.map(process, range(20), label="processes"))
    assert os.getpid() not in first
    assert len(first | second) <= 2


def test_a_single_item_is_done_here():
    with LocalExecutor(2, progress=NoProgress()) as executor:
        assert list(executor.map(process, ["one"], label="here")) == [os.getpid()]


def test_one_worker_needs_no_other_process():
    with LocalExecutor(1, progress=NoProgress()) as executor:
        assert set(executor.map(process, range(5), label="here")) == {os.getpid()}


def test_an_error_of_ours_arrives_as_it_was_raised(executor):
    with pytest.raises(ControlError, match=r"gcp.txt: line 3 has two columns; give six") as caught:
        list(executor.map(refused, range(10), label="reading"))
    assert "in refused" in str(caught.value.__cause__)


def test_results_before_an_error_are_given(executor):
    results = executor.map(refused, range(10), label="reading")
    assert [next(results), next(results), next(results)] == [0, 1, 2]
    with pytest.raises(ControlError):
        next(results)


@pytest.mark.parametrize("work", [peculiar, a_function])
def test_what_cannot_be_pickled_is_told_and_hangs_nothing(executor, work):
    with pytest.raises((RuntimeError, AttributeError, TypeError)):
        list(executor.map(work, range(4), label="peculiar"))
    assert list(executor.map(squared, range(4), label="squares")) == [0, 1, 4, 9]


def test_a_killed_worker_is_told_with_what_it_worked_on_and_what_to_do():
    with LocalExecutor(2, progress=NoProgress(), preload=()) as executor:
        with pytest.raises(AftermapError, match=r"dense, b\.jpg: .*memory.*--workers 1"):
            list(executor.map(killed, ["a.jpg", "b.jpg", "c.jpg"], label="dense"))
        assert list(executor.map(squared, range(4), label="squares")) == [0, 1, 4, 9]


def test_results_do_not_pile_up_before_one_that_is_not_asked_for(executor, tmp_path):
    results = executor.map(partial(marked, tmp_path), range(200), label="marks")
    next(results)
    list(executor.map(squared, range(20), label="after what was sent"))
    begun = len(list(tmp_path.iterdir()))
    assert begun <= executor.workers * (WINDOW_PER_WORKER + SENT_AHEAD)
    assert list(results) == list(range(1, 200))


def test_work_that_nobody_asks_for_any_more_does_not_disturb_the_next(executor):
    for _ in executor.map(squared_late_if_even, range(50), label="left"):
        break
    assert list(executor.map(squared, range(10), label="next")) == [n * n for n in range(10)]


def test_two_maps_can_be_used_at_once(executor):
    first = executor.map(squared, range(30), label="first")
    second = executor.map(squared_late_if_even, range(30), label="second")
    assert all(a == b for a, b in zip(first, second, strict=True))


def test_workers_compute_on_one_thread(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    with LocalExecutor(2, progress=NoProgress(), preload=("cv2",)) as executor:
        assert set(executor.map(threads, range(4), label="threads")) == {(1, "1")}
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_counts_every_item(workers):
    said = Said()
    with LocalExecutor(workers, progress=said, preload=()) as executor:
        list(executor.map(squared, range(7), label="squares"))
    assert said.lines == [("squares", done, 7) for done in range(1, 8)]


def test_ctrl_c_ends_the_workers():
    pids: set[int] = set()

    def stopped_by_the_user() -> None:
        with LocalExecutor(2, progress=NoProgress(), preload=()) as executor:
            pids.update(executor.map(process, range(8), label="processes"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_by_the_user()
    assert pids
    for pid in pids:
        wait_until(partial(is_gone, pid))


def test_workers_end_when_their_parent_is_killed(tmp_path):
    """A run that is killed with signal 9 leaves no process that goes on computing."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "from test_execute import *\n"
        "executor = LocalExecutor(2, progress=NoProgress(), preload=())\n"
        "print(*set(executor.map(process, range(20), label='processes')), flush=True)\n"
        "list(executor.map(partial(endless, Path(sys.argv[3])), [1, 2], label='endless'))\n"
    )
    command = [sys.executable, "-c", program, *PATHS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603 - ours
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        parent.kill()
    assert pids
    for pid in pids:
        wait_until(partial(is_gone, pid))


def test_ctrl_c_at_a_terminal_makes_workers_say_nothing():
    """The terminal sends Ctrl-C to every process; only the first may answer."""
    program = (
        "import contextlib, sys; sys.path[:0] = sys.argv[1:3]\n"
        "from test_execute import *\n"
        "with contextlib.suppress(KeyboardInterrupt):\n"
        "    with LocalExecutor(2, progress=NoProgress()) as executor:\n"
        "        for _ in executor.map(squared_late_if_even, range(10_000), label='long'):\n"
        "            print('ready', flush=True)\n"
    )
    command = [sys.executable, "-c", program, *PATHS]
    with subprocess.Popen(  # noqa: S603 - ours
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        assert parent.stdout.readline() == "ready\n"
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.stderr.read() == ""
    assert parent.returncode == 0


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"
