"""Simulated tables of calibration, decision curves, variance components, planning, ranks and protocols."""

import numpy as np
import pandas as pd

from triptych.calibrating import CALIBRATION
from triptych.deciding import DECISION
from triptych.protocols import PROTOCOLS
from triptych.ranking import RANKS
from triptych.sizing import PLANNING
from triptych.varying import COMPONENTS

PATIENTS, EVENTS = 236, 104


def calibration(rng, task, names):
    rows = []
    for name in names:
        slope = rng.uniform(0.6, 1.2)
        head = {"task": task, "model": name, "horizon": 24.0, "time_unit": "months", "reason": np.nan}
        for group, predicted in enumerate((0.08, 0.17, 0.28, 0.41, 0.6), start=1):
            observed = float(np.clip(0.3 + slope * (predicted - 0.3) + rng.normal() * 0.03, 0.01, 0.95))
            limits = {"low": max(0.0, observed - 0.13), "high": min(1.0, observed + 0.14), "n": 47}
            rows.append(
                {**head, "record": "group", "group": group, "predicted": predicted, "observed": observed, **limits}
            )
        shared = {"record": "measure", "level": 0.95, "method": "influence function by patient", "unit": "patient",
                  "n": PATIENTS, "n_units": PATIENTS, "n_events": EVENTS, "repeats": 5, "clipped": 3}  # fmt: skip
        for measure, label, value, ideal, what in (
            ("brier", "Brier score", 0.19, 0.24, "the same risk for everyone"),
            ("slope", "Calibration slope", slope, 1.0, "a calibrated model"),
            ("ece", "Expected calibration error", 0.04, 0.031, "a calibrated model of as many patients, by chance"),
            ("d_calibration", "D-calibration", 11.2, np.nan, np.nan),
        ):
            facts = {"measure": measure, "label": label, "value": value, "ideal": ideal, "ideal_is": what}
            facts |= {"p": 0.26} if measure == "d_calibration" else {"low": value * 0.8, "high": value * 1.2}
            rows.append({**head, **shared, **facts, "bins": 10 if measure in ("ece", "d_calibration") else np.nan})
    return pd.DataFrame(rows, columns=["task", "time_unit", *CALIBRATION])


