"""What a few columns alone can tell: a linear model with a ridge penalty (Cox, logistic or linear, by the kind of the outcome).

Columns that tell nothing in training, such as a single site, give the same prediction for everyone.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from triptych.models import cox, dummy, kaplan_meier, logistic, ridge
from triptych.models._inputs import NoInputError
from triptych.tables import Examples

TASKS = ("survival", "classification", "regression")
NEEDS = ("table",)


@dataclass(frozen=True)
class Options:
    """Penalties to choose from inside training."""

    ridge: tuple[float, ...] = (1, 10, 100, 1000)


# With inputs, and without any.
LEARNERS: dict[str, tuple[ModuleType, ModuleType]] = {
    "survival": (cox, kaplan_meier),
    "classification": (logistic, dummy),
    "regression": (ridge, dummy),
}


def fit(train: Examples, options: Options, *, blocks: list[str], seed: int, device: str) -> Any:
    """Fit the linear model of the outcome's kind; without usable columns, the null model."""
    learner, null = LEARNERS[train.kind]
    try:
        return learner.fit(train, learner.Options(ridge=options.ridge), blocks=blocks, seed=seed, device=device)
    except NoInputError:
        return null.fit(train, null.Options(), blocks=[], seed=seed, device=device)
