"""The sections about what a study could learn: where variation comes from, what a larger one needs, ranks over its tasks."""

import pandas as pd

from triptych.report import numbers
from triptych.report._view import Body, Cell, Section, Table, article, digits, metric_name, number, one, ready

FOLDED = 15
PARTS = {"predictions": "", "folds": ", by fold", "sites": ", by site"}


def components(table: pd.DataFrame, figures: list[dict]) -> Section:
    """Shares of variance with the number of levels behind each."""
    title = "Where the variation comes from"
    if table.empty:
        return Section("components", title, empty="no score varies over folds or sites")
    table = table.assign(estimable=numbers.flags(table["estimable"]))
    bodies = []
    for (part, label), rows in table.groupby(["part", "label"], sort=False):
        listed = [_component(row) for row in rows.to_dict("records")]
        bodies.append(Body(listed, f"{label}{PARTS.get(str(part), '')}"))
    words = (
        "Models are held fixed: a share says how much all of them move together; the rest is how they differ in that, and "
        "chance. Scores of small folds and sites vary by chance alone, which is part of those shares too."
    )
    head = [
        Cell("Source"),
        *[Cell(n, look="num") for n in ("Levels", "Share", "Standard deviation")],
        Cell("Levels by value"),
    ]
    shown = Table("Variance components", head, bodies, folded=table["factor"].size > 2 * FOLDED, summary="All shares")
    return Section(
        "components", title, [words, *_methods(table)], [shown], figures if table["share"].notna().any() else []
    )


def _component(row: dict) -> list[Cell]:
    levels = (
        number(numbers.plain(row["levels"]), row["levels"]) if numbers.finite(row["levels"]) else Cell("–", look="num")
    )
    share = f"{100 * row['share']:.0f}%" if numbers.finite(row["share"]) else "–"
    sd = numbers.fixed(row["sd"], 3) if numbers.finite(row["sd"]) else "–"
    told = numbers.text(row["values"], numbers.text(row["reason"]))
    return [Cell(str(row["factor"])), levels, number(share, row["share"]), number(sd, row["sd"]), Cell(told)]


def _methods(table: pd.DataFrame) -> list[str]:
    shared: dict[str, dict[str, None]] = {}
    for row in table[table["method"].map(numbers.known).astype(bool)].to_dict("records"):
        shared.setdefault(str(row["method"]), {})[f"{row['label']}{PARTS.get(str(row['part']), '')}"] = None
    return [" ".join(f"{numbers.joined(what)}: {method}." for method, what in shared.items())] if shared else []


def planning(table: pd.DataFrame, figures: list[dict]) -> Section:
    """What the best model would need for a narrower interval."""
    title = "What a larger study would need"
    if table.empty:
        return Section("planning", title, empty="no model was scored")
    table = ready(table, "half_width")
    good = table[table["estimable"] & table["needed"].notna()]
    if good.empty:
        return Section(
            "planning", title, empty=one(table["reason"].drop_duplicates().head(1)) or "nothing can be planned"
        )
    ends = good.groupby("model", sort=False)["value"].first()
    model = ends.idxmin() if good["direction"].iloc[0] == "lower" else ends.idxmax()
    part = good[good["model"] == model]
    row = part.iloc[0].to_dict()
    places = digits(part["value"])
    unit, level = numbers.text(row["unit"], "unit"), numbers.per_cent(row["level"])
    words = (
        f"{model} reached {article(metric_name(part.iloc[0]))} of {numbers.fixed(row['value'], places)}, give or take "
        f"{numbers.fixed(row['half_width'], places)} ({level} interval; {numbers.count(row['n_units'], unit)}). A study "
        f"like this one that wants a narrower interval needs, by {numbers.text(row['method'], 'a method not given')}:"
    )
    several = numbers.finite(row["icc"]) and row["rows_per_unit"] > 1
    if several:
        words = words[:-1] + (
            f" (here {numbers.fixed(row['rows_per_unit'], 1)} rows for each patient, whose scores correlate by "
            f"{numbers.fixed(row['icc'], 2)}):"
        )
    head = [Cell("Half the width", look="num"), Cell(f"{numbers.plural(unit).capitalize()} needed", look="num")]
    head += [Cell("with one row each", look="num"), Cell("with any number of rows each", look="num")] if several else []
    rows = [_needed(plan, unit, places, several) for plan in part.to_dict("records")]
    return Section("planning", title, [words], [Table("Sizes for a narrower interval", head, [Body(rows)])], figures)


