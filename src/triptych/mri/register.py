"""Affine registration of a brain to the template: rigid, then affine, by mutual information (Mattes et al. 2003)."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from triptych.mri.template import Template, load
from triptych.mri.volume import FLIP, Volume, coarse, dice, resample, to_itk

STEP = 2.0  # mm: the finest grid that is compared
BINS = 32  # of the joint histogram
STAGES = (("rigid", (8.0,)), ("affine", (8.0, 4.0, 2.0)))  # what may move; voxels, mm, from coarse to fine
RATE = 0.1  # of the first move, mm; with 1 mm a quarter of real brains made the affine collapse
SAMPLES = 15_000  # voxels that are compared, at most


@dataclass(frozen=True)
class Registration:
    """How the template's space leads to the scan's.

    Attributes
    ----------
    matrix
        Millimetres of the template to millimetres of the scan (4, 4).
    dice
        Overlap of the scan's brain mask with the template's.
    correlation
        Of intensities inside the template's brain.
    scale
        Volume of the scan's brain over the template's, by the matrix.
    shear
        Largest over smallest stretch.
    """

    matrix: np.ndarray
    dice: float
    correlation: float
    scale: float
    shear: float


def to_template(brain: Volume, mask: Volume, *, step: float = STEP, seed: int = 0) -> Registration:
    """Find the affine that lays the template on a brain.

    Parameters
    ----------
    brain
        The scan with zero outside the brain.
    mask
        The brain, on the same grid.
    step
        Voxel size of the finest comparison, mm.
    seed
        Of the voxels that are drawn; one thread makes the result the same each time.
    """
    template = load(step)
    fixed = to_itk(Volume(template.t1 * template.mask, template.affine))
    small = coarse(brain, step)
    moving = to_itk(small)
    found: sitk.Transform = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    size = np.cbrt(mask.values.sum() * mask.voxel_ml / (template.mask.sum() * template.voxel_ml))
    for kind, voxels in STAGES:
        start = found if kind == "rigid" else _as_affine(found, size)
        shrinks = [round(voxel / step) for voxel in voxels if voxel >= step]
        found = _optimise(fixed, moving, start, shrinks, seed)
    return judge(_matrix(found), small, coarse(mask, step), template)


def judge(matrix: np.ndarray, brain: Volume, mask: Volume, template: Template) -> Registration:
    """How well a matrix lays the template on a brain."""
    shape = template.mask.shape
    there = resample(mask, shape, template.affine, matrix).values > 0.5
    values = resample(brain, shape, template.affine, matrix).values[template.mask]
    known = values.std() > 0
    correlation = float(np.corrcoef(values, template.t1[template.mask])[0, 1]) if known else 0.0
    stretch = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    return Registration(
        matrix,
        dice(there, template.mask),
        correlation,
        float(np.linalg.det(matrix[:3, :3])),
        float(stretch.max() / stretch.min()),
    )


def _optimise(
    fixed: sitk.Image,
    moving: sitk.Image,
    start: sitk.Transform,
    shrinks: list[int],
    seed: int,
) -> sitk.Transform:
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    voxels = np.prod(fixed.GetSize())
    method.SetMetricSamplingPercentagePerLevel([min(1.0, SAMPLES * k**3 / voxels) for k in shrinks], seed + 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=RATE, minStep=1e-3, numberOfIterations=100, relaxationFactor=0.5, gradientMagnitudeTolerance=1e-6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(shrinks)
    method.SetSmoothingSigmasPerLevel([k / 2 for k in shrinks])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetInitialTransform(start, inPlace=False)
    found = method.Execute(fixed, moving)
    return found.GetNthTransform(0) if isinstance(found, sitk.CompositeTransform) else found


def _as_affine(rigid: sitk.Transform, size: float) -> sitk.AffineTransform:
    """A rigid transform as an affine one, which begins with the right size."""
    rigid = sitk.Euler3DTransform(rigid)
    found = sitk.AffineTransform(3)
    found.SetCenter(rigid.GetCenter())
    found.SetMatrix([size * x for x in rigid.GetMatrix()])
    found.SetTranslation(rigid.GetTranslation())
    return found


def _matrix(transform: sitk.Transform) -> np.ndarray:
    """Millimetres to millimetres, right-anterior-superior, of an affine of SimpleITK."""
    corners = np.vstack([np.zeros(3), np.eye(3)]) * 100
    moved = np.array([transform.TransformPoint(corner.tolist()) for corner in corners])
    matrix = np.eye(4)
    matrix[:3, :3] = ((moved[1:] - moved[0]) / 100).T
    matrix[:3, 3] = moved[0]
    return FLIP @ matrix @ FLIP


def to_itk_transform(matrix: np.ndarray) -> sitk.AffineTransform:
    """A matrix as a transform of SimpleITK and ANTs."""
    lps = FLIP @ matrix @ FLIP
    found = sitk.AffineTransform(3)
    found.SetMatrix(lps[:3, :3].ravel().tolist())
    found.SetTranslation(lps[:3, 3].tolist())
    return found
