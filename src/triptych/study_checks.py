"""What the types of a study cannot say: names that exist, columns that are there, splits that answer the question."""

import fnmatch
import re
from collections.abc import Iterator

from triptych import plugins, raw
from triptych.choice import check_choices
from triptych.errors import DataError, StudyError, did_you_mean
from triptych.fingerprint import reaches
from triptych.mri.columns import is_image
from triptych.places import Where
from triptych.study import ESTIMANDS, CohortEntry, Predictions, Study, Task

WHO = ("participant_id", "session_id")  # every cohort has them; whom to leave out may be said by name
RESERVED = ("control-", "permuted-")  # see triptych.controls
ASKING = ("models", "estimand", "validation", "statistics", "predictions", "published", "protocols", "audit")
NEEDED = {"survival": ("time", "event"), "classification": ("label",), "regression": ("value",)}


def check(study: Study, where: Where) -> None:
    """Raise the first fault of a study, with its place.

    Raises
    ------
    StudyError
        With file, line, key, what is wrong and the nearest right word.
    DataError
        When a file that the study names cannot be read.
    """
    for cohort, entry in study.cohorts.items():
        _check_cohort(cohort, entry, where)
    _check_whole(study, where)
    if study.seed < 0:
        raise StudyError(f"{where('seed')}: a seed is a whole number, 0 or more, not {study.seed}")
    for metric in study.statistics.metrics:
        _plugin("metrics", metric, where("statistics", "metrics"))
    for figure in study.statistics.figures:
        table = _plugin("figures", figure, where("statistics", "figures"))["TABLE"]
        if table not in (*study.tables, *study.overall_tables):
            place = where("statistics", "figures")
            raise StudyError(
                f"{place}: the figure {figure!r} draws the table {table!r}, which this study does not make"
            )
    for audit in study.audit:
        _plugin("audit", audit, where("audit", audit))
    for task in study.tasks:
        _check_task(study, task, where)
    for metric in study.statistics.metrics:
        if not any(metric in study.metrics_of(task) for task in study.tasks):
            able = " and ".join(plugins.describe("metrics", metric)["TASKS"])
            raise StudyError(
                f"{where('statistics', 'metrics')}: {metric!r} scores {able}, and no task here is of that kind; remove it"
            )
    for model in study.models:
        _check_model(study, model, where)
    _check_validation(study, where)
    for group in study.protocols:
        _check_protocols(study, group, where)
    check_choices(study, where)


def _check_whole(study: Study, where: Where) -> None:
    """A study asks something and has all that goes with it, or it only prepares scans and has nothing of that."""
    said = study.model_fields_set
    if study.tasks:
        for key in ("estimand", "models", "statistics"):
            if key not in said or not getattr(study, key):
                raise StudyError(f"{where()}: the key {key!r} is missing")
    elif asking := [key for key in ASKING if key in said]:
        raise StudyError(
            f"{where()}: the key 'tasks' is missing; a study without tasks prepares the scans of its cohorts, and has no "
            f"{asking[0]!r} either"
        )
    elif not any(entry and (entry.bids or entry.scans or entry.mri) for entry in study.cohorts.values()):
        raise StudyError(
            f"{where()}: the key 'tasks' is missing; without it scans are prepared, and no cohort here has some "
            "(`scans:`, `bids:` or `mri:`, docs/mri-raw.md)"
        )


def _check_cohort(name: str, entry: CohortEntry | None, where: Where) -> None:
    here = ("cohorts", name)
    if entry is not None and entry.runs == "best" and not entry.mri:
        raise StudyError(
            f"{where(*here, 'runs')}: the best scan is known when all were preprocessed; add `mri: {{}}`, or say first, last or "
            "all"
        )
    if entry is None or not (entry.table or entry.bids):
        _plugin("cohorts", name, where(*here))
        return
    if entry.table and entry.bids:
        raise StudyError(
            f"{where(*here, 'bids')}: a cohort is a `table:` or a BIDS folder, not both; a BIDS folder has its own "
            "participants.tsv"
        )
    if entry.bids and entry.scans:
        raise StudyError(
            f"{where(*here, 'scans')}: the scans of a BIDS folder are found by their names; `scans:` goes with `table:`"
        )


def _plugin(kind: str, name: str, place: str) -> plugins.Description:
    try:
        return plugins.describe(kind, name)
    except StudyError as error:
        raise StudyError(f"{place}: {error}") from None