def _needed(plan: dict, unit: str, places: int, several: bool) -> list[Cell]:
    events = plan["needed_events"]
    # where everyone has the event (numbers have none), the count says nothing new
    own = numbers.count(events, "event") if numbers.finite(events) and events < plan["needed"] else ""
    cells = [
        number(numbers.fixed(plan["target"], places), plan["target"]),
        number(numbers.count(plan["needed"], unit), plan["needed"], own),
    ]
    for column in ("needed_one_row", "needed_many_rows") if several else ():
        n = plan[column]
        cells.append(number(numbers.count(n, unit), n) if numbers.finite(n) else Cell("–", look="num"))
    return cells


def ranks(table: pd.DataFrame, figures: list[dict]) -> Section:
    """Average ranks over all tasks: who is first, and from whom that differs by more than chance."""
    title = "Ranks over all tasks"
    if table.empty:
        return Section("ranks", title, empty="no task has scores")
    parts = [part for _, part in table.groupby("metric", sort=False)]
    ranked = [part for part in parts if (part["record"] == "mean").any()]
    if not ranked:
        return Section(
            "ranks", title, [f"The models are not ranked over the tasks: {one(table['reason'].drop_duplicates())}."]
        )
    rows = {str(part["label"].iloc[0]): part for part in ranked}
    bodies = [
        Body([_rank(row) for row in p[p["record"] == "mean"].to_dict("records")], label) for label, p in rows.items()
    ]
    head = [Cell("Model"), Cell("Average rank", sub="1 is best", look="num")]
    shown = Table("Average ranks", head, bodies, folded=True, summary="All average ranks")
    return Section("ranks", title, [_first(part) for part in parts], [shown], figures)


def _rank(row: dict) -> list[Cell]:
    return [Cell(str(row["model"])), number(numbers.fixed(row["rank"], 2), row["rank"])]


def _first(part: pd.DataFrame) -> str:
    mean = part[(part["record"] == "mean") & part["rank"].notna()].sort_values("rank", kind="stable")
    name = str(part["label"].iloc[0])
    if mean.empty:
        return f"{name}: not ranked; {one(part['reason'].drop_duplicates())}."
    critical, level = part["critical_difference"].max(), part["level"].iloc[0]
    best = mean.iloc[0]
    worse = list(mean.loc[mean["rank"] - best["rank"] > critical, "model"]) if critical == critical else []
    test = part[part["test"] == "iman_davenport"].to_dict("records")
    p = test[0]["p"] if test else float("nan")
    words = (
        f"{name}, {numbers.count(part['n_tasks'].max(), 'task')}: {best['model']} has the best average rank, "
        f"{numbers.fixed(best['rank'], 2)} of {numbers.count(part['n_models'].max(), 'model')}. "
        f"That all are equal: {numbers.p_value(p)} (Friedman's test, F of Iman and Davenport). "
    )
    if numbers.finite(p) and p < 1 - level:
        rest = len(mean) - 1 - len(worse)
        words += f"By more than the critical difference of {numbers.fixed(critical, 2)} (Nemenyi) it is ahead of "
        words += f"{numbers.joined(worse)}" if worse else "none of them"
        words += f"; from the other {rest} it does not differ by more than chance." if worse and rest else "."
    else:
        words += "No evidence that the models differ from task to task by more than chance."
    left = [f"{row['model']} ({row['reason']})" for row in part[part["record"] == "left out"].to_dict("records")]
    return words + (f" Not ranked: {numbers.joined(left)}." if left else "")
