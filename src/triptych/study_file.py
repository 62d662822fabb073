"""Read a study file: YAML becomes a checked ``Study``, or one error that names file, line, key and the nearest right word."""

import copy
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from triptych.controls import complete
from triptych.errors import StudyError, did_you_mean
from triptych.places import Where
from triptych.study import Study
from triptych.study_checks import check


def read(*paths: str | Path, overrides: dict[str, Any] | None = None) -> Study:
    """Read and check a study; see ``read_with_places``."""
    return read_with_places(*paths, overrides=overrides)[0]


def read_with_places(*paths: str | Path, overrides: dict[str, Any] | None = None) -> tuple[Study, Where]:
    """Read and check a study, and remember where each of its keys stands.

    Parameters
    ----------
    *paths
        YAML files; later ones override keys of earlier ones (as ``snakemake --configfile a b`` does).
    overrides
        Values given on the command line.

    Raises
    ------
    StudyError
        With file, line, key, what is wrong and the nearest right word.
    """
    where = Where()
    content: dict[str, Any] = {}
    for path in map(Path, paths):
        _merge(content, where.load(path))
    _merge(content, overrides or {})
    try:
        study = Study.model_validate(content)
    except ValidationError as error:
        raise StudyError(_explain(error, where)) from None
    check(study, where)
    return complete(study), where


def _merge(into: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in copy.deepcopy(new).items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _explain(error: ValidationError, where: Where) -> str:
    """The first fault, in words; the others counted.  A misspelt key comes before the key that is missing because of it."""
    fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    keys = tuple(str(part) for part in fault["loc"] if part not in ("[key]",))
    if keys[-1:] in {("str",), ("int",), ("bool",)} and keys not in where.lines:
        keys = keys[:-1]  # pydantic adds the member of a union that it tried
    place = where(*keys)
    more = f" ({error.error_count() - 1} more below it)" if error.error_count() > 1 else ""
    if fault["type"] == "extra_forbidden":
        return f"{place}: unknown key {keys[-1]!r}{did_you_mean(keys[-1], _known_keys(keys[:-1]))}{more}"
    if fault["type"] == "missing":
        return f"{where(*keys[:-1])}: the key {keys[-1]!r} is missing{more}"
    if fault["type"] == "literal_error":
        allowed = [word.strip("' ") for word in fault["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return f"{place}: {fault['input']!r} is not one of {', '.join(allowed)}{did_you_mean(str(fault['input']), allowed)}{more}"
    if fault["type"] == "string_pattern_mismatch":
        return f"{place}: {fault['input']!r} must be lower-case letters, digits, - and _ (it becomes part of file names){more}"
    return f"{place}: {fault['msg']}, not {fault['input']!r}{more}"


def _known_keys(keys: tuple[str, ...]) -> list[str]:
    """Field names of the object that a key path leads to."""
    model: Any = Study
    for key in keys:
        if isinstance(model, type) and issubclass(model, BaseModel) and key in model.model_fields:
            model = _inner(model.model_fields[key].annotation)
        elif not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _inner(annotation: Any) -> Any:
    """The object type inside ``dict[str, X]``, ``X | None`` or ``X``; a mapping's own keys are skipped by ``_known_keys``."""
    if isinstance(annotation, type) and not getattr(annotation, "__args__", None):
        return annotation
    for part in reversed(getattr(annotation, "__args__", ())):
        found = _inner(part)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return None
