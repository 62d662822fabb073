"""A study as typed objects.

A study says what is claimed and how it will be judged.  ``study_file.read`` makes one from YAML; ``study_checks`` holds what
types alone cannot say.  All three run each time the workflow is parsed, so they import neither pandas nor torch.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from triptych import plugins
from triptych.fingerprint import reaches

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
ALL = ("survival", "classification", "regression", "segmentation")
TABLES = {  # tables of statistics, and the kinds of tasks that have them
    "flow": ALL,
    "exclusion": ALL,
    "audit": ALL,
    "scores": ALL,
    "comparisons": ALL,
    "controls": ALL,
    "spread": ALL,
    "km_by_risk": ("survival",),
    "calibration": ("survival", "classification"),
    "decision": ("survival", "classification"),
    "components": ALL,
    "planning": ALL,
}
NOT_ELSEWHERE = (
    "exclusion",
    "controls",
    "calibration",
    "decision",
)  # predictions made elsewhere bring no controls, no probabilities, and nobody who was left out
Estimand = Literal["new-patients", "new-site", "procedure"]
Control = Literal["permuted", "site", "demographics", "acquisition", "background"]
ESTIMANDS = {
    "new-patients": "these models, on new people from the known hospitals",
    "new-site": "these models, at a hospital never seen in training",
    "procedure": "training again on other data of this kind",
}


class _Closed(BaseModel):
    """A mapping in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Mri(_Closed):
    """How the T1-weighted scans of a cohort are preprocessed (docs/mri-preprocessing.md)."""

    resolution: Literal[1, 2, 4] = Field(2, description="voxel size of what models read, mm")
    skull: Literal["auto", "present", "stripped"] = Field(
        "auto", description="whether the skull is in the scans; auto looks at each scan"
    )
    atlas: str | None = Field(
        None, description="NIfTI file of region labels in MNI space, instead of regions made from the template"
    )
    regions: int = Field(100, ge=2, le=400, multiple_of=2, description="number of regions of grey matter, half a side")
    dice: float = Field(
        0.85,
        ge=0,
        le=1,
        description="least overlap of the registered brain with the template's; less is a failed registration",
    )
    outliers: float | None = Field(
        None,
        gt=0,
        description="robust distance of the quality measures from which a scan is not used; none when nothing is said",
    )


class CohortEntry(_Closed):
    """Where a cohort comes from: a plug-in of that name (nothing to say), a table of your own, or a BIDS data set."""

    table: str | None = Field(
        None, description="CSV or TSV with one row per patient (or per session) and a participant_id"
    )
    bids: str | None = Field(None, description="folder of a BIDS data set, here or below the data root; read in place")
    scans: str | None = Field(
        None,
        description="column with a T1-weighted scan per row: a .nii or .nii.gz file, or a folder or an archive (.zip, .tar, "
        ".tar.gz, .tgz) of DICOM files; beside the table or below the data root. They become a BIDS data set. t1w when "
        "nothing is said and scans are needed",
    )
    runs: Literal["first", "last", "best", "all"] = Field(
        "first",
        description="which scan of a session is used when it was repeated; best: by contrast to noise, needs mri",
    )
    mri: Mri | None = Field(None, description="preprocess the scans; the cohort then has the columns mri_*")


class Outcome(_Closed):
    """Which columns hold the outcome: ``time`` and ``event``, or ``label``, or ``value``, by the kind of the task."""

    time: str | None = Field(None, description="survival: column with the time to event or censoring")
    event: str | None = Field(None, description="survival: column that tells events from censored times")
    event_value: str | int | bool | None = Field(None, description="value of the event column that means: it happened")
    label: str | None = Field(None, description="classification: column with the class")
    positive: str | int | bool | None = Field(None, description="classification: the class that is looked for")
    value: str | None = Field(None, description="regression: column with the number to predict")
    unit: str = Field("days", description="unit of the time column, or of the number to predict")
    visit: str | None = Field(None, description="column with the date, age or session at which the outcome was found")

    @property
    def columns(self) -> dict[str, str]:
        """Role: column, for the columns that hold the outcome itself."""
        roles = {role: getattr(self, role) for role in ("time", "event", "label", "value")}
        return {role: column for role, column in roles.items() if column}