def decision(rng, task, names):
    rows = []
    for name in names:
        skill = rng.uniform(0.3, 0.9)
        for threshold in np.arange(0.02, 0.62, 0.02):
            treat_all = 0.44 - 0.56 * threshold / (1 - threshold)
            benefit = max(treat_all, 0) + 0.1 * skill * np.sin(np.pi * threshold / 0.62)
            gain = benefit - max(treat_all, 0)
            rows.append(
                {
                    "task": task, "time_unit": "months", "model": name, "horizon": 24.0, "threshold": threshold,
                    "benefit": benefit, "low": benefit - 0.06, "high": benefit + 0.06, "treat_all": treat_all,
                    "treat_all_low": treat_all - 0.05, "treat_all_high": treat_all + 0.05, "gain": gain,
                    "gain_low": gain - 0.03, "gain_high": gain + 0.03, "default": "all" if treat_all > 0 else "none",
                    "treated": 1 - threshold, "level": 0.95, "method": "influence function by patient",
                    "unit": "patient", "n_units": PATIENTS, "n_events": EVENTS, "reason": np.nan,
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["task", "time_unit", *DECISION])


def components(rng, task, names):
    parts = {
        ("predictions", "", "Right or wrong, each prediction"): {"patient": 120, "site": 4, "seed": 10, "fold": 50},
        ("folds", "harrell_c", "Harrell's C"): {"seed": 10, "fold": 50},
        ("sites", "harrell_c", "Harrell's C"): {"site": 4},
    }
    rows = []
    for (part, metric, label), factors in parts.items():
        head = {"task": task, "time_unit": "months", "part": part, "metric": metric, "label": label, "n": 500}
        head |= {"method": "REML; models held fixed"}
        shares = rng.dirichlet(np.ones(len(factors) + 1))
        enough = any(levels >= 5 for levels in factors.values())
        for (factor, levels), share in zip([*factors.items(), ("rest", np.nan)], shares, strict=True):
            row = {**head, "factor": factor, "levels": levels, "estimable": True, "reason": np.nan}
            if levels < 5:
                told = {"values": "Aachen: 0.61; Bern: 0.66", "estimable": False, "reason": "4 levels are too few"}
                rows.append({**row, **told})
            else:
                share = share if enough else np.nan
                rows.append({**row, "variance": 0.01, "sd": 0.1, "share": share})
    return pd.DataFrame(rows, columns=["task", "time_unit", *COMPONENTS])


def planning(rng, task, names):
    rows = []
    for name in names:
        for target, needed in ((0.05, 390), (0.02, 2419)):
            rows.append(
                {
                    "task": task, "time_unit": "months", "model": name, "role": "model", "metric": "harrell_c",
                    "label": "Harrell's C", "direction": "higher", "value": 0.62 + 0.05 * rng.random(), "level": 0.95,
                    "unit": "patient", "n_units": PATIENTS, "n_rows": 3 * PATIENTS, "n_events": EVENTS,
                    "rows_per_unit": 3.0, "icc": 0.4, "half_width": 0.062, "target": target, "needed": needed,
                    "needed_events": needed * 0.44, "needed_one_row": 2 * needed, "needed_many_rows": 0.8 * needed,
                    "method": "t over patients like these", "estimable": True, "reason": np.nan,
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["task", "time_unit", *PLANNING])


def ranks(rng, task, names):
    """Of the models and one null over five tasks; needs no task of its own."""
    listed, tasks = [*names, "Age and sex"], [f"task-{k}" for k in range(1, 6)]
    placed = np.array([rng.permutation(len(listed)) + 1.0 for _ in tasks])
    head = {"metric": "harrell_c", "label": "Harrell's C", "direction": "higher", "level": 0.95, "n_tasks": 5,
            "n_models": len(listed), "estimable": True, "reason": np.nan}  # fmt: skip
    roles = ["model"] * len(names) + ["null"]
    rows = [
        {**head, "record": "task", "task": name, "model": model, "role": role, "value": 0.6, "rank": rank}
        for name, ranks_ in zip(tasks, placed, strict=True)
        for model, role, rank in zip(listed, roles, ranks_, strict=True)
    ]
    mean = placed.mean(axis=0)
    rows += [
        {**head, "record": "mean", "model": listed[k], "role": roles[k], "rank": mean[k]} for k in np.argsort(mean)
    ]
    rows.append({**head, "record": "test", "test": "iman_davenport", "statistic": 3.1, "df1": 3, "df2": 12, "p": 0.02})
    rows.append({**head, "record": "critical", "critical_difference": 2.1, "method": "Nemenyi's critical difference"})
    return pd.DataFrame(rows, columns=RANKS)


def protocols(rng, task, names):
    """A scan split that leaks, a patient split and a site split; an error with a null of its own; needs no task of its own."""
    head = {"level": 0.95, "unit": "patient", "n_rows": 600, "method": "influence function by patient", "leaks": False,
            "value_unit": "", "coverage": "not measured", "estimable": True, "reason": np.nan, "at": np.nan,
            "time_unit": "years"}  # fmt: skip
    groups = {
        "diagnosis": ("AUC", "higher", 0.5, "no skill", ("scans split", "nothing"), ("people split", "people"),
                      ("hospital left out", "sites")),
        "age": ("Mean absolute error", "lower", 8.5, "Median age", ("mixed", "people"), ("hospital left out", "sites")),
    }  # fmt: skip
    rows = []
    for group, (label, direction, chance, of, *listed) in groups.items():
        own = {"group": group, "title": f"{group} of 200 people", "metric": group, "label": label, "chance": chance,
               "direction": direction, "chance_of": of}  # fmt: skip
        for words, apart in listed:
            for model in names:
                for outcomes, gain in (("true", 0.3), ("permuted", 0.25 if apart == "nothing" else 0.0)):
                    value = chance + gain * (1 if direction == "higher" else -8) + 0.02 * rng.random()
                    place = {"task": words, "protocol": words, "apart": apart, "model": model, "outcomes": outcomes}
                    limits = {"value": value, "low": value - 0.04, "high": value + 0.04, "n_units": 200}
                    rows.append({**head, **own, **place, **limits, "leaks": apart == "nothing"})
    return pd.DataFrame(rows, columns=PROTOCOLS)
