"""Mutation testing: how many small faults, put into the code one at a time, the tests notice.

    python -m benchmarks.mutation FOLDER --mutmut FOLDER/venv/bin/mutmut [--whole] [--seed 12]

``FOLDER`` takes a copy of the tree as committed, in which mutmut 3 (of a virtual environment of
its own that sees the packages of this one) makes the faults and runs the tests. Every fault of the
chain of custody is tried, and a seeded sample of those of ``geo`` and of the intervals of totals
(``--whole``: all of them, some hours). Loops in machine code are left out: mutmut leaves decorated
functions alone. What no test noticed is printed as a diff; docs/reference/benchmarks.md says which
of that is no fault.
"""

import argparse
import json
import random
import subprocess
import tarfile
from collections import Counter
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WHOLE = "aftermap/record/custody.py"
SAMPLED = {"aftermap/geo/": 150, "aftermap/assessment/intervals.py": 40}
"""How many faults are drawn of each."""
TESTS = (
    "tests/geo",
    "tests/assessment/test_intervals.py",
    "tests/assessment/test_order.py",
    "tests/record/test_custody.py",
    "tests/record/test_verification.py",
)
NOTICED, UNNOTICED, UNTESTED = "killed", "survived", "no test runs it"
OUTCOMES = {0: UNNOTICED, 5: UNTESTED, 33: UNTESTED}
"""By the exit status of the tests; any other (a failure, a crash, a hang) has noticed the fault."""


def copy_of_tree(folder: Path) -> Path:
    """What is committed, with mutmut's settings."""
    tree = folder / "tree"
    tree.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)  # noqa: S607
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(tree, filter="data")
    mutated = [f"src/{one}*" for one in (WHOLE, *SAMPLED)]
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(
            f'\n[tool.mutmut]\nsource_paths = ["src/"]\nonly_mutate = {json.dumps(mutated)}\n'
            f"pytest_add_cli_args_test_selection = {json.dumps(TESTS)}\n"
            'pytest_add_cli_args = ["-p", "no:cacheprovider"]\n'
        )
    return tree


def tried(tree: Path) -> dict[str, dict[str, int | None]]:
    """Exit status of the tests by fault, by module; None of a fault that was not tried yet."""
    source = tree / "mutants" / "src"
    return {
        str(meta.relative_to(source)).removesuffix(".meta"): json.loads(meta.read_text("utf-8"))[
            "exit_code_by_key"
        ]
        for meta in sorted(source.rglob("*.meta"))
    }


def mutmut(command: Path, tree: Path, *arguments: str) -> str:
    """What mutmut says."""
    return subprocess.run(
        [str(command), *arguments], cwd=tree, check=True, capture_output=True, text=True
    ).stdout


def main() -> None:
    """Make faults, try them, print the counts and what was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mutmut", type=Path, required=True, help="the command of mutmut 3")
    parser.add_argument("--whole", action="store_true", help="try every fault")
    parser.add_argument("--seed", type=int, default=12, help="of the sample")
    given = parser.parse_args()
    tree = copy_of_tree(given.folder.resolve())
    command = given.mutmut.absolute()
    mutmut(command, tree, "run", "--max-children", "1", "aftermap.record.custody.*")
    faults = tried(tree)
    chosen, draws = list(faults[WHOLE]), random.Random(given.seed)  # noqa: S311
    for start, count in SAMPLED.items():
        names = sorted(name for one in faults if one.startswith(start) for name in faults[one])
        chosen += names if given.whole else draws.sample(names, min(count, len(names)))
    mutmut(command, tree, "run", "--max-children", "1", *chosen)
    for module, codes in tried(tree).items():
        outcomes = {
            name: OUTCOMES.get(codes[name], NOTICED)
            for name in set(codes).intersection(chosen)
            if codes[name] is not None
        }
        print(module, dict(Counter(outcomes.values())))
        for name in sorted(outcomes):
            if outcomes[name] != NOTICED:
                print(f"{outcomes[name]}: {mutmut(command, tree, 'show', name)}")


if __name__ == "__main__":
    main()
