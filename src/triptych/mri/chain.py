"""One scan from its file's voxels to what models read: the steps in their order, their quality, what each took."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from triptych.errors import DataError
from triptych.mri import arrays, extract, quality, regions, template, turned
from triptych.mri.bias import Corrected, correct
from triptych.mri.columns import numbered
from triptych.mri.mend import mend
from triptych.mri.meter import Meter
from triptych.mri.normalise import normalise
from triptych.mri.quality import Fault
from triptych.mri.register import Registration, to_template
from triptych.mri.segment import Tissues, segment
from triptych.mri.volume import Volume, bounded, resample

MOST = 2**25  # voxels that are worked on: 320 x 320 x 320, more than a head of .7 mm has
ROUNDS = 3  # of registration, at most: each may show what is wrong with the mask
FINEST = 2.0  # mm: finer voxels add nothing to an affine (docs/mri-preprocessing.md)


@dataclass(frozen=True)
class Options:
    """How scans are preprocessed; what a study says under ``mri:``.

    Attributes
    ----------
    resolution
        Voxel size of what models read, mm.
    skull
        ``auto``: looked for and removed when there; ``present``: removed; ``stripped``: nothing to remove.
    atlas
        File of labels in MNI space, or None: regions made from the template.
    regions
        How many of those.
    dice
        Least overlap of the registered brain with the template's.
    """

    resolution: float = 2.0
    skull: str = "auto"
    atlas: str | None = None
    regions: int = 100
    dice: float = 0.85


@dataclass(frozen=True)
class Preprocessed:
    """What comes out of one scan.

    Attributes
    ----------
    scan
        As it was read, right-anterior-superior; of more than ``MOST`` voxels, coarser.
    shape, affine
        The grid of the scan as it was read.
    mask
        The brain, on the grid of ``scan``, 0 or 1.
    brain
        In the template's box, normalised, 0 outside the brain.
    tissues
        On the same grid.
    background
        What lies outside the brain, coarse, float16.
    registration
        From the template's space to the scan's.
    look
        Whether the skull was there.
    columns
        Values of the numeric columns of ``triptych.mri.columns``.
    steps
        Step: ``cpu_s`` and ``peak_mb``.
    faults
        Why it cannot be used; empty when it can.
    """

    scan: Volume
    shape: tuple[int, ...]
    affine: np.ndarray
    mask: Volume
    brain: Volume
    tissues: Tissues
    background: np.ndarray
    registration: Registration
    look: extract.Look
    columns: dict[str, float]
    steps: dict[str, dict[str, float]]
    faults: list[Fault]


def preprocess(scan: Volume, options: Options, meter: Meter | None = None) -> Preprocessed:
    """Take one scan through all steps.

    Raises
    ------
    DataError
        When there is nothing that could be a brain.
    """
    meter, box = meter or Meter(), template.load(options.resolution)
    with meter.step("look"):
        shape, affine, voxel = scan.values.shape, scan.affine, scan.voxel
        work = bounded(scan, MOST)
        # Of a stripped brain the border is where values are no longer the same: averages would move it outwards.
        exact = work if work is scan else resample(scan, work.values.shape, work.affine, order=0)
        scan = work  # frees the largest array, unless the caller holds it
        seen = extract.look(exact)
        stripped = seen.stripped if options.skull == "auto" else options.skull == "stripped"
    with meter.step("brain extraction"):
        mask = extract.brain_of_stripped(exact) if stripped else extract.extract(correct(scan).volume)
        if not mask.values.any():
            raise DataError("no brain was found in this image; is it a T1-weighted head?")
    mask, corrected, found = _registered(scan, mask, stripped, options.resolution, meter)
    with meter.step("resampling"):
        part = resample(mask, box.mask.shape, box.affine, found.matrix).values
        inside = part > 0.5
        if not inside.any():
            raise DataError("the registration failed: the brain lies outside the template's box; check the header")
        brain = corrected.volume.of(corrected.volume.values * mask.values)
        moved = resample(brain, box.mask.shape, box.affine, found.matrix).values
        moved = np.where(inside, moved / np.maximum(part, 0.5), 0)  # what lies outside darkens no voxel of the border
        normal = normalise(moved, inside)
    with meter.step("tissues"):
        tissues = segment(normal, inside, box, options.resolution)
    with meter.step("regions"):
        labels = labels_of(options)
        voxels = regions.volumes(labels, tissues.share[1])
    with meter.step("arrays"):
        bright = np.percentile(moved[inside], 99)
        background = arrays.background(scan, found.matrix, float(bright))
    fit = turned.fit(Volume(moved, box.affine))
    ml = box.voxel_ml * found.scale
    mask_ml = float(mask.values.sum() * mask.voxel_ml)
    measured = quality.measures(corrected, mask, found, fit, tissues)
    columns = {
        "mri_brain_ml": float(tissues.volumes.sum() * ml),
        **{f"mri_{name}_ml": float(v * ml) for name, v in zip(("csf", "gm", "wm"), tissues.volumes, strict=True)},
        **{numbered(k): v * ml for k, v in voxels.items()},
        **{f"mri_voxel_{axis}": float(v) for axis, v in zip("xyz", voxel, strict=True)},
        **measured,
    }
    faults = quality.faults(measured, mask_ml, tissues.mean, options.dice, fit.way)
    whole = Volume(normal, box.affine)
    return Preprocessed(
        scan, shape, affine, mask, whole, tissues, background, found, seen, columns, meter.steps, faults
    )


def _registered(
    scan: Volume, mask: Volume, stripped: bool, resolution: float, meter: Meter
) -> tuple[Volume, Corrected, Registration]:
    """The mask, the corrected scan and the registration; once more where the registered template mends the mask."""
    for left in reversed(range(ROUNDS)):
        with meter.step("bias field"):
            corrected = correct(scan, mask)
        with meter.step("registration"):
            brain = corrected.volume.of(corrected.volume.values * mask.values)
            found = to_template(brain, mask, step=max(resolution, FINEST))
        if stripped or not left:
            break
        with meter.step("brain extraction"):
            mended = mend(mask, corrected.volume, found.matrix, template.load(FINEST))
        if mended is mask:
            break
        mask = mended
    return mask, corrected, found


def labels_of(options: Options) -> np.ndarray:
    """The regions that a study asks for, on the grid of its resolution."""
    if options.atlas:
        return regions.atlas(Path(options.atlas).expanduser(), options.resolution)
    return regions.parcels(options.regions, options.resolution)
