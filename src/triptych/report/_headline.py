"""The box at the top: what the data say about the claim, in sentences that say no more than the numbers do."""

from dataclasses import dataclass, field

import pandas as pd

from triptych.report import numbers
from triptych.report._view import (
    Body,
    Cell,
    Table,
    article,
    by_metric,
    constant,
    digits,
    heads,
    metric_name,
    ready,
    sized,
)

ALPHA = 0.05


@dataclass(frozen=True)
class Fact:
    """A number that never stands alone: its name, the estimate, its interval, and what it rests on."""

    name: str
    value: str
    interval: str
    basis: str


@dataclass(frozen=True)
class Headline:
    """The result of one task: a verdict in a few words, the numbers, and the sentences."""

    verdict: str
    look: str
    facts: list[Fact] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


WRONG = (
    "The split of this task leaks on purpose, to show what that does: rows of one person are in training and in test. None of "
    "these numbers says anything about new patients."
)


def headline(tables: dict[str, pd.DataFrame], metrics: list[str], *, wrong_on_purpose: bool = False) -> Headline:
    """The best model by the first metric of the study, against the strictest null."""
    told = _told(tables, metrics)
    if not wrong_on_purpose:
        return told
    return Headline("leaks on purpose", "no", told.facts, [WRONG, *told.sentences])


def _told(tables: dict[str, pd.DataFrame], metrics: list[str]) -> Headline:
    scores = tables.get("scores")
    if scores is None or scores.empty:
        return Headline("nothing to report", "open", sentences=["No score was computed for this task."])
    part = ready(_primary(scores, metrics), "value")
    name, level = metric_name(part.iloc[0]), numbers.per_cent(part["level"].iloc[0])
    models = part[part["role"] == "model"]
    best = _best(models)
    if best is None:
        reasons = numbers.joined(dict.fromkeys(numbers.text(r, "no reason was recorded") for r in models["reason"]))
        why = f"{name} is not estimable for any model: {reasons or 'no model was scored'}."
        return Headline("not estimable", "open", sentences=[why])
    null = _best_null(part[part["role"] == "null"])
    places = digits(part["value"])
    facts = [_fact(f"{best['model']}: {name}", best, places, level)]
    sentences = [f"{_reached(best, name, places, level)} {_chance(best, name, level)}".strip()]
    verdict, look = "no null to compare with", "open"
    if null is None:
        sentences.append("No null could be scored, so nothing shows that the model adds to what is already known.")
    else:
        counted = {"n_units": best["n_units"]} if constant(null) else {}  # it was asked of the same people
        facts.append(_fact(f"{null['model']} (the best null)", null | counted, places, level))
        verdict, look, gain, told = _against(best, null, tables.get("comparisons"), places, level)
        facts += gain
        if _empty(null):
            verdict = "better than chance" if look == "yes" else verdict
            told += f" {null['model']} knows nothing of a patient: beating it is the least that can be asked."
        sentences.append(told)
    sentences.append(_optimism(best, models))
    return Headline(verdict, look, facts, [s for s in sentences if s])


def overview(told: list[tuple[str, Headline]]) -> Table | None:
    """Several tasks at a glance, a row each; one task needs no table."""
    if len(told) < 2:
        return None
    rows = []
    for title, one in told:
        cells = [_glance(fact) for fact in one.facts[:3]]
        why = " ".join(one.sentences) if not cells else ""
        cells += [Cell("–")] * (3 - len(cells))
        rows.append([Cell(title), *cells, Cell(one.verdict, sub=why, look=f"reading {one.look}")])
    head = heads("Task", "Best model (interval)", "Best null (interval)", "Difference (interval)", "Reading")
    return Table("All tasks at a glance", head, [Body(rows)])


def _glance(fact: Fact) -> Cell:
    # the head of the column already says which is the null and which is the difference
    name = fact.name.removesuffix(" (the best null)").removesuffix("Difference from the null")
    sub = "; ".join(part for part in (name, fact.basis) if part)
    return Cell(f"{fact.value} ({fact.interval.split('interval ')[-1]})", sub=sub, look="fact")


def _primary(scores: pd.DataFrame, metrics: list[str]) -> pd.DataFrame:
    """The rows of the first metric that the study names and the table has, at its first time."""
    present = set(scores["metric"])
    first = next((m for m in metrics if m in present), scores["metric"].iloc[0])
    return by_metric(scores[scores["metric"] == first])[0]


def _best(rows: pd.DataFrame) -> dict | None:
    good = rows[rows["estimable"]]
    if good.empty:
        return None
    lower = good["direction"].iloc[0] == "lower"
    place = good["value"].argmin() if lower else good["value"].argmax()
    return good.iloc[int(place)].to_dict()


def _best_null(rows: pd.DataFrame) -> dict | None:
    """The best null with an interval, else one that says the same of everybody, whose value is known all the same."""
    known = [row for row in rows.to_dict("records") if constant(row)]
    return _best(rows) or (known[0] if known else None)


def _empty(null: dict) -> bool:
    """A null that scores what no skill scores: the study has no null with any knowledge that scored better."""
    given = numbers.finite(null["null_value"]) and numbers.finite(null["value"])
    return given and abs(null["value"] - null["null_value"]) < 1e-9


