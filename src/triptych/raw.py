"""Raw files: where they lie, whether they are the ones that were meant, and a digest that stands for them.

Snakemake compares file times of big files, so a touched MRI would rerun everything that follows from it.  Raw files are
therefore no inputs of rules: their digest is a param, computed once and remembered beside size and time.  Standard library
only, since the workflow asks for it each time it is parsed.
"""

import csv
import gzip
import hashlib
import json
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from triptych import plugins
from triptych.bids import names
from triptych.errors import DataError
from triptych.mri import columns as mri_columns

CACHE = Path(".triptych") / "checksums.json"
BIDS_COLUMN = "t1w"  # of a BIDS cohort: the path of the image
BIDS_COLUMNS = ("session_id", "run", BIDS_COLUMN)  # what a BIDS cohort has beside the columns of its own tables


def files(cohort: str, entry: Any, root: Path | None) -> dict[str, tuple[Path, str | None]]:
    """Raw files of a cohort: name -> (path, expected sha256 or None).

    Raises
    ------
    DataError
        When the data root is needed and not given or not there, or a file is missing.
    """
    if entry is not None and entry.table:
        return {entry.table: (_existing(Path(entry.table).expanduser(), cohort), None)}
    if entry is not None and entry.bids:
        folder = bids_folder(cohort, entry.bids, root)
        return {path.relative_to(folder).as_posix(): (path, None) for path in bids_tables(folder)}
    return {
        name: (locate(name, cohort, root), sha) for name, sha in plugins.describe("cohorts", cohort)["SHA256"].items()
    }


def locate(name: str, cohort: str | None, root: Path | None) -> Path:
    """Path of a raw file: ``package:<package>/<file>`` inside an installed package, else below the data root."""
    if name.startswith("package:"):
        package, _, rest = name.removeprefix("package:").partition("/")
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise DataError(
                f"cohort {cohort!r} lies in the package {package!r}, which is not installed; run `make` again"
            )
        return _existing(Path(next(iter(spec.submodule_search_locations))) / rest, cohort)
    if root is None:
        raise DataError(
            f"{_who(cohort)} needs a data root for {name}; set `data_root:` in the study or the variable TRIPTYCH_DATA"
        )
    if not root.is_dir():
        raise DataError(
            f"the data root {root} does not exist (needed by {_who(cohort)}); set `data_root:` or TRIPTYCH_DATA"
        )
    return _existing(root / name, cohort)


def digest(cohort: str, entry: Any, root: Path | None) -> str:
    """One hash over names and contents of a cohort's raw files; checks each against the checksum that the cohort declares."""
    total = hashlib.sha256()
    for name, (path, expected) in sorted(files(cohort, entry, root).items()):
        found = sha256(path)
        if expected and found != expected:
            raise DataError(
                f"{path}: checksum does not match the one that cohort {cohort!r} was written for (expected sha256 {expected}, "
                f"found {found}); fetch the file again from {plugins.describe('cohorts', cohort)['SOURCE']}"
            )
        total.update(f"{name}\0{found}\0".encode())
    if entry is not None and entry.bids:  # which images there are; what they hold is asked by the job of each
        lists = names.images(bids_folder(cohort, entry.bids, root))
        total.update("\0".join(str(path) for paths in lists for path in paths).encode())
    return total.hexdigest()[:16]


def bids_folder(cohort: str, folder: str, root: Path | None) -> Path:
    """Where a BIDS data set lies: as it is named, else below the data root.

    Raises
    ------
    DataError
        When it is not there, or has no ``dataset_description.json``.
    """
    named = Path(folder).expanduser()
    found = named if named.is_dir() or root is None else root / folder
    if not found.is_dir():
        below = (
            f", nor {root / folder}" if root else "; set `data_root:` or TRIPTYCH_DATA when it lies below the data root"
        )
        raise DataError(f"{named}: no such folder (BIDS data set of cohort {cohort!r}){below}")
    if not (found / "dataset_description.json").is_file():
        raise DataError(
            f"{found}: no dataset_description.json, so this is no BIDS data set (cohort {cohort!r}); write these four lines "
            f'into it, with a name of your choice:\n{{\n "Name": "{found.resolve().name}",\n "BIDSVersion": "1.10.0"\n}}'
        )
    return found


def bids_file(folder: str, path: Path) -> str:
    """How an image of a BIDS folder is named in the column ``t1w``: with the folder as the study names it."""
    return (Path(folder).expanduser() / path).as_posix()


def bids_tables(folder: Path) -> list[Path]:
    """The tables of a BIDS data set about its people and their sessions."""
    sessions = sorted(folder.glob("sub-*/sub-*_sessions.tsv"))
    return [path for path in (folder / "participants.tsv", *sessions) if path.is_file()]


def sha256(path: Path) -> str:
    """Checksum of a file, remembered by path, size and time so that unchanged files are read once."""
    return sha256_of([path])[path]


def image_columns(cohort: str, entry: Any, root: Path | None) -> list[str]:
    """Columns of a cohort that may name image files: ``IMAGES`` of the plug-in, or any column of the user's table."""
    if entry is not None and entry.bids:
        return [BIDS_COLUMN]
    if entry is None or not entry.table:
        return list(plugins.describe("cohorts", cohort).literals.get("IMAGES", {}))
    return _own_columns(cohort, entry, root)


def image_patterns(cohort: str, entry: Any, columns: list[str]) -> dict[str, str]:
    """Column: path of its files with ``{column}`` for what differs between rows; a user's column holds the path itself."""
    if entry is None or not (entry.table or entry.bids):
        known = plugins.describe("cohorts", cohort)["IMAGES"]
        return {column: known[column] for column in columns}
    return {column: f"{{{column}}}" for column in columns}


