"""The sections about people: their flow, what was audited, how they fared by predicted risk, published values."""

import math

import pandas as pd

from triptych.ledger import KINDS
from triptych.report import numbers
from triptych.report._view import Body, Cell, Section, Table, heads, missing, number

LONG = 15
SHOWN_KEYS = 6
SEVERITY = {
    "stop": ("Found: stops the study", "stop"),
    "group": ("Found: kept together in every split", "warn"),
    "warn": ("Found: a warning", "warn"),
    "not assessable": ("Could not be assessed", "open"),
    "pass": ("Looked for, nothing found", "pass"),
}


def flow(table: pd.DataFrame, figures: list[dict]) -> Section:
    """Who was read, left out and kept."""
    title = "Flow of patients"
    if table.empty:
        return Section("flow", title, figures=figures, empty="no patient was read")
    bodies = []
    for cohort, part in table.assign(cohort=table["cohort"].fillna("all cohorts")).groupby("cohort", sort=False):
        rows = [
            [
                Cell({"excluded": "left out"}.get(row["what"], row["what"])),
                Cell(numbers.text(row["reason"], "–")),
                number(numbers.count(row["n_patients"], "patient"), row["n_patients"]),
                number(
                    numbers.count(row["n_events"], "event") if numbers.known(row["n_events"]) else "–", row["n_events"]
                ),
            ]
            for row in part.sort_values("step", kind="stable").to_dict("records")
        ]
        bodies.append(Body(rows, str(cohort)))
    head = [*heads("What", "Why"), Cell("Patients", look="num"), Cell("Events", look="num")]
    shown = Table("Flow of patients, step by step", head, bodies, folded=True, summary="The same in a table")
    return Section("flow", title, [], [shown], figures)


def exclusion(table: pd.DataFrame, figures: list[dict]) -> Section:
    """How many were left out in each class and at each site, and for what kind of reason."""
    title = "Who was left out, by class and by site"
    if table.empty:
        return Section("exclusion", title, figures=figures, empty="nobody was left out")
    kinds = [kind for kind in KINDS if table[kind].any()]
    bodies = []
    for by, part in table.groupby("by", sort=False):
        rows = [
            [
                Cell(str(row["group"])),
                number(numbers.count(row["people"], "patient"), row["people"]),
                number(
                    numbers.estimate(row["share"], row["low"], row["high"], 2),
                    row["share"],
                    f"{numbers.plain(row['left_out'])} left out",
                ),
                *[number(numbers.plain(row[kind]), row[kind]) for kind in kinds],
            ]
            for row in part.to_dict("records")
        ]
        bodies.append(Body(rows, {"all": "All", "class": "By outcome", "site": "By site"}.get(str(by), str(by))))
    words = [
        "Whether shares differ by more than chance is told by the audit, which leaves alone those without a usable outcome. "
        f"Intervals: {numbers.joined(numbers.methods(table['method']))}; unit: patient."
    ]
    head = [
        Cell("Group"),
        *[Cell(name, look="num") for name in ("Patients", "Share left out", *map(str.capitalize, kinds))],
    ]
    shown = Table("Left out", head, bodies, folded=len(table) > LONG, summary=f"All {len(table)} groups")
    return Section("exclusion", title, words, [shown], figures)


def audit(table: pd.DataFrame, figures: list[dict]) -> Section:
    """What was looked for, what was found, and what could not be looked for."""
    title = "Audit for leakage and confounding"
    if table.empty:
        return Section("audit", title, figures=figures, empty="no check was run, so leakage cannot be ruled out")
    checks = {s: table.loc[table["severity"] == s, "check"].nunique() for s in SEVERITY}
    found = table.loc[table["severity"].isin(["stop", "group", "warn"]), "check"].nunique()
    words = [
        f"{numbers.count(table['check'].nunique(), 'check')}: {found} found something, {checks['pass']} found nothing, "
        f"{checks['not assessable']} could not be assessed. A check that could not be assessed is not a check passed."
    ]
    bodies = []
    known = [*SEVERITY, *[s for s in dict.fromkeys(table["severity"]) if s not in SEVERITY]]
    for severity in known:
        part = table[table["severity"] == severity]
        heading, look = SEVERITY.get(severity, (str(severity), "open"))
        if len(part):
            bodies.append(Body([_check(row) for row in part.to_dict("records")], heading, look))
    head = heads("Check", "Kind of leak", "What was seen", "Whom it concerns", "What was done")
    return Section("audit", title, words, [Table("Checks", head, bodies)], figures)


