"""The section that puts wrong and right protocols side by side."""

import pandas as pd

from triptych.report import numbers
from triptych.report._view import Body, Cell, Section, Table, digits, heads, missing, number, sized

APART = {
    "nothing": "nothing: rows of one person are in training and in test",
    "people": "people",
    "sites": "people and sites",
}
LEAKS = "Leaks on purpose, to show what that does: no number of this row says anything about new people."


def protocols(table: pd.DataFrame, figures: list[dict]) -> Section:
    """One question under several protocols, with true and with permuted outcomes."""
    title = "The same data under several protocols"
    if table.empty:
        return Section("protocols", title, figures=figures, empty="no task was asked for under several protocols")
    table = table.assign(estimable=numbers.flags(table["estimable"]) & table["value"].notna())
    level = numbers.per_cent(table["level"].dropna().iloc[0]) if table["level"].notna().any() else "given"
    words = [
        "Each group is one question, asked of the same data by the same model; only the split differs. Permuted outcomes were "
        "exchanged between whole people, within their site where it is known: a score on them that is better than no skill "
        "comes from the protocol and not from the outcome."
    ]
    leaking = table[numbers.flags(table["leaks"])]["protocol"].drop_duplicates()
    if len(leaking):
        words.append(f"These protocols leak on purpose (`wrong_on_purpose`): {numbers.joined(leaking)}.")
    bodies = [Body(_rows(part), str(part["title"].iloc[0])) for _, part in table.groupby("group", sort=False)]
    head = [
        *heads("Protocol", "Never on both sides"),
        *[Cell(n, look="num") for n in ("True outcomes (interval)", "Permuted outcomes (interval)", "No skill")],
        Cell("Reading"),
    ]
    shown = Table(f"Scores by protocol, with {level} intervals", head, bodies)
    return Section("protocols", title, words, [shown], figures)


def _rows(part: pd.DataFrame) -> list[list[Cell]]:
    places, several = digits(part["value"]), part["model"].nunique() > 1
    rows = []
    for (_, model), own in part.groupby(["task", "model"], sort=False):
        by_outcomes = {row["outcomes"]: row for row in own.to_dict("records")}
        first = own.iloc[0]
        metric = f"{first['label']} {numbers.moment(first['at'], first['time_unit'])}".strip()
        metric += f", {first['value_unit']}" if numbers.known(first["value_unit"]) else ""
        better = "lower is better" if first["direction"] == "lower" else "higher is better"
        name = f"{first['protocol']}, {model}" if several else str(first["protocol"])
        rows.append(
            [
                Cell(name, sub=f"{metric}, {better}"),
                Cell(APART[first["apart"]]),
                *(_score(by_outcomes.get(outcomes), places) for outcomes in ("true", "permuted")),
                _chance(first, places),
                _reading(first, by_outcomes.get("permuted")),
            ]
        )
    return rows


def _score(row: dict | None, places: int) -> Cell:
    if row is None:
        return Cell("not made", look="missing")
    if not row["estimable"]:
        return missing(row["reason"])
    told = "; ".join(filter(None, (sized({**row, "n_events": None}), numbers.text(row["method"]), _held(row))))
    return number(numbers.estimate(row["value"], row["low"], row["high"], places), row["value"], told)


def _held(row: dict) -> str:
    coverage = numbers.text(row.get("coverage"))
    return f"coverage {coverage}" if coverage else ""


def _chance(first: pd.Series, places: int) -> Cell:
    if not numbers.finite(first["chance"]):
        return Cell("no null was scored", look="missing")
    fixed = first["chance_of"] == "no skill"
    written = numbers.plain(first["chance"]) if fixed else numbers.fixed(first["chance"], places)
    return number(written, first["chance"], "by definition" if fixed else str(first["chance_of"]))


def _reading(first: pd.Series, permuted: dict | None) -> Cell:
    """What the permuted outcomes say of the protocol; a protocol that leaks on purpose says so first."""
    told = _of_permuted(first, permuted)
    if numbers.flags(pd.Series([first["leaks"]])).iloc[0]:
        return Cell(LEAKS, sub=told, look="reading no")
    return Cell(told)


def _of_permuted(first: pd.Series, permuted: dict | None) -> str:
    if permuted is None or not permuted["estimable"] or not numbers.finite(first["chance"]):
        return "Nothing is known of permuted outcomes."
    low, high, chance = permuted["low"], permuted["high"], first["chance"]
    if not (numbers.finite(low) and numbers.finite(high)):
        return "The score on permuted outcomes has no interval."
    if low <= chance <= high:
        return "Permuted outcomes: no evidence that they do better than no skill."
    if (high < chance) == (first["direction"] == "lower"):
        return "Permuted outcomes do better than no skill: part of the score is not about the outcome."
    return "Permuted outcomes do worse than no skill, by more than their interval."
