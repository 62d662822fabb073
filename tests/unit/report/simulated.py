"""Tables of a study that never happened: what the figures and the page are drawn from in tests.

``study(n_tasks, n_models)`` gives the page's inputs; ``TABLES[name](rng, task, models)`` gives one table.
"""

import importlib
import io
import itertools

import matplotlib
import numpy as np
import pandas as pd
from simulated_measures import calibration, components, decision, planning, protocols, ranks

from triptych.figures import _style
from triptych.ledger import KINDS
from triptych.report.page import Inputs, TaskInputs

NAMES = [
    "Cox ridge (clinical)",
    "Random survival forest",
    "Attention MIL (Bilinear Pooling)",
    "MRI 3-D CNN",
    "RNA-seq elastic net",
    "Late fusion of three modalities",
    "Attention MIL (Gated, Multi-Head)",
    "Gradient boosting",
    "DeepSurv",
    "Early fusion with cross-attention",
    "Radiomics Cox",
    "Self-normalising network (genomic)",
]
NULLS = ["Age and sex", "Site only"]
METRICS = [
    ("harrell_c", "Harrell's C", np.nan, "higher", 0.5, 0.64, 0.035),
    ("integrated_brier", "Integrated Brier score", np.nan, "lower", 0.25, 0.19, 0.012),
    ("auc", "Time-dependent AUC", 24.0, "higher", 0.5, 0.68, 0.04),
]
PATIENTS, EVENTS = 236, 104


def models(n: int) -> list[str]:
    """The names of ``n`` simulated models."""
    return NAMES[:n]


def scores(rng, task, names):
    rows = []
    for metric, label, at, direction, null, centre, se in METRICS:
        for i, name in enumerate([*names, *NULLS]):
            role = "null" if name in NULLS else "model"
            shift = (0.05 if direction == "higher" else -0.025) * (rng.normal() if role == "model" else -1.2)
            value = centre + shift
            missing = i == 4 and metric == "auc"
            rows.append(
                {
                    "task": task, "model": name, "role": role, "metric": metric, "label": label, "at": at,
                    "time_unit": "months", "value": value, "low": value - 1.96 * se, "high": value + 1.96 * se,
                    "level": 0.95, "se": se, "method": "infinitesimal jackknife over patients", "unit": "patient",
                    "n_units": PATIENTS, "n_rows": PATIENTS * 5, "n_events": EVENTS, "df": np.nan,
                    "direction": direction, "null_value": null, "estimable": not missing, "reason": np.nan,
                }
            )  # fmt: skip
            if missing:
                rows[-1] |= {"value": np.nan, "low": np.nan, "high": np.nan, "se": np.nan}
                rows[-1]["reason"] = "no patient is still under observation at 24 months in 3 of 25 folds"
    return pd.DataFrame(rows)


