"""What an expression profile looks like, whatever its unit: the ranks of its genes, each within the sample."""

import numpy as np
from scipy import stats

COMMON = 0.5  # a gene is used that is known in this share of the samples, at least


def embed(values: np.ndarray) -> np.ndarray:
    """Ranks (n, genes), float32, between 0 and 1 within each sample; unknown genes stay no-numbers.

    Counts, counts per million and their logarithms have the same ranks. What a gene shifts in all samples of a cohort (its
    length, say) leaves with the cohort's mean in ``pairs.find``.

    Parameters
    ----------
    values
        Samples by genes (n, genes).
    """
    ranks = stats.rankdata(values, axis=1, nan_policy="omit")
    return (ranks / (np.sum(~np.isnan(ranks), axis=1, keepdims=True) + 1)).astype(np.float32)
