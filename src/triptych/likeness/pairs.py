"""Which rows show one subject: pairs that are more alike than chance among strangers of the same data explains.

No fixed likeness parts copies from strangers: heads of one study reach a cosine of .8, tiles of noise hardly .2. So the
threshold is taken from the data: the tail of all pairs of strangers is extended to where one pair in all is expected
with probability ALPHA.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from triptych.errors import NotEstimableError

FEWEST = 20  # subjects, to know how alike strangers are
COPIES = 8  # so many copies of one subject may lie in the data; what more rows share is no mark of one subject
ALPHA = 0.01  # chance of one false pair in all, if the tail is what its upper part says
TAIL, TOP = 0.1, 0.01  # shares of pairs between which the tail is measured: above TOP lie, perhaps, the copies
BLOCK = 2048
BINS = 20_000
SCARCE = 20.0  # columns that both rows know: with so few the likeness counts half
OWN_MEAN = 10  # rows of one origin from which on its own mean is taken off


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows that show one subject, the most alike first.

    Attributes
    ----------
    first, second
        Rows, int (k,).
    score
        Likeness (k,): the largest cosine over the views.
    threshold
        From where on a pair counts.
    strangers
        The largest likeness that is below it.
    """

    first: np.ndarray
    second: np.ndarray
    score: np.ndarray
    threshold: float
    strangers: float


def find(vectors: np.ndarray, subject: np.ndarray, origin: np.ndarray | None = None) -> Pairs:
    """Find the rows of different subjects that are alike.

    Parameters
    ----------
    vectors
        What the rows look like (n, d), or (n, v, d) with v views of each (the mirror image, say); the first is the row itself.
    subject
        Code (n,) of whom a row is said to show; rows of one subject are not compared.
    origin
        Code (n,) of where a row comes from; rows of each origin are measured from their own mean.

    Raises
    ------
    NotEstimableError
        With fewer than FEWEST subjects.
    """
    n_subjects = len(np.unique(subject))
    if n_subjects < FEWEST:
        raise NotEstimableError(
            f"{n_subjects} subjects: fewer than the {FEWEST} that it takes to know how alike strangers are"
        )
    views = (vectors[:, None] if vectors.ndim == 2 else vectors).astype(np.float32)
    known = None if not np.isnan(views).any() else ~np.isnan(views)
    views = _without_what_many_share(_centred(views, origin), known)
    threshold = _threshold(views, known, subject)
    kept, strangers = [], -1.0
    for start, scores in _blocks(views, known, subject):
        hit = scores >= threshold
        strangers = max(strangers, float(np.max(scores, where=~hit, initial=-1.0)))
        i, j = np.nonzero(hit)
        kept.append((i + start, j, scores[i, j]))
    first, second, score = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = np.argsort(-score, kind="stable")
    return Pairs(first[order], second[order], score[order], threshold, strangers)


def _centred(views: np.ndarray, origin: np.ndarray | None) -> np.ndarray:
    """Views without the mean of their origin (small origins are one), at length 1; what is unknown is 0."""
    codes = np.zeros(len(views), int) if origin is None else 1 + np.unique(origin, return_inverse=True)[1]
    codes = np.where(np.bincount(codes)[codes] < OWN_MEAN, 0, codes)
    for code in np.unique(codes):
        rows = codes == code
        views[rows] -= _mean(views[rows])
    return _at_length_1(np.nan_to_num(views))


def _mean(views: np.ndarray) -> np.ndarray:
    """Mean (d,) over rows and views; 0 where nothing is known."""
    known = ~np.isnan(views)
    return np.where(known, views, 0).sum(axis=(0, 1)) / np.maximum(known.sum(axis=(0, 1)), 1)


def _at_length_1(views: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(views, axis=2, keepdims=True)
    return views / np.where(length > 1e-12, length, 1)


def _without_what_many_share(views: np.ndarray, known: np.ndarray | None) -> np.ndarray:
    """Views without directions that are stronger than COPIES equal rows would make them: batches, kinds, sizes."""
    n, v, d = views.shape
    flat = views.reshape(-1, d)
    wide = n * v <= d
    gram = flat @ flat.T if wide else flat.T @ flat
    values, ways = linalg.eigh(gram, subset_by_value=(COPIES + n * v / d, np.inf), check_finite=False)
    if not len(values):
        return views
    ways = (flat.T @ ways) / np.sqrt(values) if wide else ways
    flat = flat - (flat @ ways) @ ways.T
    if known is not None:
        seen = known.reshape(-1, d)
        for row in np.flatnonzero(~seen.all(axis=1)):  # a direction is measured on what is known of the row
            here, old = seen[row], views.reshape(-1, d)[row]
            flat[row] = np.where(here, old - ways @ linalg.lstsq(ways[here], old[here], check_finite=False)[0], 0)
    return _at_length_1(flat.reshape(views.shape))


def _blocks(views: np.ndarray, known: np.ndarray | None, subject: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """First row, and likeness (rows, n) to all rows; -1 where a pair is not compared, or has come before."""
    n = len(views)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        scores = np.full((stop - start, n), -1.0, np.float32)
        for k in range(views.shape[1]):
            cosine = views[start:stop, 0] @ views[:, k].T
            if known is not None:
                cosine *= _share(views, known, slice(start, stop), k)
            np.maximum(scores, cosine, out=scores)
        scores[(subject[start:stop, None] == subject) | (np.arange(start, stop)[:, None] >= np.arange(n))] = -1.0
        yield start, scores


def _share(views: np.ndarray, known: np.ndarray, rows: slice, k: int) -> np.ndarray:
    """What turns a product into the cosine over the columns that both rows know; nearer to 0 where these are few."""
    mine, theirs = known[rows, 0].astype(np.float32), known[:, k].astype(np.float32)
    lengths = (np.square(views[rows, 0]) @ theirs.T) * (mine @ np.square(views[:, k]).T)
    both = mine @ theirs.T
    return both / (both + SCARCE) / np.sqrt(np.maximum(lengths, 1e-12))


def _threshold(views: np.ndarray, known: np.ndarray | None, subject: np.ndarray) -> float:
    """Where the tail of strangers leaves ALPHA pairs in all; pairs beyond it are none, and it is measured again without them."""
    edges = np.linspace(-1, 1, BINS + 1)
    counts = np.zeros(BINS, int)
    for _, scores in _blocks(views, known, subject):
        counts += np.histogram(scores[scores > -1], edges)[0]
    while True:
        threshold = _end_of_tail(counts, edges, len(views))
        beyond = edges[:-1] >= threshold
        if not counts[beyond].any():
            return threshold
        counts = np.where(beyond, 0, counts)


def _end_of_tail(counts: np.ndarray, edges: np.ndarray, n: int) -> float:
    """The upper part of a histogram extended as an exponential tail, of arctanh of the likeness: cosines near 1 lie far apart."""
    pairs = int(counts.sum())
    above = counts[::-1].cumsum()[::-1] / pairs
    top = max(TOP, n / 4 / pairs)  # room for a copy of each fourth row
    tail = max(TAIL, 4 * top)
    low, high = (np.arctanh(edges[np.argmax(above <= share)]) for share in (tail, top))
    return float(np.tanh(high + (high - low) / np.log(tail / top) * np.log(top * pairs / ALPHA)))
