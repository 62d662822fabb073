"""The sections about predicted risks: whether they hold, and whether acting on them would help."""

import pandas as pd

from triptych.report import numbers
from triptych.report._view import Body, Cell, Section, Table, missing, number, one

SHOWN_THRESHOLDS = 0.1


def calibration(table: pd.DataFrame, figures: list[dict]) -> Section:
    """Measures of calibration with intervals, and predicted and observed risk per group."""
    if table.empty:
        return Section("calibration", "Calibration", figures=figures, empty="no prediction of risk")
    if table["predicted"].isna().all():
        why = one(table["reason"].drop_duplicates())
        return Section("calibration", "Calibration", empty=why or "no prediction of risk")
    when = numbers.moment(table["horizon"].iloc[0], table["time_unit"].iloc[0])
    measures, groups = (table[table["record"] == record] for record in ("measure", "group"))
    tables = [_measures(measures, when)] if len(measures) else []
    tables += [_groups(groups, when)] if len(groups) else []
    return Section("calibration", f"Calibration {when}".strip(), _told(measures), tables, figures)


def _told(measures: pd.DataFrame) -> list[str]:
    """What the measures rest on, and what was done to predictions of 0 and 1."""
    if measures.empty:
        return []
    repeats, methods = measures["repeats"].max(), one(measures["method"].dropna().drop_duplicates().head(1))
    level = numbers.per_cent(measures["level"].dropna().iloc[0]) if measures["level"].notna().any() else "given"
    counted = f"{_span(measures['n_units'], 'patient')}, {_span(measures['n_events'], 'patient')} with the event"
    words = f"{counted}; in brackets the {level} interval by patient ({methods or 'method not given'})."
    if repeats > 1:
        words += (
            f" Each measure is the mean over {numbers.count(repeats, 'repeat')}, in which the same patients come back."
        )
    moved = measures.drop_duplicates("model")
    moved = moved[moved["clipped"] > 0]
    if len(moved):
        listed = [f"{row['clipped']:.0f} of {row['model']}" for row in moved.to_dict("records")]
        words += f" Predictions of (nearly) 0 or 1 were moved inside for slope and intercept: {numbers.joined(listed)}."
    return [words]


def _span(column: pd.Series, noun: str) -> str:
    low, high = column.min(), column.max()
    return numbers.count(high, noun) if low == high or high != high else f"{low:.0f} to {numbers.count(high, noun)}"


def _measures(measures: pd.DataFrame, when: str) -> Table:
    names = list(dict.fromkeys(measures["measure"]))
    parts = {name: measures[measures["measure"] == name] for name in names}
    head = [Cell("Model"), *[Cell(str(parts[n]["label"].iloc[0]), sub=_ideal(parts[n]), look="num") for n in names]]
    rows = []
    for model in dict.fromkeys(measures["model"]):
        found = {name: part[part["model"] == model].to_dict("records") for name, part in parts.items()}
        rows.append([Cell(model), *[_measure(found[name], parts[name]) for name in names]])
    return Table(f"Measures of calibration {when}".strip(), head, [Body(rows)])


def _ideal(part: pd.DataFrame) -> str:
    """What a good value is."""
    if part["measure"].iloc[0] == "d_calibration":
        return "p of the test that predicted times are right"
    known = part[part["ideal"].notna()]
    if known.empty:
        return ""
    low, high = known["ideal"].min(), known["ideal"].max()
    places = 3 if low != round(low) else 0
    value = numbers.fixed(low, places) if high - low < 5e-4 else numbers.limits(low, high, places)
    return f"{one(known['ideal_is'])}: {value}"


def _measure(found: list[dict], part: pd.DataFrame) -> Cell:
    if not found:
        return Cell("not measured", look="missing")
    row = found[0]
    if not numbers.finite(row["value"]):
        return missing(row["reason"])
    bins = numbers.count(row["bins"], "bin") if numbers.finite(row["bins"]) else ""
    if row["measure"] == "d_calibration":
        return number(numbers.p_value(row["p"]), row["p"], bins)
    written = numbers.estimate(
        row["value"], row["low"], row["high"], 2 if row["measure"] not in ("brier", "ece") else 3
    )
    why = "" if numbers.known(row["low"]) else numbers.text(row["reason"])
    return number(written, row["value"], "; ".join(filter(None, (bins, why))))


