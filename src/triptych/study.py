"""The study file as typed, checked objects.

A study says what is claimed and how it will be judged.  ``read`` turns YAML into a ``Study`` or raises one ``StudyError`` that
names file, line, key and the nearest right one.  Everything here runs each time the workflow is parsed, so it imports neither
pandas nor torch: plug-ins are read from their source (``plugins.describe``), data are looked at by ``triptych.check``.
"""

import copy
import fnmatch
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from triptych import plugins, raw
from triptych.errors import StudyError, did_you_mean

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Estimand = Literal["new-patients", "new-site", "procedure"]
ESTIMANDS = {
    "new-patients": "these models, on new people from the known hospitals",
    "new-site": "these models, at a hospital never seen in training",
    "procedure": "training again on other data of this kind",
}


class _Closed(BaseModel):
    """A mapping in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CohortEntry(_Closed):
    """Where a cohort comes from: a plug-in of that name (nothing to say), or a table of your own."""

    table: str | None = Field(
        None, description="CSV or TSV with one row per patient (or per session) and a participant_id"
    )


class Outcome(_Closed):
    """Which columns hold the outcome."""

    time: str | None = Field(None, description="column with the time to event or censoring")
    event: str | None = Field(None, description="column that tells events from censored times")
    event_value: str | int | bool | None = Field(None, description="value of the event column that means: it happened")
    unit: str = Field("days", description="unit of the time column")


class Task(_Closed):
    """One question: who, which outcome, which inputs."""

    title: str
    kind: Literal["survival", "classification", "regression", "segmentation"] = "survival"
    cohorts: list[str] = []
    outcome: Outcome = Outcome()
    inputs: dict[Name, list[str]] = Field({}, description="named blocks of columns; * stands for any text")
    horizon: float | None = Field(
        None, gt=0, description="time at which calibration and time-dependent scores are given"
    )


class Model(_Closed):
    """One competitor: a plug-in that is fitted, a column used as it is, or predictions made elsewhere."""

    label: str | None = None
    use: str | None = Field(None, description="model plug-in")
    column: str | None = Field(None, description="column of the cohorts used as risk as it is, nothing fitted")
    external: str | None = Field(None, description="name of the model in the file of predictions")
    role: Literal["model", "null"] = Field("model", description="null: what every claim must beat")
    inputs: list[str] = Field([], description="blocks of inputs; all of them when empty")
    options: dict[str, Any] = {}
    options_by_task: dict[str, dict[str, Any]] = {}
    tasks: list[str] = Field([], description="only these tasks; all when empty")
    job: Literal["repeat", "fold"] = Field(
        "repeat", description="what one job fits: all folds of a repeat, or one fold"
    )


class Validation(_Closed):
    """How the patients are split."""

    split: str
    options: dict[str, Any] = {}


class Statistics(_Closed):
    """What is estimated."""

    metrics: list[str] = Field(min_length=1)
    level: float = Field(0.95, gt=0.5, lt=1)
    risk_groups: Literal["fold-median", "pooled-median"] = Field(
        "fold-median", description="how Kaplan-Meier groups are made"
    )
    figures: list[str] = Field([], description="figures of the report; all that apply when empty")


class Tolerance(_Closed):
    """How much may fail before the run stops."""

    patients: float = Field(0.05, ge=0, le=1, description="largest share of patients of a cohort in quarantine")
    fits: float = Field(0.0, ge=0, le=1, description="largest share of failed fits of a model")


class Predictions(_Closed):
    """Predictions made elsewhere, one row per model and patient."""

    file: str
    sha256: str | None = None
    columns: dict[str, str] = Field(description="our column: column of the file")
    event_value: str | int | bool | None = None
    site_pattern: str | None = Field(
        None, description="regular expression; its first group, on participant_id, is the site"
    )


class Published(_Closed):
    """A published table to stand beside ours."""

    citation: str
    file: str
    sha256: str | None = None
    columns: dict[str, str] = Field(description="task and model: columns of the file")
    statistics: dict[str, str] = Field(description="column of the file: statistic of triptych.published")
    low: str | None = Field(None, description="column with the lower end of the published interval")
    high: str | None = Field(None, description="column with the upper end of the published interval")
    notes: list[str] = []


class Study(_Closed):
    """A claim, the people it is about, the models that compete, and how they are judged."""

    name: Name
    title: str
    question: str = Field(description="what the study asks, in one sentence")
    estimand: Estimand
    cohorts: dict[Name, CohortEntry | None] = {}
    tasks: dict[Name, Task] = Field(min_length=1)
    models: dict[Name, Model] = Field(min_length=1)
    validation: Validation | None = None
    predictions: Predictions | None = None
    published: Published | None = None
    statistics: Statistics
    audit: dict[str, Literal["stop", "warn", "off"]] = Field({}, description="lowers or raises what a finding does")
    tolerance: Tolerance = Tolerance()
    seed: int = 0
    device: Literal["cpu", "cuda", "auto"] = "cpu"
    data_root: str | None = Field(None, description="folder of raw data; else the variable TRIPTYCH_DATA")
    notes: list[str] = Field([], description="sentences for the report")

    def models_of(self, task: str) -> dict[str, Model]:
        """The models that compete in one task, in the order of the file."""
        return {name: model for name, model in self.models.items() if not model.tasks or task in model.tasks}

    def options_of(self, model: str, task: str) -> dict[str, Any]:
        """Options of a model in one task."""
        entry = self.models[model]
        return {**entry.options, **entry.options_by_task.get(task, {})}

    def blocks_of(self, model: str, task: str) -> list[str]:
        """Blocks of inputs that a model sees in one task."""
        return self.models[model].inputs or list(self.tasks[task].inputs)

    @property
    def root(self) -> Path | None:
        """The data root: the study's, else the environment's, else none."""
        root = self.data_root or os.environ.get("TRIPTYCH_DATA")
        return Path(root).expanduser() if root else None


def read(*paths: str | Path, overrides: dict[str, Any] | None = None) -> Study:
    """Read and check a study.

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
    _check(study, where)
    return study


