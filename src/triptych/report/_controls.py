"""The section of the negative controls: what must show nothing, and what every claim must be better than."""

import pandas as pd

from triptych.report import numbers
from triptych.report._view import (
    Body,
    Cell,
    Section,
    Table,
    by_metric,
    digits,
    heads,
    metric_name,
    missing,
    number,
    ready,
    sized,
)

ALPHA = 0.05
PERMUTED = ", outcomes permuted"
WHY = (
    "A control that knows only the hospital, age and sex, or how the data were acquired says how much of a score needs no "
    "biology. The same models were trained again with the outcomes exchanged between whole patients: whatever they then find is "
    "not there, so an interval that leaves out chance means that the protocol leaks."
)


def controls(table: pd.DataFrame, figures: list[dict]) -> Section:
    """Scores of the negative controls against chance, and the models against them."""
    title = "Negative controls"
    if table.empty:
        why = "no negative control applies: the study switches them off, or its cohorts have no such columns"
        return Section("controls", title, figures=figures, empty=why)
    scored = ready(table[table["record"] == "score"], "value")
    words, bodies = [WHY], []
    for part in by_metric(scored):
        known = part[part["null_value"].notna() & part["estimable"]]
        alarms = [row["model"] for row in known.to_dict("records") if _beyond(row)]
        leaks = [name for name in alarms if str(name).endswith(PERMUTED)]
        if leaks:
            words.append(
                f"{metric_name(part.iloc[0])}: {numbers.joined(leaks)} do better than chance: this protocol leaks."
            )
        bodies.append(
            Body([_control(row, digits(part["value"])) for row in part.to_dict("records")], metric_name(part.iloc[0]))
        )
    head = [Cell("Control"), Cell("Score (interval)", look="num"), Cell("Chance", look="num"), Cell("Reading")]
    tables = [Table("Scores of the negative controls", head, bodies)]
    pairs = table[table["record"] == "pair"]
    if len(pairs):
        tables.append(_against(ready(pairs, "difference")))
    return Section("controls", title, words, tables, figures)


def _beyond(row: dict) -> bool:
    """Whether the interval lies on the better side of chance."""
    if not all(numbers.finite(row[c]) for c in ("low", "high", "null_value")):
        return False
    return row["high"] < row["null_value"] if row["direction"] == "lower" else row["low"] > row["null_value"]


def _control(row: dict, places: int) -> list[Cell]:
    permuted = str(row["model"]).endswith(PERMUTED)
    if not row["estimable"]:
        return [Cell(row["model"]), missing(row["reason"]), Cell("–", look="num"), Cell("no reading")]
    written = numbers.estimate(row["value"], row["low"], row["high"], places)
    chance = (
        number(numbers.plain(row["null_value"]), row["null_value"])
        if numbers.known(row["null_value"])
        else Cell("–", look="num")
    )
    if not numbers.known(row["null_value"]):
        reading = Cell("no fixed value of chance; see the null models", look="quiet")
    elif _beyond(row):
        reading = Cell(
            "better than chance: this protocol leaks" if permuted else "tells the outcome on its own", look="strong"
        )
    else:
        reading = Cell("no better than chance, as it must be" if permuted else "no better than chance", look="quiet")
    return [Cell(row["model"]), number(written, row["value"], sized(row)), chance, reading]


def _against(pairs: pd.DataFrame) -> Table:
    bodies = []
    for part in by_metric(pairs):
        places = digits(part["difference"])
        bodies.append(Body([_pair(row, places) for row in part.to_dict("records")], metric_name(part.iloc[0])))
    head = [
        *heads("Model", "minus control"),
        Cell("Difference (interval)", look="num"),
        Cell("p after Holm", look="num"),
        Cell("Reading"),
    ]
    return Table("Models against the negative controls, on the same people", head, bodies)


def _pair(row: dict, places: int) -> list[Cell]:
    names = [Cell(row["model_a"]), Cell(row["model_b"])]
    if not row["estimable"]:
        return [*names, missing(row["reason"]), Cell("–", look="num"), Cell("no reading")]
    gain = row["difference"] * (-1 if row["direction"] == "lower" else 1)
    clear = numbers.finite(row["p_holm"]) and row["p_holm"] < ALPHA
    reading = (
        ("knows more than the control" if gain > 0 else "does worse than the control")
        if clear
        else "no evidence that it knows more"
    )
    written = numbers.estimate(row["difference"], row["low"], row["high"], places, signed=True)
    made = f"of {numbers.count(row['n_comparisons'], 'comparison')}"
    return [
        *names,
        number(written, row["difference"], sized(row)),
        number(numbers.p_value(row["p_holm"]), row["p_holm"], made),
        Cell(reading, look="strong" if clear else "quiet"),
    ]
