"""Fit one model on some folds of one task and predict the held-out patients."""

from pathlib import Path

from triptych import tables
from triptych.fitting import grid
from triptych.job import main
from triptych.launching import launch, part
from triptych.maps import set_aside
from triptych.processes import leads
from triptych.resuming import NAME, fit_or_resume


def run(
    *,
    examples: Path,
    blocks: Path,
    splits: Path,
    repeat: int,
    fold: int,
    task: str,
    name: str,
    use: str,
    inputs: list,
    options: dict,
    horizon: object,
    seed: int,
    device: str,
    tolerate: bool,
    permuted: bool,
    harmonise: object = None,
    devices: int = 1,
    nodes: int = 1,
    predictions: Path,
    notes: Path,
) -> None:
    """Write the predictions of one repeat and fold (-1: of all), and what the fits chose or why they failed."""
    launch(devices, nodes, device)
    made = tables.read_examples(examples, blocks)
    rows = tables.read(splits, tables.SPLITS)
    rows = rows[((rows["repeat"] == repeat) | (repeat < 0)) & ((rows["fold"] == fold) | (fold < 0))]
    found, chosen, failures = fit_or_resume(
        made,
        rows,
        folder=predictions.parent / NAME,
        sources=[examples, blocks, splits],
        task=task,
        name=name,
        use=use,
        blocks=inputs,
        options=options,
        times=grid(horizon),
        seed=seed,
        device=device,
        tolerate=tolerate,
        permuted=permuted,
        harmonise=harmonise,
    )
    part()
    if leads():
        kept = set_aside(chosen, notes)
        tables.write({"fits": chosen, "failures": failures, **kept}, notes)
        tables.write(found, predictions)


if __name__ == "__main__":
    main(run)
