"""N4 bias field correction (Tustison et al. 2010): slow changes of brightness across the head are divided out."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from triptych.mri.volume import Volume, coarse, from_itk, resample, to_itk

# mm: the field is smooth, so it is estimated on voxels of this size; of a head coarsely at first
HEAD_STEP, STEP = 8.0, 5.0
# Iterations on each of three finer meshes; a fourth, of 25 mm, takes lost grey matter for a field.
ROUNDS = (20, 20, 50)
ENOUGH = 1e-3  # change of the field at which a mesh is done


@dataclass(frozen=True)
class Corrected:
    """The corrected scan, and the logarithm of the field it was divided by, on coarse voxels."""

    volume: Volume
    log_field: Volume

    def range_in(self, mask: Volume) -> float:
        """99th over 1st percentile of the field within a mask."""
        here = resample(mask, self.log_field.values.shape, self.log_field.affine).values > 0.5
        low, high = np.percentile(self.log_field.values[here], [1, 99]) if here.any() else (0.0, 0.0)
        return float(np.exp(high - low))


def correct(volume: Volume, mask: Volume | None = None) -> Corrected:
    """Divide out the bias field; intensities inside the mask keep their mean logarithm.

    Parameters
    ----------
    mask
        The brain: the field is fitted there, and continued outside. Without one, Otsu's threshold tells the head from air, and
        the field is good enough to extract a brain.
    """
    small = coarse(volume, STEP if mask else HEAD_STEP)
    image = to_itk(small.of(np.maximum(small.values, 0)))
    if mask:
        inside = resample(mask, small.values.shape, small.affine).values > 0.5
        where = to_itk(small.of(inside & (small.values > 0)), np.uint8)
    else:
        where = sitk.OtsuThreshold(image, 0, 1, 200)
    filter_ = sitk.N4BiasFieldCorrectionImageFilter()
    filter_.SetMaximumNumberOfIterations(list(ROUNDS))
    filter_.SetConvergenceThreshold(ENOUGH)
    filter_.SetNumberOfThreads(1)
    filter_.Execute(image, sitk.Cast(where, sitk.sitkUInt8))
    log_field = from_itk(filter_.GetLogBiasFieldAsImage(image), small)
    log_field = log_field.of(log_field.values - log_field.values[sitk.GetArrayFromImage(where).T > 0].mean())
    # Each voxel takes the field of the nearest coarse voxels; beyond the last of them it stays as it is there.
    full = _spread(log_field, volume)
    return Corrected(volume.of(volume.values / np.exp(full)), log_field)


def _spread(field: Volume, volume: Volume) -> np.ndarray:
    padded = Volume(np.pad(field.values, 1, mode="edge"), field.affine @ _shifted(-1))
    return resample(padded, volume.values.shape, volume.affine).values


def _shifted(voxels: float) -> np.ndarray:
    move = np.eye(4)
    move[:3, 3] = voxels
    return move