def image_path(file: str, table: str | None, root: Path | None) -> Path:
    """Where an image or a folder of DICOM files lies: beside the table, else below the data root; it may be missing."""
    beside = Path(table).expanduser().parent / file if table else Path(file)
    return beside if root is None or beside.exists() else root / file


def image_digest(cohort: str, entry: Any, root: Path | None, columns: list[str]) -> str:
    """One hash over names and contents of the images of a cohort; a file that is not there counts, too."""
    table = entry.table if entry else None
    total = hashlib.sha256()
    if table:
        files = _images_of_table(Path(table).expanduser(), columns)
    elif entry and entry.bids:
        files = {bids_file(entry.bids, path) for path in names.images(bids_folder(cohort, entry.bids, root))[0]}
    else:
        files = _images_below(cohort, root, columns)
    paths = {name: image_path(name, table, root) for name in sorted(files)}
    found = sha256_of([path for path in paths.values() if path.is_file()])
    for name, path in paths.items():
        total.update(f"{name}\0{found.get(path, 'missing')}\0".encode())
    return total.hexdigest()[:16]


def _images_of_table(path: Path, columns: list[str]) -> set[str]:
    header(path)  # its errors say more
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream, delimiter=delimiter(path))
        return {name for row in rows for column in columns if (name := (row[column] or "").strip())}


def _images_below(cohort: str, root: Path | None, columns: list[str]) -> set[str]:
    patterns = [re.sub(r"\{.*?\}", "*", p) for p in image_patterns(cohort, None, columns).values()]
    if root is None:
        raise DataError(f"cohort {cohort!r} needs a data root for {patterns[0]}; set `data_root:` or TRIPTYCH_DATA")
    return {path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern)}


def sha256_of(paths: list[Path]) -> dict[Path, str]:
    """Checksums of many files or folders; what is remembered is read and written once.

    That of a folder stands for the names and contents of all files below it.
    """
    known, new, found = _load_cache(), {}, {}
    for path in paths:
        key, state = str(path.resolve()), _state(path)
        if known.get(key, [])[:2] != state:
            new[key] = known[key] = [*state, _content(path)]
        found[path] = known[key][2]
    if new:
        _save_cache({**_load_cache(), **new})
    return found


def _state(path: Path) -> list[Any]:
    """What changes when a file is written or touched; for a folder, when any file below it is."""
    if not path.is_dir():
        stat = path.stat()
        return [stat.st_size, stat.st_mtime_ns]
    stats = {name: below.stat() for name, below in _below(path).items()}
    lines = [f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}" for name, stat in stats.items()]
    return [len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()]


def _content(path: Path) -> str:
    if path.is_dir():
        lines = [f"{name}\0{_content(below)}" for name, below in _below(path).items()]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _below(folder: Path) -> dict[str, Path]:
    """Name below the folder: file, sorted; a link to nothing is no file."""
    paths = (Path(at) / name for at, _, files in os.walk(folder) for name in files)
    return {path.relative_to(folder).as_posix(): path for path in sorted(paths) if path.is_file()}


def columns(cohort: str, entry: Any, root: Path | None) -> list[str]:
    """Column names of a cohort: declared by the plug-in (``X*`` stands for a family), or the header of the user's table.

    A cohort whose scans are preprocessed also has what comes of that.
    """
    found = _own_columns(cohort, entry, root)
    return [*found, *mri_columns.COLUMNS] if entry is not None and entry.mri else found


def _own_columns(cohort: str, entry: Any, root: Path | None) -> list[str]:
    if entry is not None and entry.bids:
        tables = bids_tables(bids_folder(cohort, entry.bids, root))
        return list(dict.fromkeys(["participant_id", *(c for path in tables for c in header(path)), *BIDS_COLUMNS]))
    if entry is None or not entry.table:
        return list(plugins.describe("cohorts", cohort)["COLUMNS"])
    return header(_existing(Path(entry.table).expanduser(), cohort))


def header(path: Path) -> list[str]:
    """Column names of a user's table.

    Raises
    ------
    DataError
        When there is no header, it is not text, it is separated by something else, or a name comes twice.
    """
    separator = delimiter(path)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="", encoding="utf-8-sig") as stream:
            names = next(csv.reader(stream, delimiter=separator), [])
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason}, byte {error.start}); save it as UTF-8") from None
    if not names:
        raise DataError(f"{path}: the file is empty; it needs a first line with the names of the columns")
    other = [mark for mark in (";", "\t", ",", "|") if mark in names[0]]
    if len(names) == 1 and other:
        raise DataError(
            f"{path}: line 1 is one column, {names[0][:60]!r}: it is separated by {other[0]!r}, not by {separator!r}; "
            "save it as comma-separated .csv or tab-separated .tsv"
        )
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"{path}: line 1 has two columns called {twice[0]!r}; rename or remove one")
    return names


def delimiter(path: Path) -> str:
    """Tab for ``.tsv`` and ``.txt``, else comma."""
    return "\t" if path.name.removesuffix(".gz").endswith((".tsv", ".txt")) else ","


def _who(cohort: str | None) -> str:
    return f"cohort {cohort!r}" if cohort else "the study"


def _existing(path: Path, cohort: str | None) -> Path:
    if not path.is_file():
        raise DataError(f"{path}: no such file (raw data of {_who(cohort)}); check the path and the data root")
    return path


def _load_cache() -> dict[str, list[Any]]:
    try:
        return json.loads(CACHE.read_text())
    except (OSError, ValueError):
        return {}


def _save_cache(known: dict[str, list[Any]]) -> None:
    CACHE.parent.mkdir(exist_ok=True)
    beside = CACHE.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(known, indent=0))
    beside.replace(CACHE)