class Where:
    """Remembers the line of each key, to name it in errors."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, ...], str] = {}

    def load(self, path: Path) -> dict[str, Any]:
        """The content of one YAML file."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise StudyError(
                f"{path}: cannot be read ({error.strerror}); name an existing study with --configfile"
            ) from None
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise StudyError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
        if not isinstance(content, dict):
            raise StudyError(f"{path}: a study is a mapping of keys, this file is not")
        if node is not None:
            self._remember(node, (), str(path))
        return content

    def __call__(self, *keys: str) -> str:
        """``file:line, key a.b`` of the deepest known part of a key."""
        for depth in range(len(keys), 0, -1):
            if keys[:depth] in self.lines:
                return f"{self.lines[keys[:depth]]}, key {'.'.join(keys)}"
        return f"study, key {'.'.join(keys)}" if keys else "study"

    def _remember(self, node: yaml.Node, keys: tuple[str, ...], path: str) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                here = (*keys, str(key.value))
                if key.value in seen:
                    raise StudyError(f"{path}:{key.start_mark.line + 1}, key {'.'.join(here)}: given twice; keep one")
                seen.add(key.value)
                self.lines[here] = f"{path}:{key.start_mark.line + 1}"
                self._remember(value, here, path)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.lines[(*keys, str(index))] = f"{path}:{item.start_mark.line + 1}"
                self._remember(item, (*keys, str(index)), path)