def _groups(groups: pd.DataFrame, when: str) -> Table:
    bodies = []
    for model, part in groups.groupby("model", sort=False):
        rows = [_group(row) for row in part.sort_values("group").to_dict("records")]
        bodies.append(Body(rows, str(model)))
    what = f"risk {when}".strip()
    head = [Cell(n, look="num") for n in ("Group", "Rows", f"Predicted {what}", "Observed (interval)")]
    caption = what[:1].upper() + what[1:] + ", group by group"
    return Table(caption, head, bodies, folded=True, summary=f"Predicted and observed {what}, group by group")


def _group(row: dict) -> list[Cell]:
    seen = numbers.estimate(row["observed"], row["low"], row["high"], 2)
    observed = (
        number(seen, row["observed"])
        if numbers.known(row["observed"])
        else missing(numbers.text(row.get("reason"), "no one observed in this group"))
    )
    return [
        number(numbers.plain(row["group"]), row["group"]),
        number(numbers.count(row["n"], "row"), row["n"]),
        number(numbers.fixed(row["predicted"], 2), row["predicted"]),
        observed,
    ]


def decision(table: pd.DataFrame, figures: list[dict]) -> Section:
    """At which thresholds acting on a model does better than acting on everyone and on no one."""
    title = "Would acting on the model help?"
    if table.empty or table["threshold"].isna().all():
        why = one(table["reason"]) if len(table) else ""
        return Section("decision", title, empty=f"no net benefit ({why})" if why else "no net benefit")
    rows, known = [], table[table["benefit"].notna()]
    for model in dict.fromkeys(table["model"]):
        part = known[known["model"] == model]
        if part.empty:
            rows.append(
                [Cell(model), missing(one(table.loc[table["model"] == model, "reason"])), Cell("–", look="num")]
            )
            continue
        best = part.loc[part["gain"].idxmax()].to_dict() if part["gain"].notna().any() else {}
        rows.append([Cell(model), Cell(_useful(part)), _gain(best)])
    level = numbers.per_cent(known["level"].dropna().iloc[0]) if known["level"].notna().any() else "given"
    words = (
        f"The threshold is the risk from which one would act. Net benefit is in true positives per patient; the {level} "
        "interval of the gain holds at each threshold by itself, so the range in the table is no test of all of them."
    )
    head = [
        Cell("Model"),
        Cell("Thresholds with a gain", sub="over acting on everyone and on no one"),
        Cell("Largest gain (interval)", look="num"),
    ]
    tables = [Table("Where a model helps", head, [Body(rows)]), _benefits(known)]
    return Section("decision", title, [words], tables, figures)


def _useful(part: pd.DataFrame) -> str:
    """The runs of thresholds at which the interval of the gain lies above 0."""
    runs: list[list[float]] = []
    for row in part.sort_values("threshold").to_dict("records"):
        if not (numbers.finite(row["gain_low"]) and row["gain_low"] > 0):
            runs.append([])
        elif runs:
            runs[-1].append(row["threshold"])
        else:
            runs = [[row["threshold"]]]
    found = [numbers.limits(run[0], run[-1], 2) if len(run) > 1 else numbers.fixed(run[0], 2) for run in runs if run]
    if found:
        return numbers.joined(found)
    return "none" if part["gain_low"].notna().any() else "no interval"


def _gain(row: dict) -> Cell:
    if not numbers.finite(row.get("gain")):
        return Cell("–", look="num")
    written = numbers.estimate(row["gain"], row["gain_low"], row["gain_high"], 3, signed=True)
    return number(written, row["gain"], f"at {numbers.fixed(row['threshold'], 2)}, over acting on {row['default']}")


def _benefits(known: pd.DataFrame) -> Table:
    """Net benefits at tenths."""
    tenth = known["threshold"] / SHOWN_THRESHOLDS
    shown = known[(tenth - tenth.round()).abs() < 1e-6]
    bodies = []
    for model, part in shown.groupby("model", sort=False):
        rows = [
            [
                number(numbers.fixed(row["threshold"], 2), row["threshold"]),
                number(numbers.estimate(row["benefit"], row["low"], row["high"], 3), row["benefit"]),
                number(numbers.fixed(row["treat_all"], 3), row["treat_all"]),
                number(f"{100 * row['treated']:.0f}%" if numbers.finite(row["treated"]) else "–", row["treated"]),
            ]
            for row in part.to_dict("records")
        ]
        bodies.append(Body(rows, str(model)))
    head = [Cell(n, look="num") for n in ("Threshold", "By the model (interval)", "On everyone", "Share acted on")]
    return Table("Net benefit", head, bodies, folded=True, summary="Net benefits at thresholds of 0.1, 0.2, ...")
