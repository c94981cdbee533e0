"""What was told to be saved is there after the plug is pulled, from many reviewers at once."""

import asyncio
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
from waiting import HANGS_AFTER_S

from aftermap.record import Case
from aftermap.record.assessments import changed_batches, reviews
from aftermap.record.custody import entries_of, verify_chain

REVIEWERS, GRADES_EACH = 20, 15
SERVER = """
import sys, uvicorn
from pathlib import Path
from aftermap.web.app import workbench
from aftermap.web.desk import desk_of
from aftermap.web.security import Door, host_names
port = int(sys.argv[2])
door = Door(port=port, names=host_names("127.0.0.1"))
for _ in range(int(sys.argv[3])):
    print(door.invitation(), flush=True)
uvicorn.run(workbench(desk_of(Path(sys.argv[1])), door), host="127.0.0.1", port=port,
            log_level="warning")
"""


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def reviewer(name: str, address: str, buildings: int, told: list) -> None:
    """Grades one building after another until the server is gone."""
    origin = address.split("/enter", maxsplit=1)[0]
    async with httpx2.AsyncClient(
        base_url=origin, headers={"origin": origin}, timeout=HANGS_AFTER_S, trust_env=False
    ) as client:
        while True:
            try:
                await client.get(address)
                break
            except httpx2.ConnectError:
                await asyncio.sleep(0.1)
        await client.post("/api/me", json={"reviewer": name})
        for i in range(GRADES_EACH):
            source_id = f"B{1 + i % (buildings - 1):03d}"
            try:
                answer = await client.post(
                    "/api/grades", json={"source_id": source_id, "grade": "severe"}
                )
            except httpx2.HTTPError:
                return
            if answer.status_code == 200:
                told.append((answer.json()["number"], name, source_id))


async def review(addresses: list[str], process: subprocess.Popen, told: list) -> None:
    tasks = [
        asyncio.create_task(reviewer(f"reviewer {i}", address, 12, told))
        for i, address in enumerate(addresses)
    ]
    async with asyncio.timeout(HANGS_AFTER_S):
        while len(told) < REVIEWERS * GRADES_EACH // 2 and not all(task.done() for task in tasks):
            await asyncio.sleep(0.01)
        process.kill()
        await asyncio.gather(*tasks)


def test_no_grade_that_was_told_to_be_saved_is_lost_when_the_server_is_killed(case_path: Path):
    told: list[tuple[int, str, str]] = []
    with subprocess.Popen(  # noqa: S603 - our own server
        [sys.executable, "-c", SERVER, str(case_path), str(free_port()), str(REVIEWERS)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        addresses = [process.stdout.readline().strip() for _ in range(REVIEWERS)]
        try:  # in a thread: a browser's tests leave this one with a loop that runs
            with ThreadPoolExecutor(1) as thread:
                thread.submit(lambda: asyncio.run(review(addresses, process, told))).result()
        finally:
            process.kill()
    assert len(told) >= REVIEWERS * GRADES_EACH // 2
    with Case.create_or_open(case_path) as case:
        kept = {
            one.number: (one.assessment.assessor, one.assessment.source_id)
            for one in reviews(case.package)
        }
        assert {
            number: (name, source_id) for number, name, source_id in told
        }.items() <= kept.items()
        assert verify_chain(entries_of(case.package)) == ()
        assert changed_batches(case.package) == ()
    with closing(sqlite3.connect(case_path / "case.gpkg")) as record:
        assert record.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert record.execute("PRAGMA journal_mode").fetchone() == ("delete",)
