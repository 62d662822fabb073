"""The nets of test_parallel.py and test_checkpoints.py, and how they are trained."""

import json
import time
from pathlib import Path

import numpy as np
import torch

from triptych.checkpoints import Keep, keeping
from triptych.launching import part
from triptych.nets.mlp import MLP
from triptych.parallel import forward, mine
from triptych.processes import leads
from triptych.survival.losses import CoxLoss
from triptych.training import Schedule, batch_rows, train

ROWS = 37
CASES = {  # rows of a step, dropout, whether rows are held out, whether a process looks at its own rows only
    "all rows": (ROWS, 0.0, False),
    "last batch of 7": (10, 0.0, False),
    "last batch of 1": (9, 0.0, False),
    "dropout and early stopping": (10, 0.3, True),
    "each its own rows": (10, 0.3, True, True),
}


def cohort():
    """Inputs (rows, 3), times with many ties, events."""
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, 3))
    return torch.as_tensor(x), np.ceil(random.exponential(4 * np.exp(-x[:, 0]))), random.random(ROWS) < 0.7


def objective(rows, own=False, efron=True):
    """Net -> Cox loss of some rows."""
    x, time_, event = cohort()
    loss = CoxLoss(time_[rows], event[rows], ties="efron" if efron else "breslow")
    if own:
        return lambda net: loss(forward(net, x[rows[mine(len(rows))]], len(rows)), reduction="mean")
    return lambda net: loss(forward(net, x[rows]), reduction="mean")


def run(batch, dropout, held_out, own=False, epochs=25, pause=0.0):
    """History and weights of a training in float64."""
    torch.manual_seed(3)
    net = MLP(3, (8,), dropout=dropout).double()
    kept = np.arange(ROWS) < (8 if held_out else 0)
    learned = np.flatnonzero(~kept)

    def batches(epoch):
        for rows in batch_rows(len(learned), batch, 5, epoch):
            time.sleep(pause)
            yield objective(learned[rows.numpy()], own)

    schedule = Schedule(epochs, 0.05, weight_decay=0.01, decay=0.02, patience=12 if held_out else 0)
    history = train(net, batches, schedule, objective(np.flatnonzero(kept), own) if held_out else None)
    return {"history": history, "weights": [p.detach().ravel().tolist() for p in net.parameters()]}


def write_all(out, keep, pause):
    """Train every net in each process of a group, and write what the first one found."""
    with keeping(Keep(Path(keep), "told"), "seen"):
        found = {name: run(*case, pause=pause) for name, case in CASES.items()}
    part()
    if leads():
        Path(out).write_text(json.dumps(found))
