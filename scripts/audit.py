"""Audit one task before any fit; a finding that must stop the run ends the job with the list of findings."""

from pathlib import Path

import pandas as pd

from triptych import auditing, outcomes, tables
from triptych.audit._context import Context
from triptych.job import main


def run(
    *,
    splits: Path,
    people: Path,
    blocks: str = "",
    excluded: str = "",
    failures: list[Path],
    participants: list[Path],
    content: list[Path],
    scans: list[Path],
    sessions: str,
    task: str,
    estimand: str,
    outcome: dict,
    roles: dict,
    pretrained: dict,
    wrong_on_purpose: bool,
    seed: int,
    severities: dict,
    findings: Path,
) -> None:
    """Write the findings."""
    examples = tables.read_examples(people, blocks) if blocks else None
    context = Context(
        splits=tables.read(splits),
        examples=examples,
        people=examples.table if examples else tables.read(people),
        notes=pd.concat([tables.read(path) for path in failures])
        if failures
        else pd.DataFrame(columns=tables.FAILURES),
        estimand=estimand,
        kind=examples.kind if examples else "survival",
        participants=pd.concat([tables.read(path) for path in participants]) if participants else pd.DataFrame(),
        excluded=outcomes.of_left_out(tables.read(excluded), outcome) if excluded else pd.DataFrame(),
        roles=roles,
        pretrained={model: path and pd.read_csv(path, dtype=str) for model, path in pretrained.items()},
        content=pd.concat([tables.read(path) for path in content], ignore_index=True) if content else pd.DataFrame(),
        scans=pd.concat([tables.read(path) for path in scans], ignore_index=True) if scans else pd.DataFrame(),
        sessions=sessions,
        wrong_on_purpose=wrong_on_purpose,
        seed=seed,
    )
    found = auditing.run(context, severities)
    auditing.refuse(found, task)
    tables.write(found, findings)


if __name__ == "__main__":
    main(run)
