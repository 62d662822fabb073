"""Read what the stages wrote into one folder, as the page wants it."""

from pathlib import Path
from typing import Any

import pandas as pd

from triptych import plugins, raw, tables
from triptych.report.page import Inputs, TaskInputs

TABLES = ("flow", "audit", "scores", "comparisons", "spread", "km_by_risk", "calibration", "published")
SENTENCES = {
    "new-patients": "how these models do on new people from the known hospitals",
    "new-site": "how these models do at a hospital never seen in training",
    "procedure": "how this way of training does when it is done again on other data of this kind",
}


def collect(folder: Path, study: dict[str, Any], figures: list[str], provenance: dict[str, Any]) -> Inputs:
    """All inputs of the page.

    Parameters
    ----------
    folder
        Results of the study.
    study
        The study as plain values, with ``root``.
    figures
        Names of the figures of each task, in their order.
    """
    return Inputs(
        study=_study(study),
        tasks=[_task(folder, name, task, figures) for name, task in study["tasks"].items()],
        cohorts=[_cohort(folder, name, entry, study["root"]) for name, entry in study["cohorts"].items()],
        failures=_failures(folder),
        provenance=provenance,
    )


def _study(study: dict[str, Any]) -> dict[str, Any]:
    models = []
    for name, model in study["models"].items():
        kind = model["use"] or ("made elsewhere" if model["external"] else f"the column {model['column']!r} as it is")
        summary = plugins.describe("models", model["use"]).summary if model["use"] else kind
        models.append({**model, "name": name, "label": model["label"] or name, "model": kind, "summary": summary})
    validation = study["validation"] or {"split": "folds of the predictions", "options": {}}
    scheme = (
        plugins.describe("splits", validation["split"]).summary
        if study["validation"]
        else "the folds of the file of predictions"
    )
    return {
        **{key: study[key] for key in ("name", "title", "question", "estimand", "seed", "notes")},
        "claim": study["question"],
        "estimand_sentence": SENTENCES[study["estimand"]],
        "metrics": study["statistics"]["metrics"],
        "level": study["statistics"]["level"],
        "validation": {"scheme": scheme, **{key: str(value) for key, value in validation["options"].items()}},
        "models": models,
        "published_citation": study["published"]["citation"] if study["published"] else "",
        "published_notes": study["published"]["notes"] if study["published"] else [],
    }


def _task(folder: Path, name: str, task: dict[str, Any], figures: list[str]) -> TaskInputs:
    here = folder / name
    known = {t: tables.read(here / "tables" / f"{t}.tsv") for t in TABLES if (here / "tables" / f"{t}.tsv").exists()}
    return TaskInputs(
        name=name,
        title=task["title"],
        outcome_text=_outcome(task),
        cohorts=task["cohorts"],
        tables=known,
        figures=[_figure(here / "figures", folder, figure) for figure in figures],
    )


def _outcome(task: dict[str, Any]) -> str:
    horizon = f"; time-dependent scores at {task['horizon']:g} {task['outcome']['unit']}" if task["horizon"] else ""
    columns = [task["outcome"][role] for role in ("time", "event") if task["outcome"][role]]
    named = f" (columns {' and '.join(columns)})" if columns else ""
    return f"{task['kind']}, time in {task['outcome']['unit']}{named}{horizon}"


def _figure(here: Path, folder: Path, name: str) -> dict[str, Any]:
    says = plugins.describe("figures", name)
    files = [str((here / f"{name}.{kind}").relative_to(folder)) for kind in ("svg", "pdf", "png", "tsv")]
    svg = (here / f"{name}.svg").read_text(encoding="utf-8")
    return {"name": name, "title": says["TITLE"], "caption": says["CAPTION"], "svg": svg, "files": files}


def _cohort(folder: Path, name: str, entry: dict[str, Any] | None, root: str | None) -> dict[str, Any]:
    people = tables.read(folder / "cohorts" / name / "participants.parquet")
    says = {} if entry and entry["table"] else plugins.describe("cohorts", name).literals
    table = type("Entry", (), {"table": entry["table"]}) if entry else None
    files = [
        {"path": file, "bytes": path.stat().st_size, "sha256": raw.sha256(path)}
        for file, (path, _) in raw.files(name, table, Path(root) if root else None).items()
    ]
    facts = {"title": says.get("TITLE", name), "source": says.get("SOURCE", "a table of the user's own")}
    facts |= {"licence": says.get("LICENCE", "not stated"), "citation": says.get("CITATION", "not stated")}
    return {"name": name, **facts, "n_patients": people["participant_id"].nunique(), "files": files}


def _failures(folder: Path) -> pd.DataFrame:
    parts = [
        tables.read(path) for path in sorted([*folder.glob("cohorts/*/failures.tsv"), *folder.glob("*/failures*.tsv")])
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=tables.FAILURES)
