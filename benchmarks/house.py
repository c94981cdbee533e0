"""The shape of the code: names, sizes, docstrings, imports. Nothing is run; the source is read.

    python -m benchmarks.house [--list MEASURE] [--write]

Every measure is a count of places, which ``--list`` names one by one, so that each can be mended.
``--write`` keeps the counts in benchmarks/results/house.json. What each measure means is in the
docstring of its function.
"""

import argparse
import ast
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
RESULT = Path(__file__).with_name("results") / "house.json"

LONG_LINES = 40
MANY_PARAMETERS = 8
SMALL_LINES = 60

IRREGULAR = frozenset(
    [
        "told",
        "held",
        "made",
        "said",
        "flown",
        "drawn",
        "found",
        "built",
        "kept",
        "laid",
        "put",
        "seen",
        "shown",
        "known",
        "given",
        "taken",
        "chosen",
        "written",
        "learnt",
        "lost",
        "met",
        "sent",
        "cut",
        "split",
        "set",
        "left",
        "thrown",
        "done",
        "read",
    ]
)
OF_ONE_COMMAND = frozenset({"cli", "web", "workflows", "model"})
SAME_KIND = frozenset({"__init__.py", "options.py"})
EFFECTS = frozenset(
    [
        "write",
        "write_text",
        "write_bytes",
        "unlink",
        "mkdir",
        "execute",
        "executemany",
        "commit",
        "rmtree",
        "save",
        "savez",
        "touch",
        "each_time",
        "stage",
        "skip",
        "symlink_to",
        "rename",
        "record",
        "insert",
        "imwrite",
    ]
)
ARRAY = re.compile(r"\b\w*Array\b")
SHAPE = re.compile(r"\([A-Za-z0-9 .+*/'_-]+(?:,[A-Za-z0-9 .+*/'_:-]*)+\)|\(\.\.\.\)|\bshape\b")
MEANING = re.compile(
    r"metre|pixel|degree|radian|second|\bpx\b|\bm\b|share|whether|mask|ind(?:ex|ices)|label|grey|"
    r"colour|count|number|which|height|weight|probabilit|unit|variance|covariance|rotation|normal|"
    r"byte|0 to 255|position|distance|sigma|direction|descriptor|residual|logarithm|value"
)
UNIT_IN_NAME = re.compile(r"_(?:m|m2|px|deg|rad|s|cells|fraction|share|lonlat|xy|xyz|rgb)\b")

Place = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Module:
    """One file of the product: its dotted name, its text and its syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @cached_property
    def lines(self) -> int:
        """How many lines the file has."""
        return self.text.count("\n")

    def functions(self) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """Every function and method with its name, that of its class before it."""
        yield from _functions(self.tree, "")

    def public_functions(self) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """Those that a reader of the module may call."""
        for name, function in self.functions():
            if not any(part.startswith("_") for part in name.split(".")):
                yield name, function


def _functions(
    node: ast.AST, before: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield before + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{before}{child.name}.")


def modules_in(source: Path = SOURCE) -> tuple[Module, ...]:
    """Every module of both packages."""
    found = []
    for path in sorted(source.rglob("*.py")):
        name = ".".join(path.relative_to(source).with_suffix("").parts)
        text = path.read_text("utf-8")
        name = name.removesuffix(".__init__")
        found.append(Module(name=name, path=path, text=text, tree=ast.parse(text)))
    return tuple(found)


def names_with_two_meanings(modules: tuple[Module, ...]) -> list[Place]:
    """Public classes and module-level functions of one name in several modules."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        for node in module.tree.body:
            defines = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            if defines and not node.name.startswith("_"):
                homes[node.name].append(module.name)
    return [(name, ", ".join(places)) for name, places in sorted(homes.items()) if places[1:]]


def files_of_one_name(modules: tuple[Module, ...]) -> list[Place]:
    """File names in several packages that are not the same kind of thing.

    The same kind: a command in ``cli``, its page in ``web``, its workflow in ``workflows`` and its
    records in ``model``; the ``options.py`` of each step. The twin mirrors what it makes.
    """
    homes: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        if module.path.name not in SAME_KIND and module.name.startswith("aftermap."):
            homes[module.path.name].append(module.name.removeprefix("aftermap."))
    return [
        (name, ", ".join(places))
        for name, places in sorted(homes.items())
        if len([one for one in places if one.split(".")[0] not in OF_ONE_COMMAND]) > 1
    ]


def participles_with_an_effect(modules: tuple[Module, ...]) -> list[Place]:
    """Functions called by one participle alone that write, record, or return nothing."""
    return [
        (module.name, name)
        for module in modules
        for name, function in module.functions()
        if _is_participle(name.rsplit(".", 1)[-1].lstrip("_")) and _has_effect(function)
    ]


def _is_participle(word: str) -> bool:
    return "_" not in word and (word in IRREGULAR or (word.endswith("ed") and len(word) > 3))