def comparisons(rng, task, names):
    table = scores(rng, task, names)
    rows = []
    for (metric, label), part in table.groupby(["metric", "label"], sort=False):
        pairs = list(itertools.combinations(part.itertuples(), 2))
        for a, b in pairs:
            difference, se = a.value - b.value, a.se * 0.6
            p = float(np.exp(-0.717 * abs(difference / se) - 0.416 * (difference / se) ** 2))
            ok = a.estimable and b.estimable
            rows.append(
                {
                    "task": task, "metric": metric, "label": label, "at": a.at, "time_unit": "months",
                    "model_a": a.model, "model_b": b.model, "difference": difference, "low": difference - 1.96 * se,
                    "high": difference + 1.96 * se, "se": se, "statistic": difference / se, "df": np.nan, "p": p,
                    "p_holm": min(1.0, p * len(pairs) * 0.6), "n_comparisons": len(pairs),
                    "method": "paired z test on jackknife values per patient", "unit": "patient", "n_units": PATIENTS,
                    "direction": a.direction, "estimable": ok, "reason": np.nan if ok else "a score is missing",
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def spread(rng, task, names):
    rows = []
    for metric, label, at, _, _, centre, se in METRICS[:2]:
        for name in names:
            middle = centre + rng.normal() * se
            where = [("fold", f"repeat {r} fold {f}", 47, 21) for r in range(1, 6) for f in range(1, 6)]
            where += [("site", s, n, n // 2) for s, n in (("Aachen", 80), ("Bern", 60), ("Cork", 56), ("Delft", 40))]
            where += [("pooled", "all", PATIENTS, EVENTS)]
            for kind, level, n, events in where:
                value = middle + rng.normal() * se * (0 if kind == "pooled" else 1.6)
                rows.append((task, name, metric, label, at, kind, level, value, n, events, True, np.nan))
        rows[-2] = (*rows[-2][:7], np.nan, 40, 0, False, "no event at this site")
    columns = [
        "task", "model", "metric", "label", "at", "kind", "level", "value", "n", "n_events", "estimable", "reason",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).assign(role="model")


def controls(rng, task, names):
    """A control that knows something, permuted models that know nothing, and every model against the first."""
    made = scores(rng, task, ["Scanner only", *[f"{name}, outcomes permuted" for name in names]])
    made = made[~made["model"].isin(NULLS)].assign(record="score", role="control", estimable=True)
    nothing = made["model"].str.endswith("permuted")
    spans = {"value": made["null_value"], "low": made["null_value"] - 0.05, "high": made["null_value"] + 0.05}
    made = made.assign(**{c: v.where(nothing, made[c]) for c, v in spans.items()})
    pairs = comparisons(rng, task, names)
    pairs = pairs[pairs["model_b"] == "Site only"].assign(model_b="Scanner only", record="pair")
    return pd.concat([made, pairs], ignore_index=True)


def km_by_risk(rng, task, names):
    rows = []
    for name in names:
        for group, rate in (("low", 0.012 + 0.004 * rng.random()), ("high", 0.022 + 0.014 * rng.random())):
            times = np.sort(np.concatenate([[0.0], rng.uniform(0.5, 60, 40)]))
            survival = np.exp(-rate * times)
            half = 1.96 * np.sqrt(survival * (1 - survival) / 60)
            common = {"task": task, "model": name, "group": group, "time_unit": "months"}
            common["rule"] = "above or below the median predicted risk of the training patients"
            for t, s, h in zip(times, survival, half, strict=True):
                low, high = max(0.0, s - h), min(1.0, s + h)
                rows.append({**common, "record": "curve", "time": t, "survival": s, "low": low, "high": high})
            for t in (0, 12, 24, 36, 48, 60):
                n = int(118 * np.exp(-(rate + 0.015) * t))
                rows.append({**common, "record": "at_risk", "time": t, "n": n, "events": int(118 - n) // 2})
        test = {**common, "record": "test", "group": np.nan, "p": 10 ** rng.uniform(-5, 0)}
        rows.append(test)
    columns = [
        "task", "model", "record", "group", "time", "survival", "low", "high", "n", "events", "p", "time_unit", "rule",
    ]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=columns)


def flow(rng, task, names):
    rows = []
    for cohort, n in (("Northern glioma cohort", 180), ("TCIA-like phantom", 122)):
        rows.append((task, 1, cohort, "read", np.nan, n, np.nan))
        rows.append((task, 2, cohort, "excluded", "no follow-up recorded", 12, np.nan))
        rows.append((task, 3, cohort, "excluded", "no T1-weighted MRI before surgery", 15, 6))
        rows.append((task, 4, cohort, "kept", "with outcome and at least one modality", n - 27, n // 3))
        rows.append((task, 5, cohort, "excluded", "quarantined: the slide could not be read", 6, 2))
        rows.append((task, 6, cohort, "kept", "in the analysis", n - 33, n // 3 - 2))
    return pd.DataFrame(rows, columns=["task", "step", "cohort", "what", "reason", "n_patients", "n_events"])


def exclusion(rng, task, names):
    rows = [("all", "everyone", 236, 14, 0.059, 0.036, 0.097, 8, 6, 0, 0),
            ("class", "with event", 104, 9, 0.087, 0.046, 0.156, 6, 3, 0, 0),
            ("class", "without event", 132, 5, 0.038, 0.016, 0.086, 2, 3, 0, 0),
            ("site", "Northern glioma cohort/s1", 236, 14, 0.059, 0.036, 0.097, 8, 6, 0, 0)]  # fmt: skip
    columns = ["by", "group", "people", "left_out", "share", "low", "high", *KINDS]
    return pd.DataFrame(rows, columns=columns).assign(method="Wilson", task=task)


def published(rng, task, names):
    rows = []
    for statistic, label in (("harrell_c", "Harrell's C"), ("auc", "AUC at 24 months")):
        for name in names:
            value = round(rng.normal(0.67, 0.03), 3)
            ours = value + rng.normal() * 0.004
            rows.append(
                (task, name, statistic, label, value, value - 0.06, value + 0.06, np.nan, ours, ours - 0.061,
                 ours + 0.059, ours - value, "Table 2")
            )  # fmt: skip
    columns = (
        "task model statistic label published published_low published_high published_note ours ours_low ours_high "
        "difference source"
    )
    return pd.DataFrame(rows, columns=columns.split())


def audit(rng, task, names):
    rows = [
        ("same_patient", "identity", "pass", "", "", "no patient is in both parts of any of 25 splits", ""),
        ("duplicate_slides", "identity", "group", "TCIA-like phantom", "P017;P081",
         "two patients share a byte-identical slide", "kept together in every split"),
        ("site_confounding", "confounding", "warn", "", "", "site alone reaches C = 0.58 (0.52 to 0.64)",
         "site-only null added to the scores"),
        ("scanner_drift", "confounding", "not assessable", "Northern glioma cohort", "", "no scanner is recorded", ""),
        ("label_permutation", "negative control", "pass", "", "", "C = 0.50 (0.44 to 0.56) with shuffled outcomes", ""),
    ]  # fmt: skip
    columns = ["check", "leak_class", "severity", "cohort", "keys", "message", "action"]
    table = pd.DataFrame(rows, columns=columns).replace("", np.nan)
    table.insert(0, "task", task)
    return table


def coverage(rng, task, names):
    cells = itertools.product(("given-model", "cross-validation", "two-models"), (50, 200), ("harrell_c", "brier"))
    rows = [
        {"scenario": s, "n": n, "events": 0.3, "strength": 1.0, "visits": 0.0, "sites": 0, "sizes": "one", "metric": metric,
         "method": "paired-welch" if s == "two-models" else "influence-welch", "chosen": True,
         "share": 0.05 if s == "two-models" else 0.95 - 0.01 * rng.random(), "width": 0.1, "estimable": 1.0,
         "if_not_refused": np.nan, "refused": 0.0, "replicates": 1000}
        for s, n, metric in cells
    ]  # fmt: skip
    rows[0] |= {"estimable": 0.0, "if_not_refused": 0.88, "refused": 1.0, "share": np.nan}
    rows[1] |= {"share": 0.7}
    return pd.DataFrame(rows)


TABLES = {
    f.__name__: f
    for f in (scores, comparisons, controls, spread, km_by_risk, calibration, decision, components, planning, flow, published,
              exclusion, audit, coverage, ranks, protocols)
}  # fmt: skip


def failures():
    rows = [
        ("histology", "Northern glioma cohort", "P031", "", "WSI", "slides/P031.svs", np.nan,
         "", "truncated TIFF directory", "copy the file again and compare its checksum"),
        ("mri", "TCIA-like phantom", "P104", "ses-01", "T1w", "sub-P104/anat/T1w.nii.gz", np.nan,
         "", "header says 0 slices", "export the series again"),
        ("participants", "TCIA-like phantom", "P110", "", "", "participants.tsv", 47,
         "time", "time is negative (−3)", "correct the date of diagnosis"),
    ]  # fmt: skip
    columns = [
        "stage", "cohort", "participant_id", "session_id", "modality", "file", "row", "column", "reason", "advice",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).replace("", np.nan)


def tables(task: str, names: list[str], seed: int = 7) -> dict[str, pd.DataFrame]:
    """Every table of one task."""
    return {name: make(np.random.default_rng(seed), task, names) for name, make in TABLES.items()}


def studied(names: list[str]) -> dict:
    """What the page is told about the study itself."""
    listed = [
        {"name": f"m{i}", "label": name, "role": "null" if name in NULLS else "model", "model": "cox_ridge",
         "summary": "Cox regression with a ridge penalty.", "inputs": ["clinical", "mri"], "options": {"penalty": 0.1}}
        for i, name in enumerate([*names, *NULLS])
    ]  # fmt: skip
    return {
        "name": "glioma_os",
        "title": "Does imaging add to age and sex in predicting survival with glioma?",
        "question": "In adults with newly diagnosed glioma, do MRI, histology and RNA-seq predict overall survival?",
        "claim": "Imaging and molecular data together rank patients by risk of death better than age and sex do.",
        "estimand": "discrimination",
        "estimand_sentence": "The expected concordance of predicted risk with time to death in a new patient from "
        "the same sites, for a model trained on four fifths of these patients.",
        "description": "A simulated study of 236 adults at four sites.",
        "metrics": [m[0] for m in METRICS], "level": 0.95, "seed": 20260101,
        "validation": {"scheme": "5 times repeated 5-fold cross-validation", "grouping": "by patient",
                       "strata": "site and event"},
        "models": listed,
        "notes": ["Hyperparameters were fixed before any outcome was seen."],
    }  # fmt: skip


def cohorts() -> list[dict]:
    return [
        {"name": "northern", "title": "Northern glioma cohort", "source": "https://example.org/northern",
         "licence": "CC BY 4.0", "citation": "Doe J. et al. A cohort. J. Cohorts 2020.", "n_patients": 180,
         "files": [{"path": "participants.tsv", "bytes": 18231, "sha256": "ab" * 32}]},
        {"name": "phantom", "title": "TCIA-like phantom", "source": "simulated", "licence": "CC0", "n_patients": 122,
         "citation": "Simulated here.", "files": [{"path": "x.parquet", "bytes": 2**21, "sha256": "cd" * 32}]},
    ]  # fmt: skip


def provenance() -> dict:
    return {
        "versions": {"triptych": "0.1.0", "numpy": "2.4.5", "pandas": "2.3.3", "scikit-survival": "0.28.0"},
        "python": "3.11.2", "platform": "Linux x86_64", "seed": 20260101, "data_root": "data",
        "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": True, "branch": "main"},
        "command": "snakemake --configfile config/studies/glioma.yaml --cores 2",
    }  # fmt: skip


def drawn(tables: dict[str, pd.DataFrame], names: list[str]) -> list[dict]:
    """The named figures as the page takes them, drawn from the tables."""
    listed = []
    for name in names:
        figure = importlib.import_module(f"triptych.figures.{name}")
        text = io.StringIO()
        with matplotlib.rc_context(_style.STYLE):
            figure.draw(tables[figure.TABLE]).savefig(text, format="svg")
        entry = {"name": name, "title": figure.TITLE, "caption": figure.CAPTION, "svg": text.getvalue()}
        listed.append(entry | {"files": [f"figures/{name}.pdf", f"figures/{name}.png", f"tables/{figure.TABLE}.tsv"]})
    return listed


FIGURES = ["forest", "paired", "km_by_risk", "calibration", "decision", "components", "spread", "flow", "published"]


def study(n_tasks: int, n_models: int, figures: list[str] = FIGURES) -> Inputs:
    """A whole study: ``n_tasks`` tasks of ``n_models`` models and two nulls each."""
    names = models(n_models)
    tasks = []
    for i in range(n_tasks):
        task = f"os_{i + 1}"
        made = tables(task, names, seed=7 + i)
        title = "Overall survival" + (f", fold {i + 1} of the cohort" if n_tasks > 1 else "")
        outcome = "Time from diagnosis to death from any cause, in months"
        where = ["Northern glioma cohort", "TCIA-like phantom"]
        tasks.append(TaskInputs(task, title, outcome, where, made, drawn(made, figures)))
    overall = {"ranks": ranks(np.random.default_rng(7), "", names)} if n_tasks > 1 else {}
    return Inputs(studied(names), tasks, cohorts(), failures(), provenance(), overall)
