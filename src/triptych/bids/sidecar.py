"""What the JSON files of an image say of it, those of the folders above included (BIDS' inheritance principle)."""

import json
from pathlib import Path
from typing import Any

from triptych.bids import names
from triptych.bids.verdict import Unusable


def beside(image: Path) -> dict[str, Any]:
    """Content of the JSON file beside a loose image; empty without one."""
    path = image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    return _read(path) if path.is_file() else {}


def inherited(image: Path, root: Path) -> dict[str, Any]:
    """Content of the sidecars that apply to an image of a BIDS data set; the nearest wins.

    Raises
    ------
    Unusable
        When one of them cannot be read: this image is set aside, not the data set.
    """
    own, found = _entities(image.name), {}
    for folder in reversed([p for p in image.parents if p == root or root in p.parents]):
        applies = [path for path in folder.glob("*T1w.json") if _entities(path.name) <= own]
        for path in sorted(applies, key=lambda path: len(_entities(path.name))):
            found.update(_read(path))
    return found


def _entities(name: str) -> set[str]:
    return set(names.stem(Path(name.removesuffix(".json") + ".nii")).split("_")) - {"T1w", ""}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise Unusable(
            f"the sidecar {path.name} cannot be read ({' '.join(str(error).split())})", "correct the JSON file"
        ) from None
    if not isinstance(content, dict):
        raise Unusable(f"the sidecar {path.name} holds no keys and values", "correct the JSON file")
    return content
