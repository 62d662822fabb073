"""What pairs of like vectors say about ids: one finding with every pair, its score and its margin."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.audit._context import Context, looked
from triptych.audit._pairs import of_the_task, one_person, sets
from triptych.audit._people import person
from triptych.likeness.match import Matches

MEASURE = "score of the least alike pair, standard deviations among strangers"


@dataclass(frozen=True)
class Alike:
    """Pairs among some rows: what was compared, which rows, the pairs, and the rows that must take part."""

    what: str
    rows: np.ndarray
    matches: Matches
    mine: np.ndarray


def same_files(content: pd.DataFrame, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows of different people whose files are equal to the last bit."""
    first, second = [], []
    for rows in content.groupby("sha256").indices.values():
        for other in rows[1:]:
            if who[other] != who[rows[0]]:
                first.append(rows[0])
                second.append(other)
    return np.array(first, int), np.array(second, int)


def alike(
    context: Context,
    keys: pd.DataFrame,
    found: list[Alike],
    copies: tuple[np.ndarray, np.ndarray] = (np.zeros(0, int), np.zeros(0, int)),
) -> pd.DataFrame:
    """One finding over everything that was compared; silence says what was compared and what known pairs would have scored."""
    first, second, said, score = [*copies[0]], [*copies[1]], ["the same file"] * len(copies[0]), [np.inf] * len(copies[0])
    for one in found:
        m = one.matches
        for i, j, z, cosine, margin in zip(m.first, m.second, m.score, m.cosine, m.margin, strict=True):
            if one.mine[one.rows[i]] or one.mine[one.rows[j]]:
                first.append(one.rows[i])
                second.append(one.rows[j])
                said.append(f"{one.what}: score {z:.1f}, threshold {m.threshold:.1f}, margin {margin:.1f}, cosine {cosine:.2f}")
                score.append(z)
    threshold = max((one.matches.threshold for one in found), default=np.nan)
    a, b = np.array(first, int), np.array(second, int)
    mine = of_the_task(context, keys, a, b) if len(a) else np.zeros(0, bool)
    compared = "; ".join(_compared(one) for one in found)
    if not mine.any():
        return looked(f"no two people are alike: {compared}", measure=MEASURE, threshold=threshold)
    best: dict[tuple[str, str], tuple[float, str]] = {}
    who = person(keys).to_numpy()
    for k in np.flatnonzero(mine):
        pair = (min(who[a[k]], who[b[k]]), max(who[a[k]], who[b[k]]))
        best[pair] = max(best.get(pair, (-np.inf, "")), (score[k], said[k]))
    named = [f"{p} = {q} ({text})" for (p, q), (_, text) in sorted(best.items(), key=lambda item: -item[1][0])]
    label, members = sets(keys, a[mine], b[mine])
    message = f"{len(named)} pairs of ids in {len(members)} sets show one person ({compared})"
    return one_person(
        context, keys, label, named, message, measure=MEASURE, value=min(z for z, _ in best.values()), threshold=threshold
    )


def _compared(one: Alike) -> str:
    known, hit = one.matches.known
    calibrated = f", and finds {hit} of {known} pairs of one person by id" if known else ""
    return f"{one.what}, {one.matches.pairs:,} pairs of different ids, threshold {one.matches.threshold:.1f}{calibrated}"