def _check(row: dict) -> list[Cell]:
    keys = [k.strip() for k in numbers.text(row["keys"]).split(";") if k.strip()]
    named = ", ".join(keys[:SHOWN_KEYS]) + (f" and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else "")
    return [
        Cell(numbers.text(row.get("title"), numbers.text(row["check"]).replace("_", " "))),
        Cell(numbers.text(row["leak_class"], "–")),
        Cell(numbers.text(row["message"], "–")),
        Cell(numbers.text(row["cohort"], "all cohorts"), sub=named),
        Cell(numbers.text(row["action"], "nothing to do" if row["severity"] == "pass" else "nothing")),
    ]


def km_by_risk(table: pd.DataFrame, figures: list[dict]) -> Section:
    """The log-rank tests and sizes behind the curves."""
    title = "Survival by predicted risk"
    if table.empty:
        return Section("km_by_risk", title, figures=figures, empty="no one was grouped by predicted risk")
    rows = []
    for model in dict.fromkeys(table["model"]):
        part = table[table["model"] == model]
        start = part[part["record"] == "at_risk"].sort_values("time").drop_duplicates("group").set_index("group")["n"]
        tests = part[part["record"] == "test"].to_dict("records")
        p = float(tests[0]["p"]) if tests else float("nan")
        why = numbers.text(tests[0].get("reason") if tests else "", "the log-rank test has no value")
        sizes = [
            number(numbers.count(start[g], "patient"), start[g]) if g in start else Cell("not grouped", look="missing")
            for g in ("low", "high")
        ]
        test = number(numbers.p_value(p), p) if p == p else missing(why)
        rows.append([Cell(model), *sizes, test])
    rules = [str(r) for r in dict.fromkeys(table["rule"]) if numbers.known(r)]
    words = [
        f"Groups: {numbers.joined(rules) or 'rule not given'}. The log-rank test asks only whether the two curves "
        "differ at all; it is not corrected for the number of models."
    ]
    head = [Cell("Model"), *[Cell(n, look="num") for n in ("Low risk", "High risk", "Log-rank test")]]
    shown = Table("Low and high predicted risk", head, [Body(rows)], folded=len(rows) > LONG, summary="All tests")
    return Section("km_by_risk", title, words, [shown], figures)


def published(table: pd.DataFrame, figures: list[dict]) -> Section:
    """Every published cell beside ours."""
    title = "Published values beside ours"
    if table.empty:
        return Section("published", title, figures=figures, empty="no published value")
    bodies = []
    for label, part in table.groupby("label", sort=False, dropna=False):
        bodies.append(Body([_beside(row) for row in part.to_dict("records")], str(label)))
    numeric = [Cell(n, look="num") for n in ("Published (interval)", "Ours (interval)", "Ours − published")]
    shown = Table("Published and ours", [Cell("Model"), *numeric, Cell("Source")], bodies, folded=len(table) > LONG,
                  summary=f"All {numbers.count(len(table), 'cell')}")  # fmt: skip
    return Section("published", title, [agreement(table)], [shown], figures)


def agreement(table: pd.DataFrame) -> str:
    """``220 of 220 cells agree to 1e-12``, or how many agree how closely and where the worst is."""
    gaps = table["difference"].abs().dropna()
    lost = len(table) - len(gaps)
    tail = f" {numbers.count(lost, 'cell')} could not be compared." if lost else ""
    if gaps.empty:
        return f"No cell could be compared.{tail}"
    worst = float(gaps.max())
    n = len(gaps)
    if worst == 0:
        return f"{n} of {len(table)} cells agree exactly.{tail}"
    power = math.ceil(math.log10(worst) - 1e-9)
    if power <= -3:
        return f"{n} of {len(table)} cells agree to 1e{max(power, -15):d}.{tail}"
    row = table[table["difference"].abs() == worst].iloc[0]
    steps = [f"{int((gaps <= step).sum())} of {n} cells agree to {step:g}" for step in (0.001, 0.01)]
    where = f"{numbers.text(row['model'])}, {numbers.text(row['label'])}"
    return f"{', '.join(steps)}; the largest difference is {worst:.3g} ({where}).{tail}"


def _beside(row: dict) -> list[Cell]:
    note = numbers.text(row["published_note"])
    gap = row["difference"]
    tiny = numbers.finite(gap) and 0 < abs(gap) < 0.0005
    written = f"{gap:+.1e}".replace("-", numbers.MINUS) if tiny else numbers.fixed(gap, 3, signed=True)
    return [
        Cell(numbers.text(row["model"], "–")),
        _value(row["published"], row["published_low"], row["published_high"], note),
        _value(row["ours"], row["ours_low"], row["ours_high"], ""),
        number(written, gap),
        Cell(numbers.text(row["source"], "not given")),
    ]


def _value(value: float, low: float, high: float, note: str) -> Cell:
    if not numbers.known(value):
        return Cell("no value", sub=note, look="missing")
    return number(numbers.estimate(value, low, high), value, note)
