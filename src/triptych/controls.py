"""Negative controls: what must show nothing, fitted and scored beside the claim like any other model.

A study that was read is completed here: for each task, models of the role ``control`` that see only the site, only the
demographics, only how the data were acquired or, beside models of images, only what lies outside the brain; and every model again
with outcomes exchanged between whole patients.
"""

import fnmatch

from triptych import plugins, raw
from triptych.mri.columns import BACKGROUND, IMAGES
from triptych.study import Model, Study, Task

LABEL = {
    "site": "Site only",
    "demographics": "Demographics only",
    "acquisition": "Acquisition only",
    "background": "Background only",
}
USE = {"background": "voxel_svm"}  # of the others: control
DEMOGRAPHICS = ("age", "sex", "gender")


def complete(study: Study) -> Study:
    """The study with its negative controls as further models, and the blocks of columns that they read.

    Nothing is added to predictions made elsewhere, since nothing is fitted there.
    """
    if study.predictions:
        return study
    tasks, models = dict(study.tasks), dict(study.models)
    for name, task in study.tasks.items():
        blocks = {
            f"control-{what}": columns for what, columns in _columns(study, task).items() if what in study.controls
        }
        tasks[name] = task.model_copy(update={"inputs": {**task.inputs, **blocks}})
        for block in blocks:
            _add(models, block, _one_block(block), name)
        if "permuted" in study.controls:
            for model, entry in study.models_of(name).items():
                if entry.role == "model":
                    _add(models, f"permuted-{model}", _permuted(study, model), name)
    return study.model_copy(update={"tasks": tasks, "models": models})


def demographics(task: Task, columns: list[str]) -> list[str]:
    """The demographic columns of a task: those it names, else those called age, sex or gender."""
    if task.roles.demographics is not None:
        return task.roles.demographics
    taken = set(task.outcome.columns.values())
    return [c for c in columns if c.casefold() in DEMOGRAPHICS and c not in taken]


def _columns(study: Study, task: Task) -> dict[str, list[str]]:
    """Columns of each control that all cohorts of a task have; a control without columns is left out."""
    known = [raw.columns(cohort, study.cohorts[cohort], study.root) for cohort in task.cohorts]
    shared = [c for c in known[0] if all(c in columns for columns in known[1:])] if known else []
    found = {
        "site": [c for c in shared if c == "site"],
        "demographics": demographics(task, shared),
        "acquisition": task.roles.acquisition,
        "background": _background(task, shared),
    }
    return {what: columns for what, columns in found.items() if columns}


def _background(task: Task, shared: list[str]) -> list[str]:
    """What lies outside the brain, for a task that reads images and whose outcome a linear model of voxels can predict."""
    images = any(fnmatch.filter(IMAGES, column) for columns in task.inputs.values() for column in columns)
    able = task.kind in plugins.describe("models", USE["background"])["TASKS"]
    return [BACKGROUND] if images and able and BACKGROUND in shared else []


def _one_block(block: str) -> Model:
    what = block.removeprefix("control-")
    return Model(label=LABEL[what], use=USE.get(what, "control"), inputs=[block], role="control", job="model")


def _permuted(study: Study, model: str) -> Model:
    label = f"{study.models[model].label or model}, outcomes permuted"
    return study.models[model].model_copy(update={"label": label, "role": "control", "permuted": True})


def _add(models: dict[str, Model], name: str, model: Model, task: str) -> None:
    """Add a control for one task; that of several tasks is one model."""
    before = models[name].tasks if name in models else []
    models[name] = model.model_copy(update={"tasks": [*before, task]})