def _merge(into: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in copy.deepcopy(new).items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _explain(error: ValidationError, where: Where) -> str:
    """The first fault, in words; the others counted."""
    fault = error.errors()[0]
    keys = tuple(str(part) for part in fault["loc"] if part not in ("[key]",))
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


# ---- what types alone cannot say -----------------------------------------------------------------


def _check(study: Study, where: Where) -> None:
    for cohort, entry in study.cohorts.items():
        if entry is None or entry.table is None:
            _plugin("cohorts", cohort, where("cohorts", cohort))
    for metric in study.statistics.metrics:
        _plugin("metrics", metric, where("statistics", "metrics"))
    for figure in study.statistics.figures:
        _plugin("figures", figure, where("statistics", "figures"))
    for audit in study.audit:
        _plugin("audit", audit, where("audit", audit))
    for task in study.tasks:
        _check_task(study, task, where)
    for model in study.models:
        _check_model(study, model, where)
    _check_validation(study, where)


def _plugin(kind: str, name: str, place: str) -> plugins.Description:
    try:
        return plugins.describe(kind, name)
    except StudyError as error:
        raise StudyError(f"{place}: {error}") from None


def _check_task(study: Study, name: str, where: Where) -> None:
    task = study.tasks[name]
    here = ("tasks", name)
    for metric in study.statistics.metrics:
        if task.kind not in plugins.describe("metrics", metric)["TASKS"]:
            raise StudyError(f"{where('statistics', 'metrics')}: {metric!r} cannot score the {task.kind} task {name!r}")
        if plugins.describe("metrics", metric).literals.get("AT_HORIZON") and task.horizon is None:
            raise StudyError(f"{where(*here)}: the metric {metric!r} needs a horizon; add `horizon:` to the task")
    for cohort in task.cohorts:
        if cohort not in study.cohorts:
            raise StudyError(
                f"{where(*here, 'cohorts')}: no cohort {cohort!r} in this study{did_you_mean(cohort, study.cohorts)}"
            )
    if study.predictions:
        return
    if not task.cohorts:
        raise StudyError(f"{where(*here)}: a task needs `cohorts:`, or the study needs `predictions:`")
    for role in ("time", "event") if task.kind == "survival" else ():
        if getattr(task.outcome, role) is None:
            raise StudyError(
                f"{where(*here, 'outcome')}: a survival outcome needs the column of its {role}; add `{role}:`"
            )
    _check_columns(study, name, where)


def _check_columns(study: Study, name: str, where: Where) -> None:
    """Every named column exists in every cohort of the task, and no input is the outcome."""
    task = study.tasks[name]
    outcome = {role: getattr(task.outcome, role) for role in ("time", "event") if getattr(task.outcome, role)}
    for cohort in task.cohorts:
        columns = raw.columns(cohort, study.cohorts[cohort], study.root)
        for role, column in outcome.items():
            if not _matches(column, columns):
                place = where("tasks", name, "outcome", role)
                raise StudyError(f"{place}: cohort {cohort!r} has no column {column!r}{did_you_mean(column, columns)}")
        for block, wanted in task.inputs.items():
            place = where("tasks", name, "inputs", block)
            for pattern in wanted:
                found = _matches(pattern, columns)
                if not found:
                    raise StudyError(
                        f"{place}: cohort {cohort!r} has no column {pattern!r}{did_you_mean(pattern, columns)}"
                    )
                leaks = set(found) & set(outcome.values())
                if leaks:
                    raise StudyError(
                        f"{place}: {pattern!r} takes the outcome column {min(leaks)!r} as an input (target leak); "
                        "name the inputs without it"
                    )


def _matches(pattern: str, columns: list[str]) -> list[str]:
    """Columns that a pattern names; a cohort may itself declare families such as ``X*``."""
    return [c for c in columns if fnmatch.fnmatchcase(c, pattern) or ("*" in c and fnmatch.fnmatchcase(pattern, c))]


def _check_model(study: Study, name: str, where: Where) -> None:
    model = study.models[name]
    here = ("models", name)
    if sum(x is not None for x in (model.use, model.column, model.external)) != 1:
        raise StudyError(f"{where(*here)}: say exactly one of `use:` (a plug-in), `column:` and `external:`")
    if (model.external or model.column) and not study.predictions:
        raise StudyError(f"{where(*here)}: `external:` and `column:` go with a study that has `predictions:`")
    for task in [*model.tasks, *model.options_by_task]:
        if task not in study.tasks:
            raise StudyError(
                f"{where(*here, 'tasks')}: no task {task!r} in this study{did_you_mean(task, study.tasks)}"
            )
    if not model.use:
        return
    description = _plugin("models", model.use, where(*here, "use"))
    for task in study.tasks:
        if name not in study.models_of(task):
            continue
        if study.tasks[task].kind not in description["TASKS"]:
            able = ", ".join(description["TASKS"])
            raise StudyError(
                f"{where(*here, 'use')}: {model.use!r} does {able}, not the {study.tasks[task].kind} task {task!r}"
            )
        for block in model.inputs:
            if block not in study.tasks[task].inputs:
                known = did_you_mean(block, study.tasks[task].inputs)
                raise StudyError(f"{where(*here, 'inputs')}: task {task!r} has no block of inputs {block!r}{known}")
        plugins.check_options("models", model.use, study.options_of(name, task), where(*here, "options"))


def _check_validation(study: Study, where: Where) -> None:
    if study.predictions:
        if study.validation:
            raise StudyError(
                f"{where('validation')}: predictions made elsewhere bring their own folds; remove `validation:`"
            )
        return
    if not study.validation:
        raise StudyError("study: the key 'validation' is missing; say how the patients are split")
    name = study.validation.split
    split = _plugin("splits", name, where("validation", "split"))
    plugins.check_options("splits", name, study.validation.options, where("validation", "options"))
    if study.estimand not in split["ANSWERS"]:
        able = [s for s in plugins.names("splits") if study.estimand in plugins.describe("splits", s)["ANSWERS"]]
        raise StudyError(
            f"{where('validation', 'split')}: the split {name!r} cannot answer the estimand {study.estimand!r} "
            f"({ESTIMANDS[study.estimand]}); use {' or '.join(able)}"
        )