def _check_task(study: Study, name: str, where: Where) -> None:
    task = study.tasks[name]
    here = ("tasks", name)
    if task.horizon == float("inf"):
        raise StudyError(f"{where(*here, 'horizon')}: a horizon is a finite time, not {task.horizon}")
    if not study.models_of(name):
        raise StudyError(f"{where(*here)}: no model competes in the task {name!r}; add it to the `tasks:` of a model")
    for metric in study.statistics.metrics:
        if task.kind not in plugins.describe("metrics", metric)["TASKS"]:
            continue
        if plugins.describe("metrics", metric).literals.get("AT_HORIZON") and task.horizon is None:
            raise StudyError(f"{where(*here)}: the metric {metric!r} needs a horizon; add `horizon:` to the task")
    if not study.metrics_of(name):
        able = [m for m in plugins.names("metrics") if task.kind in plugins.describe("metrics", m)["TASKS"]]
        raise StudyError(
            f"{where('statistics', 'metrics')}: no metric here can score the {task.kind} task {name!r}; add {' or '.join(able)}"
        )
    for cohort in task.cohorts:
        if cohort not in study.cohorts:
            raise StudyError(
                f"{where(*here, 'cohorts')}: no cohort {cohort!r} in this study{did_you_mean(cohort, study.cohorts)}"
            )
    if study.predictions:
        if task.roles.image:
            raise StudyError(
                f"{where(*here, 'roles', 'image')}: images are compared in studies that fit models; remove it"
            )
        if task.kind != "survival":
            raise StudyError(
                f"{where(*here, 'kind')}: predictions made elsewhere are read for survival tasks only, not for {task.kind}"
            )
        _check_columns_as_risk(study, name, where)
        return
    if not task.cohorts:
        raise StudyError(f"{where(*here)}: a task needs `cohorts:`, or the study needs `predictions:`")
    for role in NEEDED.get(task.kind, ()):
        if getattr(task.outcome, role) is None:
            raise StudyError(
                f"{where(*here, 'outcome')}: a {task.kind} outcome needs the column of its {role}; add `{role}:`"
            )
    _check_columns(study, name, where)


def _check_columns(study: Study, name: str, where: Where) -> None:
    """Every named column exists in every cohort of the task, and no input is the outcome."""
    task = study.tasks[name]
    outcome = task.outcome.columns
    for cohort in task.cohorts:
        columns = _columns(study, cohort, where)
        for keys, column in _named_columns(task):
            if not _matches(column, columns) and not (keys == ("exclude",) and column in WHO):
                place = where("tasks", name, *keys)
                raise StudyError(f"{place}: cohort {cohort!r} has no column {column!r}{did_you_mean(column, columns)}")
        able = raw.image_columns(cohort, study.cohorts[cohort], study.root) if task.roles.image else []
        for column in task.roles.image:
            if column not in able:
                place = where("tasks", name, "roles", "image")
                raise StudyError(
                    f"{place}: cohort {cohort!r} has no column of images {column!r}{did_you_mean(column, able)}"
                )
        for block, wanted in task.inputs.items():
            place = where("tasks", name, "inputs", block)
            if block.startswith(RESERVED):
                raise StudyError(
                    f"{place}: names that begin with {' or '.join(RESERVED)} are those of negative controls; rename it"
                )
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


def _named_columns(task: Task) -> Iterator[tuple[tuple[str, ...], str]]:
    """Key path and column, for every column that a task names besides its inputs."""
    for role, column in task.outcome.columns.items():
        yield ("outcome", role), column
    if task.outcome.visit:
        yield ("outcome", "visit"), task.outcome.visit
    for role in ("demographics", "acquisition", "quality"):
        for column in getattr(task.roles, role) or ():
            yield ("roles", role), column
    if task.roles.visit:
        yield ("roles", "visit"), task.roles.visit
    for column in task.exclude:
        yield ("exclude",), column


def _check_columns_as_risk(study: Study, name: str, where: Where) -> None:
    """A column that is used as risk exists in every cohort of the task."""
    task = study.tasks[name]
    for model, entry in study.models_of(name).items():
        place = where("models", model, "column")
        if entry.column and not task.cohorts:
            raise StudyError(f"{place}: the task {name!r} has no `cohorts:` to take the column from; add them")
        for cohort in task.cohorts if entry.column else ():
            columns = _columns(study, cohort, where)
            if not _matches(entry.column or "", columns):
                known = did_you_mean(entry.column or "", columns)
                raise StudyError(f"{place}: cohort {cohort!r} has no column {entry.column!r}{known}")


def _columns(study: Study, cohort: str, where: Where) -> list[str]:
    try:
        return raw.columns(cohort, study.cohorts[cohort], study.root)
    except DataError as error:
        entry = study.cohorts[cohort]
        key = next((key for key in ("table", "bids") if entry and getattr(entry, key)), "table")
        raise DataError(f"{where('cohorts', cohort, key)}: {error}") from None


def _matches(pattern: str, columns: list[str]) -> list[str]:
    """Columns that a pattern names; a cohort may itself declare families such as ``X*``."""
    return [
        c
        for c in columns
        if c == pattern or fnmatch.fnmatchcase(c, pattern) or ("*" in c and fnmatch.fnmatchcase(pattern, c))
    ]


