"""A plug-in is a file: ``triptych.<kind>.<name>`` is found by its name and read before it is imported.

Nothing is registered.  ``describe`` reads a plug-in's literals and options from its source, so that the workflow can check a
study without importing torch; ``load`` imports one plug-in when it is used.  Keep ``<kind>/__init__.py`` empty: importing
siblings there would put every plug-in into every fingerprint, and any edit would rerun everything.
"""

import ast
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from triptych.errors import StudyError, did_you_mean

PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Option:
    """One field of a plug-in's ``Options``: its annotation as written, and its default (``...`` when it has none)."""

    annotation: str
    default: Any


@dataclass(frozen=True)
class Description:
    """What can be known of a plug-in without running it."""

    kind: str
    name: str
    summary: str
    literals: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Option] = field(default_factory=dict)

    def __getitem__(self, literal: str) -> Any:
        """The module-level literal, e.g. ``describe("models", "cox")["TASKS"]``."""
        return self.literals[literal]


def names(kind: str) -> list[str]:
    """Names of all plug-ins of a kind (a folder of this package), from file names alone; ``_shared.py`` is none."""
    return sorted(path.stem for path in (PACKAGE / kind).glob("[a-z]*.py"))


def load(kind: str, name: str) -> ModuleType:
    """Import one plug-in.

    Raises
    ------
    StudyError
        When there is no such file; names the nearest known plug-in.
    """
    _path(kind, name)
    return import_module(f"triptych.{kind}.{name}")


def describe(kind: str, name: str) -> Description:
    """Read a plug-in's docstring, module-level literals and ``Options`` from its source, without importing it."""
    path = _path(kind, name)
    return _describe(kind, name, path, path.stat().st_mtime_ns)


def check_given(kind: str, name: str, options: dict[str, Any], where: str) -> None:
    """Refuse an option that the plug-in does not have, or of another type than its annotation says.

    Raises
    ------
    StudyError
        Begins with ``where`` (file, line, key) and names the nearest known option.
    """
    known = describe(kind, name).options
    for key, value in options.items():
        if key not in known:
            raise StudyError(f"{where}: {name!r} has no option {key!r}{did_you_mean(key, known)}")
        if not _fits(value, known[key].annotation):
            raise StudyError(
                f"{where}: option {key!r} of {name!r} must be {known[key].annotation}, not {value!r}{_as_number(value)}"
            )


def check_options(kind: str, name: str, options: dict[str, Any], where: str) -> None:
    """As ``check_given``, and refuse options that lack one without a default."""
    check_given(kind, name, options, where)
    known = describe(kind, name).options
    missing = [key for key, option in known.items() if option.default is ... and key not in options]
    if missing:
        raise StudyError(f"{where}: {name!r} needs the option {missing[0]!r} ({known[missing[0]].annotation})")


def build_options(module: ModuleType, options: dict[str, Any]) -> Any:
    """The plug-in's ``Options`` from the plain values of a study file (YAML lists become tuples)."""
    return module.Options(**{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})


def _path(kind: str, name: str) -> Path:
    path = PACKAGE / kind / f"{name}.py"
    if name not in names(kind):
        raise StudyError(f"nothing called {name!r} in {kind}{did_you_mean(name, names(kind))}")
    return path


@cache
def _describe(kind: str, name: str, path: Path, _mtime: int) -> Description:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    summary = (ast.get_docstring(tree) or "").partition("\n\n")[0].replace("\n", " ")
    literals, options = {}, {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            value = _literal(node.value)
            if value is not ...:
                literals[node.targets[0].id] = value
        elif isinstance(node, ast.ClassDef) and node.name == "Options":
            options = {
                item.target.id: Option(ast.unparse(item.annotation), _literal(item.value) if item.value else ...)
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            }
    return Description(kind, name, summary, literals, options)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ...


def _fits(value: Any, annotation: str) -> bool:
    """Whether a plain YAML value fits an annotation such as ``float``, ``int | None``, ``tuple[float, ...]``."""
    for part in (p.strip() for p in annotation.split("|")):
        base, _, inner = part.partition("[")
        if base == "None" and value is None:
            return True
        if base in ("tuple", "list") and isinstance(value, list | tuple):
            return all(_fits(item, inner.rstrip("]").split(",")[0].strip() or "Any") for item in value)
        if base == "Literal" and value in ast.literal_eval(f"[{inner.rstrip(']')}]"):
            return True
        if base == "bool" and isinstance(value, bool):
            return True
        if base == "int" and isinstance(value, int) and not isinstance(value, bool):
            return True
        if base == "float" and isinstance(value, int | float) and not isinstance(value, bool):
            return True
        if base == "str" and isinstance(value, str):
            return True
        if base == "Any" or (base == "dict" and isinstance(value, dict)):
            return True
    return False


def _as_number(value: Any) -> str:
    """A hint for numbers that YAML reads as text (``1e-3``, which needs a point)."""
    try:
        return f"; YAML reads it as text, write {float(value)}" if isinstance(value, str) else ""
    except ValueError:
        return ""
