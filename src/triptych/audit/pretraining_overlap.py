"""People whose data trained the weights that a model starts from, and who are tested here."""

import pandas as pd

from triptych.audit._context import Context, finding, findings, looked
from triptych.audit._people import canonical, names
from triptych.errors import DataError

TITLE = "Tested people who trained the starting weights"
LEAK_CLASS = "transfer"
SEVERITY = "stop"


def check(context: Context) -> pd.DataFrame:
    """Compare the people behind each model's starting weights with the tested people, by id without its spelling."""
    if not context.pretrained:
        return looked("no model starts from weights that were trained elsewhere")
    tested = context.splits[context.splits["part"] == "test"].drop_duplicates(["cohort", "participant_id"])
    found = []
    for model, people in context.pretrained.items():
        if people is None:
            message = f"nobody knows whose data trained the weights that {model!r} starts from"
            action = "name the people in a table (`pretrained:`), or read its scores as if they had been seen"
            found.append(finding("warn", message, keys=[model], action=action))
            continue
        if "participant_id" not in people:
            raise DataError(
                f"the people behind the weights of {model!r}: no column 'participant_id'; "
                f"it has {', '.join(map(repr, people.columns[:20]))}"
            )
        seen = tested[_among(tested, people)]
        if len(seen):
            message = f"{len(seen)} of {len(tested)} tested people trained the weights that {model!r} starts from"
            action = "start from other weights, or test on other people"
            share = len(seen) / len(tested)
            found.append(
                finding(SEVERITY, message, keys=names(seen, tested), action=action, measure="share", value=share)
            )
    return findings(*found)


def _among(tested: pd.DataFrame, people: pd.DataFrame) -> pd.Series:
    """Tested people who are in a table; its cohort counts where it is one of ours."""
    ids = canonical(tested["participant_id"])
    theirs = canonical(people["participant_id"])
    if "cohort" not in people:
        return ids.isin(theirs)
    ours = set(tested["cohort"].astype(str))
    known = people["cohort"].astype(str).isin(ours)
    pairs = set(zip(people["cohort"].astype(str)[known], theirs[known], strict=True))
    anywhere = set(theirs[people["cohort"].isna()])
    return pd.Series(
        [(c, i) in pairs or i in anywhere for c, i in zip(tested["cohort"].astype(str), ids, strict=True)],
        index=tested.index,
    )
