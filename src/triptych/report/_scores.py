"""The sections that carry scores: against the nulls, against each other, over folds and sites."""

import pandas as pd

from triptych.report import numbers
from triptych.report._view import (
    Body,
    Cell,
    Section,
    Table,
    by_metric,
    constant,
    digits,
    events,
    heads,
    metric_name,
    missing,
    number,
    one,
    ready,
    sized,
)

ALPHA = 0.05
# tables longer than this are folded away: the summary above them says what they hold
LONG = 15
ROLES = {
    "model": "Models",
    "null": "Nulls: what a model must beat",
    "published": "Published models, run on the same patients",
}


def scores(table: pd.DataFrame, figures: list[dict]) -> Section:
    """Every model's scores, the nulls apart from them."""
    title = "Scores against the nulls"
    table = table[table["role"] != "control"]
    if table.empty:
        return Section("scores", title, figures=figures, empty="no score was computed")
    parts = by_metric(ready(table, "value"))
    level = numbers.per_cent(table["level"].dropna().iloc[0]) if table["level"].notna().any() else "given"
    words = [f"Each number is the estimate with its {level} interval in brackets. " + _basis(parts)]
    words += _coverage(parts, "coverage", "How often such intervals held the truth in simulations.")
    rows: dict[str, list[list[Cell]]] = {role: [] for role in ROLES}
    for model, role in table.drop_duplicates("model")[["model", "role"]].itertuples(index=False):
        rows.setdefault(role, []).append([Cell(model), *(_score(part, model) for part in parts)])
    if any(part["null_value"].notna().any() for part in parts):
        rows["null"].append([Cell("No skill at all"), *map(_no_skill, parts)])
    bodies = [Body(listed, ROLES.get(role, role), role) for role, listed in rows.items() if listed]
    shown = Table(f"Scores with {level} intervals", [Cell("Model"), *map(_column_head, parts)], bodies)
    return Section("scores", title, words, [shown], figures)


def _column_head(part: pd.DataFrame) -> Cell:
    better = "lower is better" if part["direction"].iloc[0] == "lower" else "higher is better"
    return Cell(metric_name(part.iloc[0]), sub=f"{better}; {_usual(part)}", look="num")


def _usual(part: pd.DataFrame) -> str:
    """The unit and count that most rows share; a cell that differs says so itself."""
    return pd.Series([sized(row) for row in part.to_dict("records")]).mode().iloc[0]


def _basis(parts: list[pd.DataFrame]) -> str:
    """What the numbers rest on: said once when it is the same for all metrics."""
    shared: dict[tuple, list[pd.DataFrame]] = {}
    for part in parts:
        shared.setdefault((_usual(part), *numbers.methods(part["method"], degrees=False)), []).append(part)
    told = []
    for (counted, *_), same in shared.items():
        metrics = numbers.joined([metric_name(part.iloc[0]) for part in same]) if len(shared) > 1 else "Every column"
        methods = numbers.joined(numbers.methods(pd.concat([part["method"] for part in same])))
        told.append(f"{metrics}: {counted}; interval by {methods or 'a method not given'}.")
    return " ".join(told)


def _coverage(parts: list[pd.DataFrame], column: str, what: str) -> list[str]:
    """What was measured of such intervals or tests, by metric."""
    known = {metric_name(part.iloc[0]): one(part[column]) for part in parts if column in part}
    told = [f"{metric}: {words}" for metric, words in known.items() if words]
    return [f"{what} {'; '.join(told)}."] if told else []


def _score(part: pd.DataFrame, model: str) -> Cell:
    found = part[part["model"] == model].to_dict("records")
    if not found:
        return Cell("not scored", look="missing")
    row = found[0]
    if constant(row):
        return number(
            f"{numbers.fixed(row['value'], digits(part['value']))} (no interval)",
            row["value"],
            "says the same of everybody",
        )
    if not row["estimable"]:
        return missing(row["reason"])
    own = sized(row)
    places = digits(part["value"])
    written = numbers.estimate(row["value"], row["low"], row["high"], places)
    subs = [own] if own != _usual(part) else []
    if numbers.finite(row.get("person_value")):
        subs.append(f"{numbers.fixed(row['person_value'], places)} with every person counted once")
    if numbers.finite(row.get("p_best")):
        subs.append(f"the best with probability {numbers.probability(row['p_best'])}")
    return number(written, row["value"], "; ".join(subs))


def _no_skill(part: pd.DataFrame) -> Cell:
    value = part["null_value"].dropna()
    if value.empty:
        return Cell("no fixed value", look="missing")
    return number(f"{numbers.plain(value.iloc[0])} (by definition)", value.iloc[0])


def comparisons(table: pd.DataFrame, figures: list[dict]) -> Section:
    """Every pair of models on the same people, corrected by Holm's method."""
    title = "Models compared on the same people"
    if table.empty:
        return Section("comparisons", title, figures=figures, empty="no two models were compared")
    table = ready(table, "difference")
    parts = by_metric(table)
    tests = [_test(part) for part in parts]
    shared = len(set(tests)) == 1
    words = [f"All comparisons: {tests[0]}."] if shared else []
    words += [_found(part, "" if shared else test) for part, test in zip(parts, tests, strict=True)]
    words += _coverage(
        parts, "false_positives", "How often such tests found a difference between equal models in simulations."
    )
    listed = [_pairs(part, folded=len(table) > LONG) for part in parts]
    return Section("comparisons", title, words, listed, figures)


def _test(part: pd.DataFrame) -> str:
    """What a comparison rests on: the test, the unit, and how many were corrected for."""
    made = numbers.count(part["n_comparisons"].max(), "comparison")
    method = numbers.joined(numbers.methods(part["method"])) or "method not given"
    return f"{method}; {sized(part.iloc[0])}; Holm's correction for {made}"


