"""Intensities on one scale: MRI has no unit, and a model would read the scanner's gain."""

import numpy as np

LOW, HIGH = 1.0, 99.0  # percentiles within the brain
MOST = 1.5  # brighter voxels (vessels, left-over scalp) count as this


def normalise(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Brain with its 1st percentile at 0 and its 99th at 1, clipped to 0..1.5, 0 outside; float32.

    The same whatever the intensities were multiplied with or raised by. Percentiles, since a few vessels would carry a range,
    and a mean depends on how much fluid the mask holds.

    Parameters
    ----------
    values
        Intensities.
    mask
        The brain, bool, at least one voxel.
    """
    low, high = np.percentile(values[mask], [LOW, HIGH])
    scaled = (values - low) / max(high - low, np.finfo(np.float32).tiny)
    return np.where(mask, np.clip(scaled, 0, MOST), 0).astype(np.float32)