def _check_model(study: Study, name: str, where: Where) -> None:
    model = study.models[name]
    here = ("models", name)
    if sum(x is not None for x in (model.use, model.column, model.external)) != 1:
        raise StudyError(f"{where(*here)}: say exactly one of `use:` (a plug-in), `column:` and `external:`")
    if (model.external or model.column) and not study.predictions:
        raise StudyError(f"{where(*here)}: `external:` and `column:` go with a study that has `predictions:`")
    for key, tasks in (("tasks", model.tasks), ("options_by_task", model.options_by_task)):
        for task in tasks:
            if task not in study.tasks:
                known = did_you_mean(task, study.tasks)
                raise StudyError(f"{where(*here, key)}: no task {task!r} in this study{known}")
    if name.startswith(RESERVED):
        raise StudyError(
            f"{where(*here)}: names that begin with {' or '.join(RESERVED)} are those of negative controls; rename it"
        )
    if not model.use:
        _check_processes(study, name, where)
        return
    description = _plugin("models", model.use, where(*here, "use"))
    _check_processes(study, name, where)
    if model.device == "cuda" and study.device_of(name) == "cpu":
        raise StudyError(
            f"{where(*here, 'device')}: {model.use!r} is no network and has no use for a GPU; leave it out"
        )
    if model.harmonise:
        _check_harmonise(study, name, where)
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
        _check_images(study, name, task, where)
        own = model.options_by_task.get(task, {})
        plugins.check_given("models", model.use, own, where(*here, "options_by_task", task))
        plugins.check_options("models", model.use, {**model.options, **own}, where(*here, "options"))


def _check_harmonise(study: Study, name: str, where: Where) -> None:
    """ComBat knows only the sites of training, and must not be told the outcome: that of tested people is not known."""
    told = study.models[name].harmonise
    assert told
    place = where("models", name, "harmonise")
    if (told.method == "reference") != bool(told.reference):
        raise StudyError(f"{place}: `method: reference` and `reference:`, a site, go together")
    for task in study.tasks:
        if name not in study.models_of(task):
            continue
        outcome = set(study.tasks[task].outcome.columns.values())
        if leaks := [column for column in told.keep if column in outcome]:
            raise StudyError(
                f"{place}: {leaks[0]!r} is the outcome of the task {task!r}; to keep it, ComBat would have to know it of the "
                "people who are tested (target leak); leave it out"
            )
        validation = study.validation_of(task)
        if (
            told.method == "combat"
            and validation
            and _plugin("splits", validation.split, place).literals.get("NEW_SITES")
        ):
            raise StudyError(
                f"{place}: in the task {task!r} the tested site was not in training, so ComBat has no estimates for it; use "
                "`method: reference` with a site that always trains, or leave `harmonise:` out"
            )


def _check_images(study: Study, name: str, task: str, where: Where) -> None:
    """A model of images is given one block of them and nothing else, a model of tables none."""
    blocks, images = study.blocks_of(name, task), _image_blocks(study, task, where)
    needs, use = plugins.describe("models", study.models[name].use or "")["NEEDS"], study.models[name].use
    place = where("models", name, "inputs") if study.models[name].inputs else where("models", name)
    tables = [block for block in blocks if block not in images]
    if "image" in needs and (tables or len(blocks) != 1):
        known = (
            f"say `inputs: [{images[0]}]`"
            if images
            else "give the task one, `image: [mri_t1w]`, and name it in `inputs:`"
        )
        raise StudyError(
            f"{place}: {use!r} reads one block of images, and the task {task!r} gives it {', '.join(blocks) or 'none'}; {known}"
        )
    if "table" in needs and (pictured := [block for block in blocks if block in images]):
        known = f"[{', '.join(tables)}]" if tables else "another block"
        raise StudyError(
            f"{place}: {use!r} reads tables, and the block {pictured[0]!r} of the task {task!r} holds images; name what it "
            f"is to read, `inputs: {known}`"
        )


def _image_blocks(study: Study, task: str, where: Where) -> list[str]:
    """Blocks of a task that hold images, which share a block with nothing else."""
    known, found = _columns(study, study.tasks[task].cohorts[0], where), []
    for block, wanted in study.tasks[task].inputs.items():
        columns = [column for pattern in wanted for column in _matches(pattern, known)]
        images = [column for column in columns if is_image(column)]
        if images and len(set(columns)) > 1:
            place = where("tasks", task, "inputs", block)
            raise StudyError(
                f"{place}: the block {block!r} holds images ({images[0]!r}) beside other columns; "
                f"give them a block of their own, `image: [{images[0]}]`"
            )
        found += [block] if images else []
    return found