def _found(part: pd.DataFrame, basis: str) -> str:
    good = part[part["estimable"]]
    different = int((good["p_holm"] < ALPHA).sum())
    lost = len(part) - len(good)
    written = f"{metric_name(part.iloc[0])}: {different} of {numbers.count(len(good), 'difference')} "
    written += "remains" if different == 1 else "remain"
    written += f" below p = 0.05 after correction{f' ({basis})' if basis else ''}."
    if lost:
        written += f" {numbers.count(lost, 'comparison')} could not be estimated."
    return written


def _pairs(part: pd.DataFrame, *, folded: bool) -> Table:
    first = part.iloc[0]
    places = digits(part["difference"])
    rows = [_pair(row, places) for row in part.to_dict("records")]
    name = f"Differences in {metric_name(first)}"
    head = [
        *heads("Model", "minus model"),
        Cell("Difference (interval)", sub=sized(first), look="num"),
        Cell("Statistic", look="num"),
        Cell("p", look="num"),
        Cell("p after Holm", look="num"),
        Cell("Reading"),
    ]
    summary = f"{name}: all {numbers.count(len(rows), 'comparison')}"
    return Table(name, head, [Body(rows)], folded=folded, summary=summary)


def _pair(row: dict, places: int) -> list[Cell]:
    names = [Cell(row["model_a"]), Cell(row["model_b"])]
    if not row["estimable"]:
        return [*names, missing(row["reason"]), *[Cell("–", look="num")] * 3, Cell("no reading")]
    gain = row["difference"] * (-1 if row["direction"] == "lower" else 1)
    significant = numbers.finite(row["p_holm"]) and row["p_holm"] < ALPHA
    reading = f"{row['model_a'] if gain > 0 else row['model_b']} better" if significant else "no evidence"
    df = f"df {numbers.plain(round(row['df'], 1))}" if numbers.known(row.get("df")) else ""
    return [
        *names,
        number(numbers.estimate(row["difference"], row["low"], row["high"], places, signed=True), row["difference"]),
        number(numbers.fixed(row["statistic"], 2), row["statistic"], df),
        number(numbers.p_value(row["p"]), row["p"]),
        number(numbers.p_value(row["p_holm"]), row["p_holm"]),
        Cell(reading, look="strong" if significant else "quiet"),
    ]


def spread(table: pd.DataFrame, figures: list[dict]) -> Section:
    """How far a score moves between folds and between sites."""
    title = "Spread over folds and sites"
    table = table[table["role"] != "control"]
    if table.empty:
        return Section("spread", title, figures=figures, empty="no score per fold or site")
    if (table["kind"] != "site").all() and table.loc[table["kind"] == "fold", "level"].nunique() < 2:
        return Section("spread", title, empty="there is one test set and no site column")
    table = ready(table, "value")
    words = ["Folds share most of their training data, so the range over folds is not an interval of confidence."]
    if (table["kind"] == "site").any():
        words.append("A range over sites much wider than the intervals above says that the score depends on where.")
    head = [
        Cell("Model"),
        *[Cell(n, look="num") for n in ("Over all", "Median over folds (range)", "Lowest and highest site")],
    ]
    bodies = []
    for part in by_metric(table):
        places = digits(part["value"])
        rows = [[Cell(m), *_moved(part[part["model"] == m], places)] for m in dict.fromkeys(part["model"])]
        bodies.append(Body(rows, metric_name(part.iloc[0])))
    shown = Table("Scores over folds and sites", head, bodies, folded=sum(len(b.rows) for b in bodies) > 2 * LONG,
                  summary="All scores over folds and sites")  # fmt: skip
    return Section("spread", title, words, [shown], figures)


def _moved(part: pd.DataFrame, places: int) -> list[Cell]:
    kinds = {kind: part[part["kind"] == kind] for kind in ("pooled", "fold", "site")}
    good = {kind: rows[rows["estimable"]] for kind, rows in kinds.items()}
    cells = []
    for kind in kinds:
        rows, lost = good[kind], len(kinds[kind]) - len(good[kind])
        if kinds[kind].empty:
            cells.append(Cell(f"no {'value' if kind == 'pooled' else kind}", look="missing"))
            continue
        if rows.empty:
            cells.append(missing(one(kinds[kind]["reason"])))
            continue
        less = f"{lost} not estimable" if lost else ""
        cells.append(_summary(kind, rows, places, less))
    return cells


def _summary(kind: str, rows: pd.DataFrame, places: int, less: str) -> Cell:
    values = rows["value"]
    if kind == "pooled":
        row = rows.iloc[0]
        counted = filter(None, [numbers.count(row["n"], "patient"), events(row)])
        return number(numbers.fixed(row["value"], places), row["value"], ", ".join(counted))
    if kind == "fold":
        written = f"{numbers.fixed(values.median(), places)} ({numbers.limits(values.min(), values.max(), places)})"
        sub = f"{numbers.count(len(values), 'fold')} of {_sizes(rows['n'])}"
        return number(written, values.median(), sub + (f"; {less}" if less else ""))
    ends = [rows.iloc[int(values.argmin())], rows.iloc[int(values.argmax())]]
    named = [f"{numbers.fixed(e['value'], places)} {e['level']} (n = {numbers.plain(e['n'])})" for e in ends]
    return number(
        " to ".join(named),
        values.max() - values.min(),
        numbers.count(len(values), "site") + (f"; {less}" if less else ""),
    )


def _sizes(n: pd.Series) -> str:
    low, high = n.min(), n.max()
    if high != high:
        return "a size not given"
    return numbers.count(high, "patient") if low == high else f"{low:.0f} to {numbers.count(high, 'patient')}"
