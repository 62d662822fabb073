"""Columns of one role (acquisition, quality) against the outcome."""

import pandas as pd

from triptych.audit._association import associations, strongest
from triptych.audit._context import Context, finding, findings, looked, not_assessable
from triptych.audit._people import classes, patients, with_columns


def against_outcome(context: Context, role: str, severity: str, what: str, action: str) -> pd.DataFrame:
    """Test each column of a role against the outcome, at the patient; the strongest is quoted when none is found."""
    columns = context.roles.get(role, [])
    table = with_columns(context, columns)
    columns = [c for c in dict.fromkeys(columns) if c in table]
    if not columns:
        return not_assessable(f"`roles: {role}` names no column: {what} cannot be compared")
    people = patients(table, context.kind)
    positive = classes(people, context.kind)
    tested = associations(people["score"].to_numpy(), people[columns], seed=context.seed, positive=positive)
    if not tested:
        return not_assessable(f"{', '.join(columns)}: the same in all patients")
    most = strongest(tested)
    found = [str(one) for one in tested if one.found]
    if not found:
        return looked(f"{len(people)} patients: no more than chance, the strongest is {most}", **most.evidence)
    message = f"{what} differ with the outcome of {len(people)} patients more than by chance: {'; '.join(found[:3])}"
    return findings(finding(severity, message, keys=found, action=action, **most.evidence))
