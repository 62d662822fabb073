"""What happens to a copy of a volume, a tile or a profile on its way to another id."""

import io

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.spatial.transform import Rotation

from triptych.planted.phantoms import STAINS

# ---- volumes: (image, affine, random) -> image, affine ----

Volume = tuple[np.ndarray, np.ndarray]


def resampled(image: np.ndarray, affine: np.ndarray, random: np.random.Generator) -> Volume:
    """Other voxels: edges of .6 to 1.6 times the old ones, each for itself."""
    factor = random.uniform(0.6, 1.6, 3)
    shape = np.maximum(np.round(np.array(image.shape) / factor), 8).astype(int)
    step = np.array(image.shape) / shape
    start = (step - 1) / 2
    moved = affine @ np.block([[np.diag(step), start[:, None]], [np.zeros((1, 3)), 1]])
    return ndimage.affine_transform(image, step, start, tuple(shape), order=1, mode="nearest"), moved


def turned(image: np.ndarray, affine: np.ndarray, random: np.random.Generator) -> Volume:
    """Turned by up to 5 degrees around each axis, moved by up to 4 mm along each."""
    turn = Rotation.from_euler("xyz", random.uniform(-5, 5, 3), degrees=True).as_matrix()
    middle = (np.array(image.shape) - 1) / 2
    shift = random.uniform(-4, 4, 3) / np.linalg.norm(affine[:3, :3], axis=0)
    return ndimage.affine_transform(image, turn, middle - turn @ middle + shift, order=1), affine


def noisy(image: np.ndarray, affine: np.ndarray, random: np.random.Generator) -> Volume:
    """Rician noise, of 5 % of the brightest tissue."""
    sd = 0.05 * np.quantile(image, 0.98)
    real, other = random.normal(0, sd, (2, *image.shape)).astype(np.float32)
    return np.hypot(image + real, other), affine


def biased(image: np.ndarray, affine: np.ndarray, random: np.random.Generator) -> Volume:
    """A bias field up to exp(+-.4): a polynomial of order 3 in the three directions, with random coefficients."""
    axes = np.meshgrid(*[np.linspace(-1, 1, n, dtype=np.float32) for n in image.shape], indexing="ij", sparse=True)
    powers = [k for k in np.ndindex(4, 4, 4) if 0 < sum(k) <= 3]
    smooth = sum(random.uniform(-1, 1) * axes[0] ** i * axes[1] ** j * axes[2] ** k for i, j, k in powers)
    return image * np.exp(0.4 * smooth / np.abs(smooth).max()), affine


def mirrored(image: np.ndarray, affine: np.ndarray, random: np.random.Generator) -> Volume:
    """Left and right exchanged."""
    return image[::-1], affine


def defaced(image: np.ndarray, affine: np.ndarray, random: np.random.Generator) -> Volume:
    """All in front of and below a plane from the brow to the throat is 0."""
    y, z = np.meshgrid(*[np.linspace(0, 1, n) for n in image.shape[1:]], indexing="ij")
    brow, throat = random.uniform(0.42, 0.5), random.uniform(0.55, 0.65)
    return np.where((z < brow) & (y > throat + (brow - z) * 0.1), 0, image), affine


def recurved(image: np.ndarray, affine: np.ndarray, random: np.random.Generator) -> Volume:
    """Another contrast curve: a power of .67 or 1.5."""
    top = image.max()
    return top * (image / top) ** random.choice([0.67, 1.5]), affine


def smoothed(image: np.ndarray, affine: np.ndarray, random: np.random.Generator) -> Volume:
    """A Gaussian of 6 mm full width at half maximum."""
    return ndimage.gaussian_filter(image, 6 / 2.355 / np.linalg.norm(affine[:3, :3], axis=0)), affine


def scanned_again(image: np.ndarray, affine: np.ndarray, random: np.random.Generator) -> Volume:
    """What another session changes, but for the head itself: position, voxels, bias field, noise."""
    for change in (turned, resampled, biased, noisy):
        image, affine = change(image, affine, random)
    return image, affine


# ---- tiles: (tile, random) -> tile ----


def laid_otherwise(tile: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mirrored, turned by a quarter or three, or both."""
    turned = np.rot90(tile, int(random.integers(1, 4)))
    return np.ascontiguousarray(turned[::-1] if random.random() < 0.5 else turned)


def recompressed(tile: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """JPEG of quality 20 to 60."""
    file = io.BytesIO()
    Image.fromarray(tile).save(file, "JPEG", quality=int(random.integers(20, 61)))
    return np.asarray(Image.open(file))


def restained(tile: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each stain .6 to 1.5 times as strong, of a colour some 10 % away."""
    density = -np.log((tile.astype(float) + 1) / 256)
    amounts = density @ np.linalg.pinv(STAINS)
    other = STAINS * np.exp(random.normal(0, 0.1, STAINS.shape))
    density = (amounts * random.uniform(0.6, 1.5, 2)) @ other + (density - amounts @ STAINS)
    return np.clip(256 * np.exp(-density) - 1, 0, 255).astype(np.uint8)


# ---- profiles: (counts, lengths of the genes, random) -> profile ----


def in_other_unit(counts: np.ndarray, lengths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Counts per million, or the logarithm of these."""
    million = counts / counts.sum(axis=1, keepdims=True) * 1e6
    return np.log2(million + 1) if random.random() < 0.5 else million


def per_length(counts: np.ndarray, lengths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Transcripts per million: counts by the length of the gene."""
    rate = counts / lengths
    return rate / rate.sum(axis=1, keepdims=True) * 1e6


def of_some_genes(counts: np.ndarray, lengths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Three of ten genes are known, the others are empty."""
    return np.where(random.random(counts.shape[1]) < 0.3, counts, np.nan)


def measured_again(counts: np.ndarray, lengths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Noise of .3 on the natural logarithm (strangers differ by some .8)."""
    return counts * np.exp(random.normal(0, 0.3, counts.shape))
