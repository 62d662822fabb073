"""What a run of a study is made of: the files of each stage and the values that each rule depends on.

The workflow's rules ask here instead of computing names themselves; nothing here knows of Snakemake, so all of it is tested as
plain functions.  Light imports only: a plan is made each time the workflow is parsed.
"""

import json
import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from triptych import plugins, raw, scans
from triptych.controls import demographics
from triptych.errors import DataError, StudyError
from triptych.precheck import precheck
from triptych.scans import Scan
from triptych.study import CohortEntry, Model, Predictions, Published, Study, Task
from triptych.study_file import read_with_places


@dataclass(frozen=True)
class Plan:
    """A checked study whose raw files are there.

    Attributes
    ----------
    clone
        Root of the project's clone.
    digests
        Cohort: digest of its raw files.
    """

    study: Study
    clone: Path
    digests: dict[str, str]

    @classmethod
    def of(cls, configfiles: list[Path], overrides: dict[str, Any], clone: Path) -> "Plan":
        """Read the study (the default one when no file is named), find its raw files, look at its data."""
        study, where = read_with_places(*configfiles or [clone / "config" / "config.yaml"], overrides=overrides)
        digests = {name: raw.digest(name, entry, study.root) for name, entry in study.cohorts.items()}
        plan = cls(study, clone, digests)
        # found now, so that a fault in them is told like any other
        _ = plan.predictions, plan.published, [plan.pretrained(task) for task in study.tasks]
        _ = [plan.all_scans(cohort) for cohort in plan.imaged]
        try:
            precheck(study, digests)
        except DataError as error:
            task = re.match(r"task '([\w-]+)'", str(error))
            raise DataError(f"{where('tasks', task[1])}: {error}" if task else str(error)) from None
        return plan

    # ---- files ----

    @property
    def out(self) -> Path:
        """Folder of all results of the study."""
        return Path("results") / self.study.name

    @property
    def root(self) -> str:
        """The data root as JSON text (``null`` when there is none)."""
        return json.dumps(str(self.study.root.resolve()) if self.study.root else None)

    @cached_property
    def predictions(self) -> tuple[str, str]:
        """Path and checksum of the file of predictions; empty without one."""
        return self._named(self.study.predictions)

    @cached_property
    def published(self) -> tuple[str, str]:
        """Path and checksum of the published table; empty without one."""
        return self._named(self.study.published)

    def figures(self, task: str) -> list[str]:
        """Figures of one task: those the study names, else all whose table is made."""
        wanted = self.study.statistics.figures or plugins.names("figures")
        return [name for name in wanted if plugins.describe("figures", name)["TABLE"] in self.study.tables_of(task)]

    @property
    def overall(self) -> dict[str, list[str]]:
        """Names of the tables and figures of the study as a whole, for the page."""
        wanted, made = self.study.statistics.figures or plugins.names("figures"), self.study.overall_tables
        return {"tables": made, "figures": [f for f in wanted if plugins.describe("figures", f)["TABLE"] in made]}

    @property
    def contents(self) -> dict[str, dict[str, list[str]]]:
        """Task: names of its tables and figures, for the page."""
        return {
            task: {
                "tables": self.study.tables_of(task),
                "figures": self.figures(task),
                **({"maps": maps} if (maps := self.maps(task)) else {}),
            }
            for task in self.study.tasks
        }

    def maps(self, task: str) -> list[str]:
        """Models of a task that show where in an image they look."""
        found = []
        for name, entry in self.models(task).items():
            known = plugins.describe("models", entry.use).options if entry.use else {}
            wanted = "maps" in known and self.study.options_of(name, task).get("maps", known["maps"].default)
            if wanted and entry.role != "control":
                found.append(name)
        return found

    @property
    def targets(self) -> list[Path]:
        """What a run ends with: the report; of a study without tasks, what its scans gave."""
        return [self.out / "report.html"] if self.study.tasks else self.prepared

    @property
    def report_inputs(self) -> list[Path]:
        """Every file that the page shows."""
        failures = ["failures.tsv"] if self.study.predictions else ["failures.tsv", "failures_fits.tsv", "fits.json"]
        files = [
            self.out / "cohorts" / c / name
            for c in self.study.cohorts
            for name in (
                "participants.parquet",
                "failures.tsv",
                *["failures_images.tsv"] * bool(self.images(c)),
                *["failures_scans.tsv", "quality.html", "quality.tsv"] * self.preprocessed(c),
                *["bids_scans.tsv"] * (c in self.imaged),
            )
        ]
        for task in self.study.tasks:
            files += [self.out / task / "tables" / f"{name}.tsv" for name in self.study.tables_of(task)]
            files += [self.out / task / "figures" / f"{name}.svg" for name in self.figures(task)]
            files += [self.out / task / "maps" / f"{name}.svg" for name in self.maps(task)]
            files += [self.out / task / name for name in failures]
        files += [self.out / f"{name}.tsv" for name in self.overall["tables"]]
        return files + [self.out / "figures" / f"{name}.svg" for name in self.overall["figures"]]

    @property
    def templates(self) -> list[str]:
        """Checksums of the page's template, style and script, which are no Python."""
        return [raw.sha256(path) for path in sorted((self.clone / "src" / "triptych" / "report").glob("page.[!p]*"))]

    @property
    def measured(self) -> str:
        """Checksum of the measured coverages, which are no Python."""
        return raw.sha256(self.clone / "src" / "triptych" / "coverage" / "measured.tsv")

    def cohort_files(self, task: str, name: str) -> list[Path]:
        """One file for each cohort of a task."""
        return [self.out / "cohorts" / cohort / name for cohort in self.study.tasks[task].cohorts]

    def images(self, cohort: str) -> list[str]:
        """Columns of a cohort that a task gives the role ``image``, sorted."""
        return sorted({c for task in self.study.tasks.values() if cohort in task.cohorts for c in task.roles.image})

    def image_patterns(self, cohort: str) -> dict[str, str]:
        """Column: path of its images, with ``{column}`` for what differs between rows."""
        return raw.image_patterns(cohort, self.study.cohorts[cohort], self.images(cohort))

    def image_digest(self, cohort: str) -> str:
        """Digest of the images of a cohort."""
        return raw.image_digest(cohort, self.study.cohorts[cohort], self.study.root, self.images(cohort))

    def source(self, cohort: str) -> str:
        """Where the participants of a cohort come from, for ``triptych.examples.read_cohort``, as JSON."""
        return json.dumps(source_of(self.study.cohorts[cohort]), sort_keys=True)

    # ---- scans ----

    def scans(self, cohort: str) -> list[Scan]:
        """Scans of a cohort that the study uses, in the order of their names; of repeated ones those that ``runs:`` asks for."""
        entry = self.study.cohorts[cohort]
        return scans.used(list(self.all_scans(cohort).values()), entry.runs if entry else "first")

    def all_scans(self, cohort: str) -> dict[str, Scan]:
        """Name: scan, for every scan of a cohort."""
        if cohort not in self._scans:
            found = scans.scans(cohort, self.study.cohorts[cohort], self.study.root)
            self._scans[cohort] = {scan.name: scan for scan in found}
        return self._scans[cohort]

    def scan_files(self, cohort: str, name: str) -> list[Path]:
        """One file for each scan of a cohort, used or not."""
        return [self.out / "cohorts" / cohort / "scans" / scan / name for scan in self.all_scans(cohort)]

    def scan_source(self, cohort: str) -> str:
        """Where the scans of a cohort are listed, for ``triptych.scans.named``, as JSON."""
        entry = self.study.cohorts[cohort]
        said = entry.model_dump(include={"table", "bids", "scans"}, exclude_none=True) if entry else {}
        return json.dumps(said, sort_keys=True)

    @property
    def imaged(self) -> list[str]:
        """Cohorts whose scans the study asks for."""
        return [
            name for name, entry in self.study.cohorts.items() if entry and (entry.bids or entry.scans or entry.mri)
        ]

    def preprocessed(self, cohort: str) -> bool:
        """Whether the scans of a cohort are preprocessed."""
        entry = self.study.cohorts[cohort]
        return bool(entry and entry.mri)

    def people_files(self, task: str) -> list[Path]:
        """Participants of each cohort of a task, with what their scans gave where these are preprocessed."""
        names = {True: "imaged.parquet", False: "participants.parquet"}
        return [self.out / "cohorts" / c / names[self.preprocessed(c)] for c in self.study.tasks[task].cohorts]

    def preprocessing(self, cohort: str) -> str:
        """Options of ``triptych.mri.chain`` for the scans of a cohort, as JSON."""
        entry = self.study.cohorts[cohort]
        said = entry.mri.model_dump(exclude={"outliers"}) if entry and entry.mri else {}
        return (
            json.dumps({**said, "atlas": said["atlas"] and str(self._near(said["atlas"]))}, sort_keys=True)
            if said
            else "{}"
        )

    def atlas_digest(self, cohort: str) -> str:
        """Checksum of the atlas that the study names for a cohort; empty without one."""
        entry = self.study.cohorts[cohort]
        return raw.sha256(self._near(entry.mri.atlas)) if entry and entry.mri and entry.mri.atlas else ""

    def used_scan_files(self, cohort: str, name: str) -> list[Path]:
        """One file for each scan of a cohort that the study uses."""
        return [self.out / "cohorts" / cohort / "scans" / scan.name / name for scan in self.scans(cohort)]

    @property
    def bids_files(self) -> list[Path]:
        """What is made of the scans of every cohort that has some.

        Raises
        ------
        StudyError
            When no cohort has scans.
        """
        if not self.imaged:
            raise StudyError(
                "no cohort of this study has scans; name the column that holds them, "
                "`cohorts: {mylab: {table: patients.csv, scans: t1w}}`, or a BIDS data set, `{bids: folder}` (docs/mri-raw.md)"
            )
        return [self.out / "cohorts" / cohort / "bids_scans.tsv" for cohort in self.imaged]

    @property
    def quality_pages(self) -> list[Path]:
        """A page for each cohort whose scans are preprocessed."""
        return [self.out / "cohorts" / cohort / "quality.html" for cohort in self.imaged if self.preprocessed(cohort)]

    @property
    def prepared(self) -> list[Path]:
        """What is made of scans without looking at any outcome; errors of ``bids_files``."""
        return [*self.bids_files, *self.quality_pages]

    def scan_lists(self, task: str) -> list[Path]:
        """What is said of every scan of a task's cohorts that have some; none for predictions made elsewhere."""
        if self.study.predictions:
            return []
        wanted = [cohort for cohort in self.study.tasks[task].cohorts if cohort in self.imaged]
        return [self.out / "cohorts" / cohort / "bids_scans.tsv" for cohort in wanted]

    def scan_digest(self, cohort: str, name: str) -> str:
        """Digest of the file or the DICOM folder of one scan; files are looked at together, folders one by one, as asked."""
        every = self.all_scans(cohort)
        if cohort not in self._digests:
            self._digests[cohort] = scans.digests([scan for scan in every.values() if not scan.source.is_dir()])
        if name not in self._digests[cohort]:
            self._digests[cohort] |= scans.digests([every[name]])
        return self._digests[cohort][name]

    @cached_property
    def _digests(self) -> dict[str, dict[str, str]]:
        return {}

    @cached_property
    def _scans(self) -> dict[str, dict[str, Scan]]:
        return {}

    def content_files(self, task: str) -> list[Path]:
        """What the images of a task's cohorts look like; none without images."""
        return self.cohort_files(task, "content.parquet") if self.study.tasks[task].roles.image else []

    def score_files(self, task: str, ending: str) -> list[Path]:
        """One file for each metric of a task."""
        return [self.out / task / "scores" / f"{metric}.{ending}" for metric in self.study.metrics_of(task)]

    # ---- fits ----

    def fits(self, task: str, ending: str) -> list[Path]:
        """Files of all fits of a task, in the order of the study."""
        return [path for name in self.models(task) for path in self.fits_of(name, task, ending)]

    def fits_of(self, model: str, task: str, ending: str) -> list[Path]:
        """Files of the fits of one model in a task."""
        return [self.out / task / "fits" / model / f"{batch}.{ending}" for batch in self.batches(model, task)]

    def batches(self, model: str, task: str) -> list[str]:
        """Jobs of one model in one task: one for all, a repeat each, or a fold each; a permuted control has one repeat."""
        job, permuted = self.study.job_of(model), self.study.models[model].permuted
        if job == "model" and not permuted:
            return ["all"]
        repeats = [f"repeat-{k}" for k in range(1 if permuted else self._of_split("repeats", task))]
        if job != "fold":
            return repeats
        return [f"{repeat}_fold-{k}" for repeat in repeats for k in range(self._of_split("folds", task))]

    def fit_words(self, task: str, model: str) -> str:
        """What a fit is told of its task and model, as words of a command; made once, since a plan asks for each fold."""
        if (task, model) not in self._fit_words:
            study, entry = self.study, self.study.models[model]
            told = {
                "inputs": study.blocks_of(model, task),
                "options": study.options_of(model, task),
                "horizon": self.task(task).horizon,
                "tolerate": study.tolerance.fits > 0 or entry.role == "control",
                "permuted": entry.permuted,
                **({"harmonise": entry.harmonise.model_dump()} if entry.harmonise else {}),
            }
            words = [f"--use {entry.use} --device {study.device_of(model)}"]
            words += [f"--{name} {shlex.quote(as_json(value))}" for name, value in told.items()]
            if entry.devices * entry.nodes > 1:
                words.append(f"--devices {entry.devices} --nodes {entry.nodes}")
            self._fit_words[task, model] = " ".join(words)
        return self._fit_words[task, model]

    @cached_property
    def _fit_words(self) -> dict[tuple[str, str], str]:
        return {}

    def _of_split(self, option: str, task: str) -> int:
        validation = self.study.validation_of(task)
        assert validation
        known = plugins.describe("splits", validation.split).options
        default = known[option].default if option in known else 1
        return validation.options.get(option, default)

    # ---- values ----

    def task(self, name: str) -> Task:
        """One task."""
        return self.study.tasks[name]

    def models(self, task: str) -> dict[str, Model]:
        """Models of one task, in the order of the study."""
        return self.study.models_of(task)

    def external(self, task: str) -> str:
        """Models made elsewhere, by their names in the file, as JSON."""
        return json.dumps({name: m.external for name, m in self.models(task).items() if m.external})

    def columns(self, task: str) -> str:
        """Models that are a column of the cohorts, as JSON."""
        return json.dumps({name: m.column for name, m in self.models(task).items() if m.column})

    @property
    def cohorts_by_task(self) -> str:
        """Task: names of its cohorts, in the order of the study, as JSON."""
        return json.dumps({name: task.cohorts for name, task in self.study.tasks.items()})

    @property
    def protocols(self) -> list[dict[str, Any]]:
        """What ``triptych.protocols`` is asked: one entry for each task of each group of protocols."""
        asked = []
        for group, entry in self.study.protocols.items():
            for task, words in entry.tasks.items():
                models, validation = self.models(task), self.study.validation_of(task)
                permuted = {name: models.get(f"permuted-{name}") for name, m in models.items() if m.role == "model"}
                labels = {models[name].label or name: again and again.label for name, again in permuted.items()}
                head = {"group": group, "title": entry.title, "metric": entry.metric, "task": task, "protocol": words}
                of_value = plugins.describe("metrics", entry.metric)["FAMILY"] == "mean"
                unit = self.task(task).outcome.unit if of_value and self.task(task).kind == "regression" else ""
                leaks = bool(validation and validation.wrong_on_purpose)
                asked.append({**head, "models": labels, "leaks": leaks, "value_unit": unit})
        return asked

    def published_names(self, task: str) -> str:
        """Model: its name in the published table, and its label here; as JSON."""
        return json.dumps(
            {name: [m.external or m.label or name, m.label or name] for name, m in self.models(task).items()}
        )

    def about(self, task: str) -> str:
        """What readers of a table must be told of a task, as JSON: labels instead of names."""
        models = {name: [m.label or name, m.role] for name, m in self.models(task).items()}
        return json.dumps({"task": task, "time_unit": self.task(task).outcome.unit, "models": models})

    def roles(self, task: str) -> str:
        """What columns of the cohorts stand for in one task, as JSON: role -> columns."""
        spec = self.task(task)
        visits = {"visit": spec.roles.visit, "label_visit": spec.outcome.visit}
        known = [raw.columns(cohort, self.study.cohorts[cohort], self.study.root) for cohort in spec.cohorts]
        shared = [c for c in known[0] if all(c in columns for columns in known[1:])] if known else []
        named = {"demographics": demographics(spec, shared), "acquisition": spec.roles.acquisition}
        named["quality"] = spec.roles.quality
        return json.dumps(named | {role: [column] if column else [] for role, column in visits.items()})

    def pretrained(self, task: str) -> dict[str, Path | None]:
        """Model: the table of the people that its weights were trained on; None when the study says that it is unknown."""
        said = {name: m.pretrained for name, m in self.models(task).items() if m.pretrained and not m.permuted}
        return {name: None if path == "unknown" else self._near(path) for name, path in said.items()}

    def _named(self, spec: Predictions | Published | None) -> tuple[str, str]:
        """A file that the study names, below the clone or below the data root."""
        if spec is None:
            return "", ""
        path = self._near(spec.file)
        found = raw.sha256(path)
        if spec.sha256 and found != spec.sha256:
            raise DataError(
                f"{path}: checksum does not match the study's (expected sha256 {spec.sha256}, found {found}); "
                "fetch the file again, or correct `sha256:`"
            )
        return str(path), found

    def _near(self, file: str) -> Path:
        """Path of a file below the clone or below the data root."""
        path = self.clone / file
        if path.is_file():
            return path
        if self.study.root is None:
            raise DataError(
                f"{file}: no such file in {self.clone}, and no data root is given; "
                "correct `file:`, or set `data_root:` or the variable TRIPTYCH_DATA"
            )
        return raw.locate(file, None, self.study.root)


def source_of(entry: CohortEntry | None) -> dict[str, str | None]:
    """What the study says about where a cohort comes from: the table, or the BIDS folder, and what its scans are."""
    return entry.model_dump(include={"table", "bids", "scans", "runs"}) if entry else {"table": None}


def as_json(value: Any) -> str:
    """A value of the study as text for a command line; sorted, so that the order of keys in the file reruns nothing."""
    return json.dumps(value.model_dump(mode="json") if hasattr(value, "model_dump") else value, sort_keys=True)


def batch_words(name: str) -> str:
    """Repeat and fold of a job's name as words of a command."""
    repeat, fold = batch(name)
    return f"--repeat {repeat} --fold {fold}"


def batch(name: str) -> tuple[int, int]:
    """Repeat and fold of a job's name; -1 means all of them."""
    if name == "all":
        return -1, -1
    repeat, _, fold = name.removeprefix("repeat-").partition("_fold-")
    return int(repeat), int(fold) if fold else -1
