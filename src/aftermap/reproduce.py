"""A case made again elsewhere, and its products held against those of the record, one by one.

The originals come from the case's own store, each held against its digest; the options are those of
the newest finished map and of what was run on it since. The case is only read.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from aftermap.errors import CaseError, InputError
from aftermap.model.runs import Progress
from aftermap.pipeline import map_footage
from aftermap.record import Case
from aftermap.record.custody import entries_of
from aftermap.record.disk import sha256_of_file, write_text, writing_to
from aftermap.versions import versions
from aftermap.workflows.deliver_assessment import assess
from aftermap.workflows.product_values import WRITTEN_FOR_PEOPLE, differences_of
from aftermap.workflows.recorded_run import (
    REPEATED,
    RecordedRun,
    lay_out_footage,
    runs_to_repeat,
    settings_of,
)
from aftermap.workflows.stated_spread import STATED, UNITS, spread_between, within_stated

ORIGIN = "origin.json"
"""Says which case a folder is a reproduction of, so that no other folder is written to."""
TABLE = "reproduction.json"
FOOTAGE = "originals"
GRADED = "buildings.geojson"


class Verdict(StrEnum):
    """What became of a product. ``PAGE`` is words for people, made of the other products."""

    IDENTICAL = "identical"
    SAME_VALUES = "identical by value"
    INSIDE = "inside the stated error"
    PAGE = "not compared"
    NOT = "not reproduced"


@dataclass(frozen=True, kw_only=True)
class ProductVerdict:
    """One product of the record, and how it compares with the one made again."""

    product: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """The new case, each product's verdict, and what a reader of the verdicts should know."""

    case: Path
    products: tuple[ProductVerdict, ...]
    notes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every product was reproduced."""
        return all(one.verdict is not Verdict.NOT for one in self.products)


def reproduce(
    case_path: Path,
    into: Path,
    *,
    files: Sequence[Path] = (),
    progress: Progress,
    workers: int | None,
) -> Reproduction:
    """Make a case again in the folder ``into`` and hold its products against the recorded ones.

    ``files`` are folders in which files that options name are looked for where they are no longer
    where they were. A reproduction that was stopped resumes. Raises CaseError where the case has
    nothing to make again or ``into`` is no place for it, InputError where a file is not found.
    """
    case_path, into = case_path.absolute(), into.absolute()
    _refuse_inside(case_path, into)
    new = into / case_path.name
    with Case.open_to_read(case_path) as case:
        runs = runs_to_repeat(case)
        _claim(into, case)
        footage, masks = lay_out_footage(case, runs[0], into / FOOTAGE, progress)
        asked = [(one, settings_of(case, one, files, masks)) for one in runs if _repeats(one)]
    for one, settings in asked:
        if one.command == "map":
            map_footage(footage, new, settings, fresh=False, progress=progress, workers=workers)
        else:
            shown = tuple(one.given.get("shown", ()))
            assess(new, settings, shown=shown, fresh=False, progress=progress, workers=workers)
    shutil.rmtree(into / FOOTAGE)
    progress.stage("compare")
    with Case.open_to_read(new) as case:
        repeated = runs_to_repeat(case)
    made = Reproduction(
        case=new,
        products=tuple(_verdicts(case_path, new, runs, progress)),
        notes=tuple(_notes(runs, repeated)),
    )
    write_text(into / TABLE, as_json(made) + "\n")
    return made


def as_json(made: Reproduction) -> str:
    """The table as JSON."""
    plain = {
        "case": made.case.name,
        "reproduced": made.holds,
        "products": [asdict(one) for one in made.products],
        "notes": list(made.notes),
    }
    return json.dumps(plain, ensure_ascii=False, indent=1)


def _repeats(run: RecordedRun) -> bool:
    return run.command in REPEATED


def _refuse_inside(case_path: Path, into: Path) -> None:
    case, target = case_path.resolve(), into.resolve()
    if target == case or target.is_relative_to(case) or case.is_relative_to(target):
        raise CaseError(
            f"{into}: is the case itself, or a folder in or around it, which is only read here; "
            "name a new folder with --into"
        )


def _claim(into: Path, case: Case) -> None:
    """Make the folder, or go on in one that an earlier reproduction of this case began."""
    first = entries_of(case.package)[0].hash
    origin = into / ORIGIN
    if origin.is_file() and json.loads(origin.read_text(encoding="utf-8")) == {"case": first}:
        return
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise CaseError(
            f"{into}: is not empty and not a reproduction of this case; name a new folder with "
            "--into"
        )
    with writing_to(into):
        into.mkdir(parents=True, exist_ok=True)
    write_text(origin, json.dumps({"case": first}))


def _verdicts(
    case: Path, new: Path, runs: Sequence[RecordedRun], progress: Progress
) -> Iterator[ProductVerdict]:
    """Of every product in the record, in the order of its name."""
    spread = spread_between(case / "products", new / "products")
    products = {name: (digest, run) for run in runs for name, digest in run.products.items()}
    for done, (name, (digest, run)) in enumerate(sorted(products.items()), start=1):
        if not _repeats(run):
            detail = f"aftermap {run.command} rests on a person's input; repeat it by hand"
            yield ProductVerdict(product=name, verdict=Verdict.NOT, detail=detail)
        else:
            pair = case / "products" / name, new / "products" / name
            yield _verdict(name, digest, pair, spread)
        progress.advance("products compared", done, len(products))


def _verdict(
    name: str, digest: str, pair: tuple[Path, Path], spread: dict[str, float]
) -> ProductVerdict:
    first, second = pair
    if not second.is_file():
        return ProductVerdict(product=name, verdict=Verdict.NOT, detail="was not made again")
    if sha256_of_file(second) == digest:
        return ProductVerdict(product=name, verdict=Verdict.IDENTICAL)
    if not first.is_file() or sha256_of_file(first) != digest:
        detail = "the product in the case is gone or not as recorded, so only bytes could be held"
        return ProductVerdict(product=name, verdict=Verdict.NOT, detail=detail)
    if first.suffix in WRITTEN_FOR_PEOPLE:
        detail = "a page or style for people, written from the other products"
        return ProductVerdict(product=name, verdict=Verdict.PAGE, detail=detail)
    differences = list(differences_of(first, second))
    if not differences:
        return ProductVerdict(
            product=name, verdict=Verdict.SAME_VALUES, detail="times and ids apart"
        )
    return _measured(name, differences, pair, spread)


def _measured(
    name: str, differences: list[str], pair: tuple[Path, Path], spread: dict[str, float]
) -> ProductVerdict:
    """The verdict on a product whose values differ."""
    if name in spread:
        inside = spread[name] <= STATED[name]
        detail = f"{spread[name]:.3g} {UNITS[name]}; stated is up to {STATED[name]:g}"
    elif name == GRADED and (other := _other_grades(*pair)):
        inside, detail = False, f"{other} buildings have another grade"
    else:
        inside = bool(spread) and within_stated(spread)
        follows = "follows from heights and cameras, which are inside" if inside else "differs"
        detail = f"{follows}; first of {len(differences)} differences: {differences[0]}"
    return ProductVerdict(
        product=name, verdict=Verdict.INSIDE if inside else Verdict.NOT, detail=detail
    )


def _other_grades(first: Path, second: Path) -> int:
    """How many buildings have another grade, or are in one of the files only."""
    one, other = _grades(first), _grades(second)
    return sum(one.get(key) != other.get(key) for key in one.keys() | other.keys())


def _grades(path: Path) -> dict[str, str | None]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["features"]
        return {str(row["properties"]["source_id"]): row["properties"]["grade"] for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no file of graded buildings ({error})") from error


def _notes(runs: Sequence[RecordedRun], made: Sequence[RecordedRun]) -> Iterator[str]:
    """What was not recorded, and which versions are other ones than the record's."""
    if not runs[0].given:
        yield (
            "The record was made before runs kept what they were given: all originals of the case "
            "were used, and files that options name were taken as they are now."
        )
    now = versions()
    changed = [
        f"{name} {old} (now {now.get(name, 'none')})"
        for name, old in runs[0].versions.items()
        if now.get(name) != old
    ]
    stages = {name: version for run in made for name, version in run.stages.items()}
    changed += [
        f"stage {name} {version} (now {stages[name]})"
        for run in runs
        for name, version in run.stages.items()
        if stages.get(name, version) != version
    ]
    if changed:
        yield f"The record was made by other versions: {', '.join(changed)}."