class Roles(_Closed):
    """What some columns stand for: negative controls and audits read them."""

    demographics: list[str] | None = Field(
        None, description="columns such as age and sex; those named age, sex or gender when nothing is said"
    )
    acquisition: list[str] = Field([], description="how the data were acquired: scanner, field strength, voxel size")
    quality: list[str] = Field([], description="measures of quality")
    visit: str | None = Field(None, description="column with the date, age or session at which the inputs were taken")
    image: list[str] = Field(
        [],
        description="columns with paths of image files, beside the table or below the data root: compared by an audit",
    )


class Validation(_Closed):
    """How the patients are split."""

    split: str
    options: dict[str, Any] = {}
    wrong_on_purpose: bool = Field(
        False, description="allows a split that leaks, to show what it does; the report says so beside every number"
    )


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
    roles: Roles = Roles()
    exclude: dict[str, Annotated[list[str | int | float | bool], Field(min_length=1)]] = Field(
        {}, description="column: values; such rows are left out before anything looks at the outcome"
    )
    sessions: Literal["all", "baseline"] = Field(
        "all", description="baseline: of each person the first session only, after `exclude:`"
    )
    estimand: Estimand | None = Field(None, description="when this task asks for another one than the study")
    validation: Validation | None = Field(None, description="when this task is split in another way than the study")


class Harmonise(_Closed):
    """ComBat between the sites of the training rows, before a model sees the numbers of its inputs."""

    method: Literal["combat", "reference"] = Field(
        "combat",
        description="reference: also for sites that training never saw, by their own rows without their outcome",
    )
    reference: str | None = Field(None, description="site that stays as it is, and to which the others are brought")
    keep: list[str] = Field([], description="columns of the inputs whose part of the differences is not taken away")


class Model(_Closed):
    """One competitor: a plug-in that is fitted, a column used as it is, or predictions made elsewhere."""

    label: str | None = None
    use: str | None = Field(None, description="model plug-in")
    column: str | None = Field(None, description="column of the cohorts used as risk as it is, nothing fitted")
    external: str | None = Field(None, description="name of the model in the file of predictions")
    role: Literal["model", "null", "control"] = Field(
        "model", description="null: what every claim must beat; control: what must show nothing"
    )
    inputs: list[str] = Field([], description="blocks of inputs; all of them when empty")
    options: dict[str, Any] = {}
    options_by_task: dict[str, dict[str, Any]] = {}
    permuted: bool = Field(
        False,
        description="outcomes are exchanged between whole patients first: a negative control that must find nothing",
    )
    harmonise: Harmonise | None = None
    pretrained: str | None = Field(
        None, description="table of the people whose data trained the weights it starts from, or the word: unknown"
    )
    tasks: list[str] = Field([], description="only these tasks; all when empty")
    device: Literal["cpu", "cuda", "auto"] | None = Field(
        None, description="where it is fitted, when it is not what the study says for all models"
    )
    devices: int = Field(1, strict=True, description="GPUs, or processes on CPUs, that share one fit on each node")
    nodes: int = Field(1, strict=True, description="nodes of a SLURM cluster that share one fit; needs device: cuda")
    job: Literal["model", "repeat", "fold"] | None = Field(
        None, description="what one job fits, when it is not what the study says for all models"
    )


