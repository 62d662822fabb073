"""A map over the brain: three slices through its highest peak."""

from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from triptych.figures._style import BLUE, MUTED, ORANGE, WIDTH, escaped

SHOWN = 0.95  # the share of voxels that the colours leave out
AXES = (("x", 0, (1, 2)), ("y", 1, (0, 2)), ("z", 2, (0, 1)))


def draw(values: np.ndarray, under: np.ndarray, affine: np.ndarray, label: str, unit: str) -> Figure:
    """Sagittal, coronal and axial slices of a map (x, y, z) over a brain on the same grid; x runs from left to right.

    Parameters
    ----------
    under
        Intensities of the brain beneath.
    affine
        Voxel to millimetres, without rotation.
    unit
        Of the values, in words.
    """
    peak = np.unravel_index(int(np.argmax(values)), values.shape)
    low = float(np.quantile(values, SHOWN))
    low, high = low, max(float(values.max()), low + 1e-6)
    colours = LinearSegmentedColormap.from_list("heat", [BLUE, ORANGE])
    figure = Figure(figsize=(WIDTH, 2.9))
    shown: Any = None
    for place, (name, axis, across) in enumerate(AXES):
        axes = figure.add_axes((0.02 + 0.3 * place, 0.06, 0.28, 0.76))
        ends = [affine[k, 3] + affine[k, k] * (np.array([0, values.shape[k]]) - 0.5) for k in across]
        how: dict[str, Any] = {"origin": "lower", "extent": (*ends[0], *ends[1]), "interpolation": "nearest"}
        axes.imshow(np.take(under, peak[axis], axis).T, cmap="gray", **how)
        part = np.take(values, peak[axis], axis).T
        shown = axes.imshow(np.ma.masked_less(part, low), cmap=colours, vmin=low, vmax=high, alpha=0.75, **how)
        axes.set_title(f"{name} = {affine[axis, 3] + affine[axis, axis] * peak[axis]:.0f} mm", fontsize=8, color=MUTED)
        axes.set_axis_off()
    bar = figure.add_axes((0.93, 0.14, 0.012, 0.6))
    figure.colorbar(shown, cax=bar)
    bar.tick_params(labelsize=6.4)
    figure.text(
        0.02,
        0.95,
        escaped(f"{label}: {unit}, the highest {1 - SHOWN:.0%}"),
        va="top",
        fontsize=8,
    )
    return figure
