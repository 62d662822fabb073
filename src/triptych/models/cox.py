"""Cox proportional hazards with Efron ties; a ridge penalty may be given or chosen by cross-validated partial likelihood."""

import re
from dataclasses import dataclass
from typing import Literal

from triptych.errors import DataError
from triptych.models._inputs import fit_encoder, inner_folds
from triptych.models._linear import LinearCox, finish
from triptych.survival.cox import fit_cox, select_ridge
from triptych.tables import Examples

TASKS = ("survival",)
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """``ridge``: no penalty when empty; one value is used as it is; of several the best is chosen inside training."""

    ties: Literal["efron", "breslow"] = "efron"
    ridge: tuple[float, ...] = ()
    inner_folds: int = 5


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> LinearCox:
    """Fit by Newton's method (Cox 1972; ties: Efron 1977).

    Raises
    ------
    DataError
        When there is no penalty and as many columns as events or more: the coefficients are not identifiable.
    """
    encoder = fit_encoder(train, blocks)
    x, time, event = encoder(train), train.time, train.event
    if not options.ridge and x.shape[1] >= event.sum():
        raise DataError(
            f"a Cox model without penalty cannot be fitted to {x.shape[1]} columns and {int(event.sum())} events; "
            "give it a penalty (`ridge: [1, 10, 100]`) or fewer inputs"
        )
    penalty = 0.0
    if len(options.ridge) == 1:
        penalty = options.ridge[0]
    elif options.ridge:
        penalty = select_ridge(x, time, event, options.ridge, inner_folds(train, options.inner_folds, seed))
    try:
        model = fit_cox(x, time, event, ties=options.ties, l2=penalty)
    except DataError as error:
        raise DataError(_in_words(str(error), encoder.names)) from error
    return finish(encoder, model.beta, x, time, event, options.ties, {"ridge": penalty, "columns": x.shape[1]})


def _in_words(message: str, names: list[str]) -> str:
    """The solver's message in the words of a study: columns by name, the option that is the penalty."""
    named = re.sub(r"column (\d+) of x", lambda found: f"column {names[int(found[1])]!r}", message)
    return named.replace("a penalty (l2 > 0)", "a penalty (`ridge: [1, 10, 100]`)")
