"""Names in a BIDS data set: labels, what a file's name says, which images a folder holds, and how sessions follow each other.

Standard library only: names must be known while the workflow is parsed.  The grammar is that of BIDS 1.10, "Filenames".
"""

import os
import re
from fnmatch import fnmatch
from pathlib import Path

T1W = re.compile(
    r"sub-(?P<sub>[A-Za-z0-9]+)(_ses-(?P<ses>[A-Za-z0-9]+))?(?P<rest>(_[a-z]+-[A-Za-z0-9+]+)*)_T1w\.nii(\.gz)?"
)
NIFTI = re.compile(
    r"sub-(?P<sub>[A-Za-z0-9]+)(_ses-(?P<ses>[A-Za-z0-9]+))?(_[a-z0-9]+-[A-Za-z0-9+]+)*_[A-Za-z0-9]+\.nii(\.gz)?"
)
NOT_RAW = ("derivatives", "sourcedata", "code", "phenotype", "stimuli")
FIRST = (
    "screening",
    "scr",
    "sc",
    "prebaseline",
    "pre",
    "baseline",
    "bl",
    "base",
)  # visits that come before numbered ones
YEAR, MONTH, DAY = r"(19|20)\d\d", r"(0?[1-9]|1[0-2])", r"(0?[1-9]|[12]\d|3[01])"
MARK, WORD = r"[-_./ ]", r"(jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-z]*"
DATE = re.compile(
    rf"(?<!\d)({YEAR}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\d{{4}}|\d{{6}})?|(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2]){YEAR}"
    rf"|(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]){YEAR}|{YEAR}{MARK}{MONTH}({MARK}{DAY})?|{DAY}{MARK}{DAY}{MARK}({YEAR}|\d\d)"
    rf"|({DAY}{MARK}?)?{WORD}{MARK}?{YEAR})(?!\d)",
    re.I,
)  # with or without marks, year first or last, the month as a word
ENDINGS = (".nii", ".nii.gz")


def label(text: str, prefix: str) -> str:
    """A BIDS label, letters and digits only: ``label("sub-A 01", "sub-")`` is ``"A01"``; empty when nothing is left."""
    return re.sub(r"[^A-Za-z0-9]", "", text.strip().removeprefix(prefix))


def is_date(text: str) -> bool:
    """Whether a date stands in a text, as it is usually written: ``20190611``, ``2019-06``, ``11.6.2019``, ``Jun2019``."""
    return bool(DATE.search(text))


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key in which numbers are numbers: M6 before M12."""
    parts = re.findall(r"\d+|\D+", text.casefold())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]


def session_order(text: str) -> tuple[int, list[tuple[int, int, str]]]:
    """Sort key of sessions without dates: screening and baseline first, then by the numbers in their names."""
    bare = label(text.partition("_run-")[0], "ses-").casefold()
    return (FIRST.index(bare) if bare in FIRST else len(FIRST), natural(text))


def stem(path: Path) -> str:
    """Name of an image without its endings and without ``_T1w``: ``sub-01_ses-1_run-2``."""
    return re.sub(r"(_T1w)?\.nii(\.gz)?$", "", path.name)


def images(folder: Path) -> tuple[list[Path], list[Path]]:
    """Images of a BIDS folder, as paths below it.

    Returns
    -------
    t1w, unmatched
        T1-weighted images where BIDS puts them; and NIfTI files that no BIDS reader would find, by their name or their place,
        less those that ``.bidsignore`` lists.
    """
    ignored = _ignored(folder)
    t1w: list[Path] = []
    unmatched: list[Path] = []
    for at, folders, files in os.walk(folder, followlinks=True):
        here = Path(at).relative_to(folder)
        skipped = NOT_RAW if here == Path() else ()
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in skipped and not _turns_back(at, f))
        for name in sorted(name for name in files if name.endswith(ENDINGS) and not name.startswith(".")):
            path = here / name
            found = NIFTI.fullmatch(name)
            if not found or not _in_place(path, found["sub"], found["ses"]):
                unmatched.append(path)
            elif T1W.fullmatch(name):
                (t1w if path.parent.name == "anat" else unmatched).append(path)
            elif "t1w" in name.casefold():
                unmatched.append(path)
    return t1w, [path for path in unmatched if not any(_covers(pattern, path) for pattern in ignored)]


def _turns_back(at: str, name: str) -> bool:
    """Whether a folder is a link to one of those above it."""
    path = Path(at, name)
    return path.is_symlink() and Path(at).resolve().is_relative_to(path.resolve())


def _ignored(folder: Path) -> list[str]:
    """Patterns of ``.bidsignore``."""
    path = folder / ".bidsignore"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return [line.strip().strip("/") for line in lines if line.strip() and not line.startswith("#")]


def _covers(pattern: str, path: Path) -> bool:
    """Whether a pattern names a file, one of the folders above it, or the end of its path."""
    return any(fnmatch(part.as_posix(), pattern) or fnmatch(part.name, pattern) for part in (path, *path.parents))


def _in_place(path: Path, sub: str, ses: str | None) -> bool:
    """Whether a file lies in ``sub-<sub>/[ses-<ses>/]<kind of data>/``."""
    return path.parts[:-2] == (f"sub-{sub}", *([f"ses-{ses}"] if ses else []))
