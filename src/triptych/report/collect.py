"""Read what the stages wrote into one folder, as the page wants it."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from triptych import plugins, raw
from triptych.bids.verdict import BETWEEN
from triptych.report.page import Inputs, TaskInputs
from triptych.tables import FAILURES, read

MAP = (
    "How much a standard deviation of each voxel moves the output of the model, whichever way, in MNI space: mean over held-out "
    "people and fits, divided by the mean of all voxels. It shows where the model looks, not that what lies there is a cause; "
    "a model that is no better than chance looks somewhere, too."
)
SENTENCES = {
    "new-patients": "how these models do on new people from the known hospitals",
    "new-site": "how these models do at a hospital never seen in training",
    "procedure": "how this way of training does when it is done again on other data of this kind",
}


def collect(
    folder: Path,
    study: dict[str, Any],
    contents: dict[str, dict[str, list[str]]],
    overall: dict[str, list[str]],
    provenance: dict[str, Any],
) -> Inputs:
    """All inputs of the page.

    Parameters
    ----------
    folder
        Results of the study.
    study
        The study as plain values, with ``root``.
    contents
        Task: names of its ``tables`` and ``figures``, in their order.
    overall
        Names of the ``tables`` and ``figures`` of the study as a whole.
    """
    labels = {name: model["label"] or name for name, model in study["models"].items()}
    return Inputs(
        study=_study(study),
        tasks=[_task(folder, name, task, labels, **contents[name]) for name, task in study["tasks"].items()],
        cohorts=[_cohort(folder, name, entry, study["root"]) for name, entry in study["cohorts"].items()],
        failures=_failures(folder),
        notes=_notes(folder, list(study["cohorts"])),
        provenance=provenance,
        tables={name: read(folder / f"{name}.tsv") for name in overall["tables"]},
        figures=[_figure(folder / "figures", folder, name) for name in overall["figures"]],
    )


def _study(study: dict[str, Any]) -> dict[str, Any]:
    models = []
    for name, model in study["models"].items():
        kind = model["use"] or ("made elsewhere" if model["external"] else f"the column {model['column']!r} as it is")
        summary = plugins.describe("models", model["use"]).summary if model["use"] else kind
        models.append({**model, "name": name, "label": model["label"] or name, "model": kind, "summary": summary})
    return {
        **{key: study[key] for key in ("name", "title", "question", "estimand", "seed", "notes")},
        "claim": study["question"],
        "estimand_sentence": SENTENCES[study["estimand"]],
        "metrics": study["statistics"]["metrics"],
        "level": study["statistics"]["level"],
        "validation": _validation(study),
        "models": models,
        "published_citation": study["published"]["citation"] if study["published"] else "",
        "published_notes": study["published"]["notes"] if study["published"] else [],
    }


def _validation(study: dict[str, Any]) -> dict[str, str]:
    """How the patients of a study are split, in words."""
    if study["predictions"]:
        return {"scheme": "the folds of the file of predictions"}
    if not study["validation"]:
        return {"scheme": "each task has its own, said there"}
    options = {key: str(value) for key, value in study["validation"]["options"].items()}
    return {"scheme": plugins.describe("splits", study["validation"]["split"]).summary, **options}


def _own_protocol(task: dict[str, Any]) -> str:
    """What a task claims and how it is split, where it does not do as the study says."""
    told = [f"estimated is {SENTENCES[task['estimand']]}"] if task["estimand"] else []
    if task["validation"]:
        options = ", ".join(f"{key} {value}" for key, value in task["validation"]["options"].items())
        summary = plugins.describe("splits", task["validation"]["split"]).summary.rstrip(".")
        told.append(f"split: {summary}{f' ({options})' if options else ''}")
    return "".join(f"; {one}" for one in told)


def _task(
    folder: Path,
    name: str,
    task: dict[str, Any],
    labels: dict[str, str],
    tables: list[str],
    figures: list[str],
    maps: Sequence[str] = (),
) -> TaskInputs:
    here = folder / name
    drawn = [_figure(here / "figures", folder, figure) for figure in figures]
    return TaskInputs(
        name=name,
        title=task["title"],
        outcome_text=_outcome(task) + _own_protocol(task),
        cohorts=task["cohorts"],
        tables={table: read(here / "tables" / f"{table}.tsv") for table in tables},
        figures=[*drawn, *(_map(here / "maps", folder, model, labels[model]) for model in maps)],
        wrong_on_purpose=bool(task["validation"] and task["validation"]["wrong_on_purpose"]),
    )


def _outcome(task: dict[str, Any]) -> str:
    outcome = task["outcome"]
    if task["kind"] == "classification":
        positive = f"; positive: {outcome['positive']}" if outcome["positive"] is not None else ""
        return f"classification of the column {outcome['label']}{positive}"
    if task["kind"] == "regression":
        return f"regression of the column {outcome['value']}, in {outcome['unit']}"
    horizon = f"; time-dependent scores at {task['horizon']:g} {outcome['unit']}" if task["horizon"] else ""
    columns = [outcome[role] for role in ("time", "event") if outcome[role]]
    named = f" (columns {' and '.join(columns)})" if columns else ""
    return f"{task['kind']}, time in {outcome['unit']}{named}{horizon}"


def _figure(here: Path, folder: Path, name: str) -> dict[str, Any]:
    says = plugins.describe("figures", name)
    files = [str((here / f"{name}.{kind}").relative_to(folder)) for kind in ("svg", "pdf", "png", "tsv")]
    svg = (here / f"{name}.svg").read_text(encoding="utf-8")
    return {"name": name, "title": says["TITLE"], "caption": says["CAPTION"], "svg": svg, "files": files}


def _map(here: Path, folder: Path, model: str, label: str) -> dict[str, Any]:
    files = [str((here / f"{model}.{kind}").relative_to(folder)) for kind in ("svg", "pdf", "png", "tsv", "nii.gz")]
    svg = (here / f"{model}.svg").read_text(encoding="utf-8")
    return {"name": f"map-{model}", "title": f"Where it looks: {label}", "caption": MAP, "svg": svg, "files": files}


def _cohort(folder: Path, name: str, entry: dict[str, Any] | None, root: str | None) -> dict[str, Any]:
    people = read(folder / "cohorts" / name / "participants.parquet")
    own = "table" if entry and entry["table"] else "BIDS data set" if entry and entry["bids"] else None
    says = {} if own else plugins.describe("cohorts", name).literals
    found = raw.files(name, SimpleNamespace(**entry) if entry else None, Path(root) if root else None)
    files = [{"path": f, "bytes": path.stat().st_size, "sha256": raw.sha256(path)} for f, (path, _) in found.items()]
    facts = {"title": says.get("TITLE", name), "source": says.get("SOURCE", f"a {own} of the user's own")}
    facts |= {"licence": says.get("LICENCE", "not stated"), "citation": says.get("CITATION", "not stated")}
    return {"name": name, **facts, "n_patients": people["participant_id"].nunique(), "files": files}


def _failures(folder: Path) -> pd.DataFrame:
    parts = [read(path) for path in sorted([*folder.glob("cohorts/*/failures*.tsv"), *folder.glob("*/failures*.tsv")])]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=FAILURES)


def _notes(folder: Path, cohorts: list[str]) -> pd.DataFrame:
    """Cohort, scan and note of the scans that can be used: of those that the study chose, where they were preprocessed."""
    rows = []
    for cohort in cohorts:
        here = folder / "cohorts" / cohort
        for path in [path for path in (here / "quality.tsv", here / "bids_scans.tsv") if path.is_file()][:1]:
            scans = read(path)
            for scan in scans[scans["status"].isin(["ok", "warn"])].fillna("").itertuples():
                rows += [(cohort, scan.name, note) for note in str(scan.notes).split(BETWEEN)]
    return pd.DataFrame(rows, columns=["cohort", "scan", "note"])
