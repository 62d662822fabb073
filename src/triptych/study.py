"""A study as typed objects.

A study says what is claimed and how it will be judged.  ``study_file.read`` makes one from YAML; ``study_checks`` holds what
types alone cannot say.  All three run each time the workflow is parsed, so they import neither pandas nor torch.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
TABLES = ("flow", "audit", "scores", "comparisons", "spread", "km_by_risk")
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
    job: Literal["model", "repeat", "fold"] | None = Field(
        None, description="what one job fits, when it is not what the study says for all models"
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
    job: Literal["model", "repeat", "fold"] = Field(
        "repeat", description="what one job fits: all folds and repeats of a model, all folds of a repeat, or one fold"
    )
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

    def job_of(self, model: str) -> str:
        """What one job of a model fits."""
        return self.models[model].job or self.job

    def blocks_of(self, model: str, task: str) -> list[str]:
        """Blocks of inputs that a model sees in one task."""
        return self.models[model].inputs or list(self.tasks[task].inputs)

    @property
    def tables(self) -> list[str]:
        """Tables of statistics that each task gets."""
        calibration = [] if self.predictions else ["calibration"]
        return [*TABLES, *calibration, *(["published"] if self.published else [])]

    @property
    def root(self) -> Path | None:
        """The data root: the study's, else the environment's, else none."""
        root = self.data_root or os.environ.get("TRIPTYCH_DATA")
        return Path(root).expanduser() if root else None
