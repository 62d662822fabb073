"""The lines of a table of a dozen patients, and the examples that are made of it."""

from triptych.examples import make_examples
from triptych.ledger import Ledger

OUTCOMES = {
    "survival": {"time": "months", "event": "died", "event_value": None},
    "classification": {"label": "died", "positive": None},
    "regression": {"value": "months"},
}
MONTHS, DIED = range(1, 13), [0, 1] * 6


def lines(n=12, **columns):
    """The lines of a good table; columns are replaced or added."""
    made = {
        "participant_id": [f"p{i}" for i in range(n)],
        "age": [50 + i for i in range(n)],
        "months": [i + 1 for i in range(n)],
        "died": [i % 2 for i in range(n)],
    }
    made.update(columns)
    return [",".join(made), *(",".join(map(str, row)) for row in zip(*made.values(), strict=True))]


def examples(people, ledger=None, inputs=None, outcome=None, kind="survival", **more):
    """Examples of a task called os, and the ledger."""
    ledger = ledger or Ledger()
    made = make_examples(
        people,
        task="os",
        kind=kind,
        outcome={**OUTCOMES[kind], **(outcome or {})},
        inputs={"all": ["age"]} if inputs is None else inputs,
        ledger=ledger,
        **more,
    )
    return made, ledger


def put(values, **at):
    """A copy of values, with some replaced: ``put(values, i3="x")``."""
    values = list(values)
    for place, value in at.items():
        values[int(place[1:])] = value
    return values


def left(ledger):
    """Reason and number of people of each line of the flow about those who left."""
    return [(row["reason"], row["n_patients"]) for row in ledger.flow if row["what"] == "excluded"]