def _fact(name: str, row: dict, places: int, level: str) -> Fact:
    interval = f"{level} interval {numbers.limits(row['low'], row['high'], places)}"
    if not row["estimable"]:
        interval = "no interval: it says the same of everybody"
    return Fact(name, numbers.fixed(row["value"], places), interval, sized(row))


def _held(best: dict) -> str:
    """How often such intervals held the truth in simulations, where that is known."""
    known = numbers.text(best.get("coverage"), "")
    return f" Coverage of such intervals: {known}." if known else ""


def _reached(best: dict, name: str, places: int, level: str) -> str:
    written = f"{numbers.fixed(best['value'], places)} ({level} interval "
    written += f"{numbers.limits(best['low'], best['high'], places)}; {sized(best)}; "
    written += f"{numbers.text(best['method'], 'method not given')})"
    return f"{best['model']} reached {article(name)} of {written}.{_held(best)}"


def _chance(best: dict, name: str, level: str) -> str:
    """Whether the interval leaves out the value of a predictor that knows nothing."""
    null, low, high = best["null_value"], best["low"], best["high"]
    if not all(numbers.finite(v) for v in (null, low, high)):
        return ""
    lower = best["direction"] == "lower"
    value = f"{numbers.plain(null)}, the value of a predictor without skill"
    if high < null if lower else low > null:
        return f"The {level} interval lies on the better side of {value}."
    if low > null if lower else high < null:
        return f"The {level} interval lies on the worse side of {value}."
    return f"The {level} interval includes {value}: no evidence that {name} is better than without any skill."


def _optimism(best: dict, models: pd.DataFrame) -> str:
    k = models["model"].nunique()
    if k < 2:
        return ""
    lost = k - models.loc[models["estimable"], "model"].nunique()
    also = f" ({numbers.count(lost, 'model')} could not be scored)" if lost else ""
    doubt = ""
    if numbers.finite(best.get("p_best")):
        other = numbers.probability(1 - best["p_best"])
        doubt = f" The probability that another of the models and nulls is in truth better is {other}."
    return (
        f"{best['model']} is the best of {k} models{also}, picked after their results were seen on the same people. "
        f"Choosing the best of {k} is optimistic: expect less from it in new patients.{doubt}"
    )


def _against(
    best: dict, null: dict, comparisons: pd.DataFrame | None, places: int, level: str
) -> tuple[str, str, list[Fact], str]:
    """Verdict, look, the difference as a fact, and the sentence that compares the model with the null."""
    found = _pair(best, null, comparisons)
    versus = f"the null it must beat, {null['model']}, which reached "
    versus += f"{numbers.estimate(null['value'], null['low'], null['high'], places)}"
    if found is None:
        told = f"It was not compared on the same people with {versus}; no claim is made that it is better."
        return "not compared with the null", "open", [], told
    if not found["estimable"]:
        why = numbers.text(found["reason"], "no reason was recorded")
        return "not estimable", "open", [], f"Its difference from {versus}, is not estimable: {why}."
    p = found["p_holm"]
    made = numbers.count(found["n_comparisons"], "comparison")
    test = f"{numbers.p_value(p, 'Holm-corrected p')} over {made}; {numbers.text(found['method'], 'method not given')}"
    value = numbers.fixed(found["difference"], places, signed=True)
    interval = numbers.limits(found["low"], found["high"], places, signed=True)
    verdict, look, tail = _verdict(found, best["direction"] == "lower")
    basis = f"{sized(found)}; {numbers.p_value(p, 'Holm-corrected p')}"
    fact = Fact("Difference from the null", value, f"{level} interval {interval}", basis)
    told = f"Against {versus}, the difference is {value} ({level} interval {interval}; {sized(found)}; {test}): {tail}."
    return verdict, look, [fact], told


def _pair(best: dict, null: dict, table: pd.DataFrame | None) -> dict | None:
    """The comparison of the two, turned so that it reads best minus null."""
    if table is None or table.empty:
        return None
    table = ready(table, "difference")
    same_time = table["at"].isna() if not numbers.known(best["at"]) else table["at"] == best["at"]
    rows = table[(table["metric"] == best["metric"]) & same_time]
    straight = rows[(rows["model_a"] == best["model"]) & (rows["model_b"] == null["model"])]
    if len(straight):
        return straight.iloc[0].to_dict()
    turned = rows[(rows["model_b"] == best["model"]) & (rows["model_a"] == null["model"])]
    if turned.empty:
        return None
    row = turned.iloc[0].to_dict()
    return row | {"difference": -row["difference"], "low": -row["high"], "high": -row["low"]}


def _verdict(row: dict, lower: bool) -> tuple[str, str, str]:
    gain = -row["difference"] if lower else row["difference"]
    p = row["p_holm"]
    if not numbers.finite(p):
        return "no evidence", "open", "without a test, no evidence that it does better than the null"
    if p < ALPHA and gain > 0:
        return (
            "better than the null",
            "yes",
            "in these data it does better than the null, by more than chance readily explains",
        )
    if p < ALPHA and gain < 0:
        return "worse than the null", "no", "it does worse than the null"
    return "no evidence that it beats the null", "open", "no evidence that it does better than the null"
