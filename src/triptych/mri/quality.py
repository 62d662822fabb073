"""How good a scan and its preprocessing are, in numbers, and which of them cannot be used.

Limits are fixed and know nothing of outcomes: whoever leaves does so before anything looks at a label.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from triptych.mri.bias import Corrected
from triptych.mri.register import Registration
from triptych.mri.segment import Tissues
from triptych.mri.turned import Fit
from triptych.mri.volume import Volume

FITS = 0.3  # least correlation with the template as it is (docs/mri-preprocessing.md)
MARGIN = 0.1  # least of what that is more than with the template turned
SCALE = (0.4, 1.8)  # of the brain's volume over the template's, by the affine
SHEAR = 1.7  # most
BRAIN = (600.0, 2400.0)  # ml
CONTRAST = (
    "the intensities are not those of a T1-weighted scan: fluid, grey and white matter should be brighter in this order"
)


@dataclass(frozen=True)
class Fault:
    """Why a scan cannot be used, and what to do."""

    reason: str
    advice: str


def measures(
    corrected: Corrected, mask: Volume, registration: Registration, fit: Fit, tissues: Tissues
) -> dict[str, float]:
    """The measures of ``columns.QUALITY``."""
    fluid, grey, _ = tissues.volumes / tissues.volumes.sum()
    (_, grey_mean, white_mean), (_, grey_sd, white_sd) = tissues.mean, tissues.deviation
    return {
        "mri_qc_dice": registration.dice,
        "mri_qc_correlation": registration.correlation,
        "mri_qc_fit": fit.upright,
        "mri_qc_margin": fit.margin,
        "mri_qc_scale": registration.scale,
        "mri_qc_shear": registration.shear,
        "mri_qc_field": corrected.range_in(mask),
        "mri_qc_border": on_border(mask.values > 0.5),
        "mri_qc_snr": float(white_mean / white_sd),
        "mri_qc_cnr": float((white_mean - grey_mean) / np.hypot(grey_sd, white_sd)),
        "mri_qc_gm_share": float(grey),
        "mri_qc_csf_share": float(fluid),
    }


def on_border(mask: np.ndarray) -> float:
    """Share of a mask's surface voxels that lie on the border of the image: the field of view cuts the brain there."""
    surface = mask & ~ndimage.binary_erosion(mask, border_value=0)
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1, 1:-1] = True
    n = np.count_nonzero(surface)
    return float(np.count_nonzero(surface & ~inner) / n) if n else 0.0


def faults(quality: dict[str, float], brain_ml: float, means: np.ndarray, least_dice: float, way: str) -> list[Fault]:
    """What makes a scan unusable, worst first; nothing when it is usable.

    Parameters
    ----------
    quality
        From ``measures``.
    brain_ml
        Volume of the brain mask.
    means
        Intensity of fluid, grey and white matter (3,).
    least_dice
        From the study.
    way
        How the template is turned that fits best of those that are turned.
    """
    look = "look at its picture; correct the orientation in the header, or leave the scan out"
    found = []
    fit, other = quality["mri_qc_fit"], quality["mri_qc_fit"] - quality["mri_qc_margin"]
    if turned := other >= FITS and other > fit:
        words = f"the orientation is wrong, or the registration: the brain fits the template {way} (correlation {other:.2f})"
        found.append(Fault(f"{words}, not as it was laid on it ({fit:.2f})", look))
    if quality["mri_qc_dice"] < least_dice:
        words = f"the registration failed: the brain and the template's overlap by Dice {quality['mri_qc_dice']:.2f}"
        found.append(Fault(f"{words}, less than {least_dice:g}", look))
    if not BRAIN[0] <= brain_ml <= BRAIN[1]:
        words = f"the brain mask holds {brain_ml:.0f} ml, outside {BRAIN[0]:.0f} to {BRAIN[1]:.0f}"
        found.append(
            Fault(words, "look at its picture; say `skull: stripped` or `skull: present` when that was taken wrongly")
        )
    if not np.all(np.diff(means) > 0):
        found.append(Fault(CONTRAST, "is it a T2-weighted or FLAIR scan? name the T1-weighted one"))
    if not turned and (fit < FITS or fit - other < MARGIN):
        words = f"the registration failed: correlation {fit:.2f} with the template, {other:.2f} with the template {way}"
        found.append(Fault(words, look))
    scale, shear = quality["mri_qc_scale"], quality["mri_qc_shear"]
    if not SCALE[0] <= scale <= SCALE[1] or shear > SHEAR:
        words = f"the registration failed: the affine stretches the volume {scale:.2f} times, one axis {shear:.2f} times another"
        found.append(Fault(words, "check the voxel size in the header (mm?), or leave the scan out"))
    return found


def distances(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each scan lies from the others.

    Parameters
    ----------
    table
        Measures (n, k); a missing one does not count.

    Returns
    -------
    distance, z
        Root mean square (n,) of the robust z of a scan's measures, and these (n, k): deviations from the median over 1.4826
        median absolute deviations. A measure that is the same for most scans does not count.
    """
    middle = np.nanmedian(table, axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(table - middle), axis=0)
    usable = spread > 1e-9 * np.maximum(np.abs(middle), 1e-9)
    z = np.where(usable, (table - middle) / np.where(usable, spread, 1), np.nan)
    counted = np.isfinite(z).sum(axis=1)
    return np.sqrt(np.nansum(z**2, axis=1) / np.maximum(counted, 1)), z
