"""Fingerprint of code, so that a changed library reruns the rules that use it, and only those.

Snakemake does not see an edit to a module that a script imports.  Every rule therefore carries the fingerprint of what it
runs::

    params: code=lambda w: code("scripts/fit.py", f"triptych.models.{w.model}")

Standard library only: the Snakefile is parsed again in every job.
"""

import ast
import contextlib
import hashlib
import json
import os
import sys
from functools import cache
from pathlib import Path

SRC = Path(__file__).resolve().parents[1]
ROOT = SRC.parent
KEPT = Path(".triptych") / "code"  # below ROOT: what was read of a file, by its content
READER = hashlib.sha256(Path(__file__).read_bytes() + sys.version.encode()).digest()


@cache  # asked once per job of a rule: thousands of times in one parse
def code(*sources: str) -> str:
    """Hash the named modules and scripts, and all modules of this library that they import, directly or not.

    Comments, layout and docstrings do not count; names, annotations and messages do.  Not seen, and to be named in the call
    or to be an input: modules loaded by name at run time (plug-ins), data files, versions of other packages.

    Parameters
    ----------
    *sources
        Dotted names (``"triptych.models.cox"``) or files below the project's root (``"scripts/fit.py"``).

    Returns
    -------
    str
        Twelve hexadecimal digits; comparable within one minor version of Python.

    Raises
    ------
    ModuleNotFoundError
        When a source has no file: a misspelt name would mean results that go stale in silence.
    """
    for source in sources:
        if not _path(source):
            raise ModuleNotFoundError(
                f"no file for {source!r} below {SRC} or {ROOT}; it is named in a rule's code(...)"
            )
    seen = _closure(*sources)
    return hashlib.sha256(repr(sorted((source, logic) for source, (logic, _) in seen.items())).encode()).hexdigest()[
        :12
    ]


@cache
def reaches(source: str, package: str) -> bool:
    """Whether a module, or any of ours that it imports, imports a package or module (``"torch"``, ``"triptych.training"``)."""
    return any(f"{name}.".startswith(f"{package}.") for _, names in _closure(source).values() for name in names)


def _closure(*sources: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Logic and imported names of some sources and of all of ours that they import, by dotted name."""
    todo, seen = list(sources), {}
    while todo:
        source = todo.pop()
        if source in seen or not (path := _path(source)):
            continue
        seen[source] = _read(path, source)
        todo += [name for name in seen[source][1] if name.partition(".")[0] == "triptych"]
        if not source.endswith(".py"):
            todo.append(source.rpartition(".")[0])  # importing a.b.c runs the __init__ of a and of a.b too
    return seen


def _path(source: str) -> Path | None:
    if source.endswith(".py"):
        return ROOT / source if (ROOT / source).is_file() else None
    base = SRC.joinpath(*source.split(".")) if source else SRC / "?"
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


@cache
def _read(path: Path, source: str) -> tuple[str, tuple[str, ...]]:
    """Hash of the logic of a file, and the dotted names it may import; parsed once per content, a third of a plan's time."""
    text = path.read_bytes()
    key = hashlib.sha256(b"\0".join([READER, path.name.encode(), source.encode(), text])).hexdigest()[:32]
    kept = ROOT / KEPT / key
    with contextlib.suppress(OSError):
        logic, imported = json.loads(kept.read_text(encoding="utf-8"))
        return logic, tuple(imported)
    logic, imported = _parse(text, path, source)
    with contextlib.suppress(OSError):  # a clone that cannot be written to
        kept.parent.mkdir(parents=True, exist_ok=True)
        beside = kept.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps([logic, imported]), encoding="utf-8")
        beside.replace(kept)
    return logic, imported


def _parse(text: bytes, path: Path, source: str) -> tuple[str, tuple[str, ...]]:
    """Hash of the logic of a file, and the dotted names it may import (also inside functions)."""
    tree = ast.parse(text)
    package = source if path.name == "__init__.py" else source.rpartition(".")[0]
    imported: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            imported += [
                base,
                *(f"{base}.{alias.name}" for alias in node.names),
            ]  # "from a import b": b may be a module
        logic = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if logic and ast.get_docstring(node) is not None:  # type: ignore[arg-type]
            node.body = node.body[1:]  # type: ignore[attr-defined]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(imported)