class Statistics(_Closed):
    """What is estimated."""

    metrics: list[str] = []
    level: float = Field(0.95, gt=0.5, lt=1)
    risk_groups: Literal["fold-median", "pooled-median"] = Field(
        "fold-median", description="how Kaplan-Meier groups are made"
    )
    figures: list[str] = Field([], description="figures of the report; all that apply when empty")
    intervals: dict[str, str] = Field({}, description="metric: method of its interval, instead of the rule's choice")
    tests: dict[str, str] = Field({}, description="metric: paired test, instead of the rule's choice")
    margins: dict[str, float] = Field({}, description="metric: largest difference that still counts as equal")


class Protocols(_Closed):
    """Tasks that ask one question of the same people under different protocols, to be shown side by side."""

    title: str
    metric: str = Field(description="one of the study's metrics, that scores all of these tasks")
    tasks: dict[str, str] = Field(
        min_length=2, description="task: the protocol in a few words; in the order of the figure"
    )


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
    estimand: Estimand | None = Field(None, description="what the claims are about")
    cohorts: dict[Name, CohortEntry | None] = {}
    tasks: dict[Name, Task] = Field({}, description="questions; a study without any prepares the scans of its cohorts")
    models: dict[Name, Model] = {}
    validation: Validation | None = None
    predictions: Predictions | None = None
    published: Published | None = None
    statistics: Statistics = Statistics()
    protocols: dict[Name, Protocols] = Field(
        {}, description="groups of tasks that are one question under several protocols, for one figure"
    )
    audit: dict[str, Literal["stop", "warn", "off"]] = Field({}, description="lowers or raises what a finding does")
    controls: list[Control] = Field(
        ["permuted", "site", "demographics", "acquisition", "background"],
        description="negative controls; those that apply are run",
    )
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

    def metrics_of(self, task: str) -> list[str]:
        """Metrics of the study that can score one task."""
        kind = self.tasks[task].kind
        return [m for m in self.statistics.metrics if kind in plugins.describe("metrics", m)["TASKS"]]

    def estimand_of(self, task: str) -> str:
        """What a task claims."""
        found = self.tasks[task].estimand or self.estimand
        assert found, "checked when the study was read"
        return found

    def validation_of(self, task: str) -> Validation | None:
        """How a task is split; None for predictions made elsewhere."""
        return self.tasks[task].validation or self.validation

    def options_of(self, model: str, task: str) -> dict[str, Any]:
        """Options of a model in one task."""
        entry = self.models[model]
        return {**entry.options, **entry.options_by_task.get(task, {})}

    def job_of(self, model: str) -> str:
        """What one job of a model fits."""
        return self.models[model].job or self.job

    def device_of(self, model: str) -> str:
        """Where a model is fitted; models that are no networks know only the CPU."""
        entry = self.models[model]
        if not entry.use or not reaches(f"triptych.models.{entry.use}", "torch"):
            return "cpu"
        return entry.device or self.device

    def blocks_of(self, model: str, task: str) -> list[str]:
        """Blocks of inputs that a model sees in one task; those of negative controls only when they are named."""
        return self.models[model].inputs or [b for b in self.tasks[task].inputs if not b.startswith("control-")]

    @property
    def tables(self) -> list[str]:
        """Tables of statistics of any task."""
        return list(dict.fromkeys(table for task in self.tasks for table in self.tables_of(task)))

    def tables_of(self, task: str) -> list[str]:
        """Tables of statistics that one task gets."""
        kind = self.tasks[task].kind
        made = [t for t, kinds in TABLES.items() if kind in kinds and not (self.predictions and t in NOT_ELSEWHERE)]
        return [*made, *(["published"] if self.published else [])]

    @property
    def overall_tables(self) -> list[str]:
        """Tables of the study as a whole."""
        return [*(["protocols"] if self.protocols else []), *(["ranks"] if len(self.tasks) > 1 else [])]

    @property
    def root(self) -> Path | None:
        """The data root: the study's, else the environment's, else none."""
        root = self.data_root or os.environ.get("TRIPTYCH_DATA")
        return Path(root).expanduser() if root else None
