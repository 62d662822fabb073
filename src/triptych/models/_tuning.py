"""Options of nets that may be lists of candidates, of which one is chosen inside training."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from triptych.errors import DataError

TUNED = ("learning_rate", "weight_decay", "dropout")


def candidates(options: Any, seed: int) -> list[Any]:
    """All combinations of the candidates of some ``Options``, or ``trials`` of them at random; one when no option is a list.

    Raises
    ------
    DataError
        For an empty list, or several candidates and no rows to compare them on.
    """
    lists = {name: _as_list(getattr(options, name)) for name in TUNED}
    if empty := [name for name, values in lists.items() if not values]:
        raise DataError(f"`{empty[0]}:` is an empty list; name a value, or several to choose from")
    grid = list(product(*lists.values()))
    if 0 < options.trials < len(grid):
        drawn = np.random.default_rng(seed).permutation(len(grid))[: options.trials]
        grid = [grid[k] for k in sorted(drawn)]
    if len(grid) > 1 and not options.held_out:
        raise DataError(
            f"{len(grid)} candidates of {', '.join(name for name in TUNED if len(lists[name]) > 1)} are compared on rows that "
            "are held out, and `held_out: 0` keeps none; say `held_out: 5`, or name one value of each"
        )
    return [replace(options, **dict(zip(TUNED, values, strict=True))) for values in grid]


def tuned(options: Any) -> dict[str, float]:
    """The values of one candidate."""
    return {name: getattr(options, name) for name in TUNED}


def _as_list(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