def _check_processes(study: Study, name: str, where: Where) -> None:
    """Several processes share only what the training loop trains, and several nodes only jobs that ask SLURM for GPUs."""
    model = study.models[name]
    for key in ("devices", "nodes"):
        number, place = getattr(model, key), where("models", name, key)
        if number < 1:
            raise StudyError(f"{place}: {key} are counted from 1, not {number}; leave it out for one")
        if number > 1 and not reaches(f"triptych.models.{model.use}", "triptych.training"):
            raise StudyError(
                f"{place}: {model.use or name!r} is no network that several processes can train; leave it out"
            )
    if model.nodes > 1 and study.device_of(name) != "cuda":
        raise StudyError(
            f"{where('models', name, 'nodes')}: only a fit on GPUs is a SLURM job of its own, over several nodes; add "
            "`device: cuda`, or use `devices:` on one node"
        )


def _check_predictions(predictions: Predictions, where: Where) -> None:
    known = (
        "task",
        "model",
        "repeat",
        "fold",
        "cohort",
        "participant_id",
        "session_id",
        "site",
        "time",
        "event",
        "risk",
    )
    place = where("predictions", "columns")
    for column in predictions.columns:
        if column not in known:
            raise StudyError(f"{place}: predictions have no column {column!r}{did_you_mean(column, known)}")
    for column in ("model", "participant_id", "time", "event", "risk"):
        if column not in predictions.columns:
            raise StudyError(f"{place}: say which column of {predictions.file} holds {column!r}")
    try:
        able = re.compile(predictions.site_pattern or "()").groups > 0
    except re.error:
        able = False
    if not able:
        raise StudyError(
            f"{where('predictions', 'site_pattern')}: {predictions.site_pattern!r} is no regular expression with a group in "
            "parentheses; the first group is the site, say ^TCGA-(..)-"
        )


def _check_validation(study: Study, where: Where) -> None:
    if study.predictions:
        _check_predictions(study.predictions, where)
        if study.validation:
            raise StudyError(
                f"{where('validation')}: predictions made elsewhere bring their own folds; remove `validation:`"
            )
        return
    if not study.validation and not all(task.validation for task in study.tasks.values()):
        raise StudyError(f"{where()}: the key 'validation' is missing; say how the patients are split")
    for task in study.tasks:
        _check_split(study, task, where)


def _check_split(study: Study, task: str, where: Where) -> None:
    """The split of one task answers what the task claims, or says that it is wrong on purpose."""
    own = study.tasks[task].validation
    here = ("tasks", task, "validation") if own else ("validation",)
    validation = own or study.validation
    assert validation
    name, estimand = validation.split, study.estimand_of(task)
    split = _plugin("splits", name, where(*here, "split"))
    plugins.check_options("splits", name, validation.options, where(*here, "options"))
    if split.literals.get("LEAKS"):
        if not validation.wrong_on_purpose:
            raise StudyError(
                f"{where(*here, 'split')}: the split {name!r} leaks: one person is on both sides; use repeated_kfold, or "
                "say `wrong_on_purpose: true` to show what it does"
            )
    elif validation.wrong_on_purpose:
        raise StudyError(
            f"{where(*here, 'wrong_on_purpose')}: the split {name!r} does not leak, and the report would say that it does; "
            "remove it"
        )
    elif estimand not in split["ANSWERS"]:
        able = [s for s in plugins.names("splits") if estimand in plugins.describe("splits", s)["ANSWERS"]]
        raise StudyError(
            f"{where(*here, 'split')}: the split {name!r} cannot answer the estimand {estimand!r} "
            f"({ESTIMANDS[estimand]}); use {' or '.join(able)}"
        )
    for model in study.models_of(task):
        if study.job_of(model) == "fold" and split.literals.get("FOLDS_FROM_DATA"):
            raise StudyError(
                f"{where('models', model, 'job')}: the folds of the split {name!r} are known only when the data are read, so "
                "one job cannot be one fold; use `job: repeat`"
            )


def _check_protocols(study: Study, group: str, where: Where) -> None:
    """The tasks of a group of protocols exist, and the metric scores each of them."""
    here, asked = ("protocols", group), study.protocols[group]
    if study.predictions:
        raise StudyError(
            f"{where(*here)}: predictions made elsewhere have one protocol, their own; remove `protocols:`"
        )
    for task in asked.tasks:
        if task not in study.tasks:
            known = did_you_mean(task, study.tasks)
            raise StudyError(f"{where(*here, 'tasks', task)}: no task {task!r} in this study{known}")
        if asked.metric not in study.metrics_of(task):
            known = did_you_mean(asked.metric, study.metrics_of(task))
            raise StudyError(f"{where(*here, 'metric')}: the task {task!r} is not scored by {asked.metric!r}{known}")
