"""Cox partial likelihood as a torch loss with an analytic gradient, exact under ties and for extreme log risks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from triptych.errors import DataError
from triptych.survival.risk_intervals import RiskIntervals, segment_logsumexp, segment_sum
from triptych.survival.risk_sets import RiskSets, build

# exp of a range up to this keeps every risk above 1e-261 in float64: sums of positive terms are then exact
_LINEAR_RANGE = 600.0


@dataclass(frozen=True)
class _Tensors:
    """One stratum on one device, rows sorted by falling time; the names are those of `RiskSets`.

    last : (K,) last row at risk of each event time. latest : (n,) one more than the last event time at or before
    each row's time, 0 if none. efron : whether there are ties that Efron's rule splits; if not, there is
    one denominator per event time. weight_range : log of the largest over the smallest weight.
    intervals : with delayed entry, who is at risk when.
    """

    rows: Tensor
    weight: Tensor | None
    last: Tensor
    latest: Tensor
    deaths: Tensor
    death_weight: Tensor
    group: Tensor
    fraction: Tensor
    mean_weight: Tensor
    n_times: int
    efron: bool
    weight_range: float
    intervals: RiskIntervals | None


def _tensors(sets: RiskSets, device: torch.device) -> _Tensors:
    n = sets.rows.size
    efron = bool(sets.fraction.any())

    def put(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.copy()).to(device)  # copies: torch takes no negative strides

    weight = None if np.all(sets.weight == 1) else put(sets.weight[::-1])
    group, fraction, mean_weight = sets.group, sets.fraction, sets.mean_weight
    if not efron:
        # without Efron's rule the denominators of one event time are equal: keep one, with their summed weight
        group = np.arange(sets.event_times.size)
        fraction, mean_weight = np.zeros(group.size), np.add.reduceat(sets.weight[sets.deaths], sets.starts)
    latest = np.searchsorted(sets.event_times, sets.time, side="right")
    intervals = None
    if sets.entry is not None:
        begin = np.searchsorted(sets.event_times, sets.entry, side="right")
        intervals = RiskIntervals(begin[::-1], latest[::-1], sets.event_times.size, device)
    return _Tensors(
        rows=put(sets.rows[::-1]),
        weight=weight,
        last=put(n - 1 - sets.first),
        latest=put(latest[::-1]),
        deaths=put(n - 1 - sets.deaths),
        death_weight=put(sets.weight[sets.deaths]),
        group=put(group),
        fraction=put(fraction),
        mean_weight=put(mean_weight),
        n_times=sets.event_times.size,
        efron=efron,
        weight_range=float(np.log(sets.weight.max() / sets.weight.min())),
        intervals=intervals,
    )


def _linear(part: _Tensors, h: Tensor, top: Tensor) -> tuple[Tensor, Tensor]:
    """Loss and gradient, (n,), from plain sums; for log risks h, (n,), whose range is below `_LINEAR_RANGE`."""
    h = h - top
    risk = torch.exp(h) if part.weight is None else torch.exp(h) * part.weight
    whole = torch.cumsum(risk, 0)[part.last] if part.intervals is None else part.intervals.sums(risk)
    if part.efron:
        tied = segment_sum(risk[part.deaths], part.group, part.n_times)
        denominator = whole[part.group] - part.fraction * tied[part.group]
        inverse = part.mean_weight / denominator
        steps = segment_sum(inverse, part.group, part.n_times)
    else:
        denominator = whole
        steps = inverse = part.mean_weight / whole
    loss = torch.dot(part.mean_weight, torch.log(denominator)) - torch.dot(part.death_weight, h[part.deaths])
    if part.intervals is None:
        rate = torch.nn.functional.pad(torch.cumsum(steps, 0), (1, 0))[part.latest]
    else:
        rate = part.intervals.rates(steps)
    if part.efron:
        rate[part.deaths] -= segment_sum(part.fraction * inverse, part.group, part.n_times)[part.group]
    gradient = risk * rate
    gradient[part.deaths] -= part.death_weight
    return loss, gradient


def _logarithmic(part: _Tensors, h: Tensor, top: Tensor) -> tuple[Tensor, Tensor]:
    """As `_linear`, with every sum in log space, for log risks of any finite range."""
    h = h - top
    weighted = h if part.weight is None else h + torch.log(part.weight)
    group, who = part.group, part.intervals
    whole = torch.logcumsumexp(weighted, 0)[part.last] if who is None else who.log_sums(weighted)
    log_denominator = whole[group]
    if part.efron:
        tied = segment_logsumexp(weighted[part.deaths], group, part.n_times)
        share = torch.exp(torch.clamp(tied - whole, max=0.0))
        log_denominator = log_denominator + torch.log1p(-part.fraction * share[group])
    loss = torch.dot(part.mean_weight, log_denominator) - torch.dot(part.death_weight, h[part.deaths])
    log_inverse = torch.log(part.mean_weight) - log_denominator
    steps = segment_logsumexp(log_inverse, group, part.n_times)
    if who is None:
        log_rate = torch.nn.functional.pad(torch.logcumsumexp(steps, 0), (1, 0), value=-torch.inf)[part.latest]
    else:
        log_rate = who.log_rates(steps)
    gradient = torch.exp(weighted + log_rate)
    if part.efron:
        relief = segment_logsumexp(torch.log(part.fraction) + log_inverse, group, part.n_times)[group]
        gradient[part.deaths] -= torch.exp(weighted[part.deaths] + relief)
    gradient[part.deaths] -= part.death_weight
    return loss, gradient


class _CoxFunction(torch.autograd.Function):
    """The gradient falls out of the forward pass; backward only scales it."""

    @staticmethod
    def forward(ctx: Any, log_risk: Tensor, parts: list[_Tensors], scale: float) -> Tensor:
        # float32 running sums lose the gradient at n = 1e6, so all of them are float64
        h = log_risk.detach().to(torch.float64)
        total = torch.zeros((), dtype=torch.float64, device=h.device)
        gradient = torch.zeros_like(h)
        for part in parts:
            own = h[part.rows]
            low, top = torch.aminmax(own)
            path: Callable[..., tuple[Tensor, Tensor]] = (
                _linear if top - low + part.weight_range < _LINEAR_RANGE else _logarithmic
            )
            loss, slope = path(part, own, top)
            total = total + loss
            gradient[part.rows] = slope
        ctx.save_for_backward(gradient * scale)
        return (total * scale).to(log_risk.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient.to(upstream.dtype) * upstream, None, None


def _array(values: ArrayLike | Tensor | None) -> np.ndarray | None:
    if isinstance(values, Tensor):
        return values.detach().cpu().numpy()
    return None if values is None else np.asarray(values)


class CoxLoss:
    """Minus the log partial likelihood of one fixed set of rows, sorted once, evaluated for many log risks.

    Value and gradient do not depend on the order of the rows nor on a common shift, and are finite for log risks to
    1e4 and beyond. Sums run in float64 whatever the input.

    Parameters
    ----------
    time, event, weights, entry : (n,) arrays or tensors, as in `checks.survival_arrays`.
    ties : "efron" or "breslow"; the same rule as `cox.log_partial_likelihood`.
    strata : (n,) labels, optional; risk sets stay within a stratum.

    Attributes
    ----------
    n, n_events : rows, and events of positive weight. Without events the loss is 0 and so is its gradient; a caller
        that counts such batches reads n_events.

    Raises
    ------
    DataError
        Bad input, naming the row.
    """

    def __init__(
        self,
        time: ArrayLike | Tensor,
        event: ArrayLike | Tensor,
        *,
        ties: str = "efron",
        strata: ArrayLike | Tensor | None = None,
        entry: ArrayLike | Tensor | None = None,
        weights: ArrayLike | Tensor | None = None,
    ) -> None:
        if ties == "exact":
            raise DataError("CoxLoss offers efron and breslow ties")
        times, events = _array(time), _array(event)
        assert times is not None
        assert events is not None
        self._sets = build(times, events, ties, _array(weights), _array(strata), _array(entry))
        self._placed: dict[torch.device, list[_Tensors]] = {}
        self.n = int(times.shape[0])
        self.n_events = int(sum(sets.deaths.size for sets in self._sets))

    def __call__(self, log_risk: Tensor, *, reduction: str = "sum") -> Tensor:
        """Scalar loss of log_risk, shape (n,) or (n, 1), in its dtype and on its device.

        reduction : "sum", or "mean" for the loss per event.

        DataError where log_risk has another length, or a NaN or infinite value (naming the row).
        """
        if reduction not in ("sum", "mean"):
            raise DataError(f"reduction must be 'sum' or 'mean', not {reduction!r}")
        if log_risk.shape not in ((self.n,), (self.n, 1)):
            raise DataError(f"log_risk has shape {tuple(log_risk.shape)}, expected ({self.n},)")
        flat = log_risk.reshape(self.n)
        self._check_finite(flat)
        device = flat.device
        if device not in self._placed:
            self._placed[device] = [_tensors(sets, device) for sets in self._sets]
        scale = 1.0 / max(self.n_events, 1) if reduction == "mean" else 1.0
        return _CoxFunction.apply(flat, self._placed[device], scale)

    @staticmethod
    def _check_finite(flat: Tensor) -> None:
        values = flat.detach()
        # a sum is finite only if every term is; it can also overflow, so look closer before complaining
        if torch.isfinite(values.sum(dtype=torch.float64)):
            return
        bad = ~torch.isfinite(values)
        if bad.any():
            row = int(torch.nonzero(bad)[0])
            raise DataError(f"log_risk is {float(values[row]):g} in row {row}; it must be finite")
