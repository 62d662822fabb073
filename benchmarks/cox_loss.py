"""Cox loss and gradient in torch: ours against torchsurv and against a bare sort with logcumsumexp."""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from measure import alternate, extra_megabytes, milliseconds, table
from torch import Tensor
from torchsurv.loss.cox import neg_partial_log_likelihood

from triptych.survival.cox import log_partial_likelihood
from triptych.survival.losses import CoxLoss


def cohort(n: int, step: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Tensor]:
    rng = np.random.default_rng(seed)
    time = rng.exponential(1000, n)
    time = np.ceil(time / step) * step if step else time
    return time, rng.random(n) < 0.5, torch.tensor(rng.normal(size=n), dtype=torch.float32, requires_grad=True)


def bare(log_risk: Tensor, event: Tensor, time: Tensor) -> Tensor:
    """What many projects write by hand: no rule for ties, sorted at every call."""
    order = torch.argsort(time, descending=True)
    h = log_risk[order]
    return -(h - torch.logcumsumexp(h, 0))[event[order]].sum()


def step_of(loss: Callable[[Tensor], Tensor], log_risk: Tensor) -> Callable[[], Tensor]:
    def step() -> Tensor:
        log_risk.grad = None
        value = loss(log_risk)
        value.backward()
        return value

    return step


def rows_at(n: int, days: float, repeats: int) -> list[list[object]]:
    time, event, log_risk = cohort(n, days)
    t, e = torch.tensor(time, dtype=torch.float32), torch.tensor(event)
    rows: list[list[object]] = []
    for ties in ("efron", "breslow"):
        loss = CoxLoss(time, event, ties=ties)
        steps = {
            "ours": step_of(loss, log_risk),
            "ours, sorting too": step_of(lambda h, ties=ties: CoxLoss(time, event, ties=ties)(h), log_risk),
            "torchsurv": step_of(
                lambda h, ties=ties: neg_partial_log_likelihood(h, e, t, ties_method=ties, reduction="sum"), log_risk
            ),
            "bare": step_of(lambda h: bare(h, e, t), log_risk),
        }
        s = alternate(steps, repeats)
        rows.append(
            [
                f"{n:,}, " + (f"{days:.0f}-day ties" if days else "no ties"),
                ties,
                milliseconds(s["ours"]),
                f"{extra_megabytes(steps['ours']):.0f}",
                milliseconds(s["ours, sorting too"]),
                f"{milliseconds(s['torchsurv'])} ({s['torchsurv'] / s['ours']:.1f}x)",
                f"{milliseconds(s['bare'])} ({s['bare'] / s['ours']:.1f}x)",
            ]
        )
    return rows


def extreme_rows(n: int = 2000) -> list[list[object]]:
    """Loss and whether the gradient is finite, where log risks are wide or shifted."""
    time, event, log_risk = cohort(n, 30)
    t, e, h = torch.tensor(time, dtype=torch.float32), torch.tensor(event), log_risk.detach()
    rows: list[list[object]] = []
    for name, values in (("as drawn", h), ("+ 1000", h + 1000), ("x 100", 100 * h), ("x 3000", 3000 * h)):
        exact = -log_partial_likelihood(values.double().numpy(), time, event)
        cells: list[object] = [name, f"{exact:.6g}"]
        losses: tuple[Callable[[Tensor], Tensor], ...] = (
            CoxLoss(time, event),
            lambda x: neg_partial_log_likelihood(x, e, t, ties_method="efron", reduction="sum"),
        )
        for loss in losses:
            leaf = values.clone().requires_grad_()
            value = loss(leaf)
            value.backward()
            finite = leaf.grad is not None and bool(torch.isfinite(leaf.grad).all())
            cells.append(f"{value.item():.6g}, gradient {'finite' if finite else 'not finite'}")
        rows.append(cells)
    return rows


def main() -> str:
    """Print and return the markdown section."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    rows = rows_at(100_000, 30, 9) + rows_at(100_000, 0, 9) + rows_at(1_000_000, 30, 3)
    header = ["n, times", "ties rule", "ours ms", "extra MB", "ours, sorting at every call", "torchsurv ms (ratio)"]
    text = "## Cox loss with gradient, float32, one CPU thread\n\n"
    text += table([*header, "bare sort + logcumsumexp ms (ratio)"], rows)
    text += "\n\nMedians of alternating runs. `CoxLoss` sorts once, when it is made; the others sort at every call.\n\n"
    text += "Efron's loss of 2,000 rows with 30-day ties at extreme log risks:\n\n"
    text += table(["log risks", "float64, log space", "ours, float32", "torchsurv, float32"], extreme_rows()) + "\n"
    print(text)
    return text


if __name__ == "__main__":
    main()