def _has_effect(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = {ast.unparse(one) for one in function.decorator_list}
    if "property" in decorators or "contextmanager" in decorators:
        return False
    if isinstance(function.returns, ast.Constant) and function.returns.value is None:
        return True
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(isinstance(call, ast.Attribute) and call.attr in EFFECTS for call in calls)


def formatter_switched_off(modules: tuple[Module, ...]) -> list[Place]:
    """Lines that the formatter is told to leave alone."""
    return [
        (module.name, str(number))
        for module in modules
        for number, line in enumerate(module.text.splitlines(), 1)
        if "fmt: skip" in line or "fmt: off" in line
    ]


def long_functions(modules: tuple[Module, ...]) -> list[Place]:
    """Functions over 40 lines, docstring and signature counted."""
    return [
        (module.name, f"{name}, {_lines(function)} lines")
        for module in modules
        for name, function in module.functions()
        if _lines(function) > LONG_LINES
    ]


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def long_files(modules: tuple[Module, ...]) -> list[Place]:
    """Files over 400 lines."""
    return [(module.name, f"{module.lines} lines") for module in modules if module.lines > 400]


def many_parameters(modules: tuple[Module, ...]) -> list[Place]:
    """Functions with more than 8 parameters; commands of the command line have one an option."""
    return [
        (module.name, f"{name}, {_parameters(function)} parameters")
        for module in modules
        if not module.name.startswith("aftermap.cli")
        for name, function in module.functions()
        if _parameters(function) > MANY_PARAMETERS
    ]


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in {"self", "cls"}])


def arrays_without_shape(modules: tuple[Module, ...]) -> list[Place]:
    """Public functions that take or return arrays and do not say their shape and what they hold.

    The dtype is in the type (geo/arrays.py). What an array holds is a unit or a quantity in the
    docstring, or a unit in the name of a parameter.
    """
    return [
        (module.name, name)
        for module, name, function in _array_functions(modules)
        if not _says_shape(function)
    ]


def _array_functions(
    modules: tuple[Module, ...],
) -> Iterator[tuple[Module, str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module in modules:
        for name, function in module.public_functions():
            given = function.args
            types = [
                ast.unparse(one.annotation)
                for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)
                if one.annotation is not None
            ]
            if function.returns is not None:
                types.append(ast.unparse(function.returns))
            if any(ARRAY.search(one) for one in types):
                yield module, name, function


def _says_shape(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    text = ast.get_docstring(function) or ""
    names = ast.unparse(function.args) + " " + function.name
    has_meaning = MEANING.search(text) or UNIT_IN_NAME.search(names)
    return bool(SHAPE.search(text) and has_meaning)


def raises_unsaid(modules: tuple[Module, ...]) -> list[Place]:
    """Public functions that raise an error themselves and do not name it in their docstring.

    Commands are left out: their docstring is what a user reads.
    """
    return [
        (module.name, name)
        for module, name, function in _raising(modules)
        if not re.search(r"\b[Rr]aises?\b|\w+Error\b", ast.get_docstring(function) or "")
    ]


def _raising(
    modules: tuple[Module, ...],
) -> Iterator[tuple[Module, str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module in modules:
        if module.name.startswith("aftermap.cli"):
            continue
        for name, function in module.public_functions():
            if any(isinstance(n, ast.Raise) and n.exc is not None for n in ast.walk(function)):
                yield module, name, function


def imports_of(modules: tuple[Module, ...]) -> dict[str, set[str]]:
    """Which modules of ours each module imports, also inside functions."""
    names = {module.name for module in modules}
    found: dict[str, set[str]] = {module.name: set() for module in modules}
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for one in node.names:
                    full = f"{node.module}.{one.name}"
                    found[module.name].add(full if full in names else node.module)
            elif isinstance(node, ast.Import):
                found[module.name].update(one.name for one in node.names)
        found[module.name] &= names
    return found


def small_modules_with_one_importer(modules: tuple[Module, ...]) -> list[Place]:
    """Modules under 60 lines that one other module imports: could they be one?"""
    imports = imports_of(modules)
    importers: dict[str, list[str]] = defaultdict(list)
    for name, used in imports.items():
        for one in used:
            importers[one].append(name)
    return [
        (module.name, f"{module.lines} lines, for {importers[module.name][0]}")
        for module in modules
        if module.path.name != "__init__.py"
        and module.lines < SMALL_LINES
        and len(importers[module.name]) == 1
    ]


def import_circles(modules: tuple[Module, ...]) -> list[Place]:
    """Modules that reach themselves by imports."""
    imports = imports_of(modules)
    found = []
    for start in imports:
        seen: set[str] = set()
        waiting = list(imports[start])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(imports[name])
        if start in seen:
            found.append((start, "imports itself by way of others"))
    return found


MEASURES: dict[str, Callable[[tuple[Module, ...]], list[Place]]] = {
    "names with two meanings": names_with_two_meanings,
    "file names in two packages": files_of_one_name,
    "participles with an effect": participles_with_an_effect,
    "fmt: skip": formatter_switched_off,
    "functions over 40 lines": long_functions,
    "files over 400 lines": long_files,
    "parameters over 8": many_parameters,
    "array functions without shape and meaning": arrays_without_shape,
    "errors raised and not said": raises_unsaid,
    "modules under 60 lines with one importer": small_modules_with_one_importer,
    "import circles": import_circles,
}


def main() -> None:
    """The command line: see the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", choices=list(MEASURES), help="name the places of one measure")
    parser.add_argument("--write", action="store_true", help=f"keep the counts in {RESULT.name}")
    asked = parser.parse_args()
    modules = modules_in()
    if asked.list:
        for place, what in MEASURES[asked.list](modules):
            print(f"{place}: {what}")
        return
    counts = {name: len(measure(modules)) for name, measure in MEASURES.items()}
    counts["modules"] = len(modules)
    counts["lines"] = sum(module.lines for module in modules)
    counts["array functions"] = len(list(_array_functions(modules)))
    counts["functions that raise"] = len(list(_raising(modules)))
    for name, count in counts.items():
        print(f"{count:7,}  {name}")
    if asked.write:
        RESULT.write_text(json.dumps(counts, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
