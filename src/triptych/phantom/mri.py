"""T1-weighted heads whose truth is known, made from the MNI152 template: to test and to try the workflow.

Each person is the template under a smooth deformation and an affine; each site has its own contrast, bias field, noise, voxel
size and order of axes. Grey matter is lost where and as much as was planted. The template is read from the installed package.

``python -m triptych.phantom.mri FOLDER`` writes a cohort that a study can name.
"""

import argparse
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from scipy import ndimage, stats

from triptych.mri.template import brain, whole
from triptych.mri.volume import Volume, smoothed

BEND = 2.0  # mm, standard deviation of the deformation along each axis
BUMP = 32.0  # mm, width of its bumps
TURN, SHIFT, STRETCH = np.radians(5.0), 4.0, 0.03  # standard deviations of a person's position and shape
FIELD = np.array([176.0, 224.0, 208.0])  # mm, field of view
MIDDLE = np.array([0.0, -16.0, -4.0])  # mm: the middle of the field of view in the template's space
PLACE, REACH = np.array([-48.0, -14.0, -18.0]), 24.0  # mm: middle and radius of the planted loss (left temporal lobe)
LOSS, SPREAD = 0.2, 0.08  # mean share of grey matter that is lost there without disease, and what people differ by
SKULL, SCALP = (2.0, 7.0), (7.0, 12.0)  # mm outside the brain


@dataclass(frozen=True)
class Site:
    """A scanner: brightness of tissues (white matter about 1), strength of its bias field, noise, voxels (mm), axes, labels."""

    name: str
    fluid: float
    grey: float
    white: float
    bias: float
    noise: float
    voxel: tuple[float, float, float]
    axes: str
    scanner: str = ""
    field: float = 3.0


SITES = (
    Site("north", 0.25, 0.62, 0.95, 0.15, 0.03, (1.0, 1.0, 1.0), "RAS", "Phantom One", 3.0),
    Site("south", 0.20, 0.55, 1.00, 0.30, 0.05, (0.9, 0.9, 1.2), "LAS", "Phantom Two", 1.5),
    Site("east", 0.30, 0.68, 0.92, 0.20, 0.04, (1.2, 1.0, 1.0), "PSR", "Phantom Three", 3.0),
)


@dataclass(frozen=True)
class Person:
    """The seed of a head's shape, its size, and the share of grey matter that is lost everywhere and at PLACE."""

    seed: int
    size: float = 1.0
    thinning: float = 0.0
    loss: float = 0.0


@dataclass(frozen=True)
class Truth:
    """What preprocessing should find.

    Attributes
    ----------
    matrix
        Millimetres of the template to those of the scan (4, 4).
    probability
        Fluid, grey and white matter (3, x, y, z) on the scan's grid, right-anterior-superior.
    mask
        The brain, bool, on the same grid.
    ml
        Volumes of ``csf``, ``gm``, ``wm`` and ``brain``.
    """

    matrix: np.ndarray
    probability: np.ndarray
    mask: np.ndarray
    ml: dict[str, float]


@dataclass(frozen=True)
class Head:
    """A scan with axes as its scanner stores them, and its truth."""

    image: nib.Nifti1Image
    truth: Truth


def head(person: Person, site: Site, *, session: int = 0, skull: bool = True, voxel: float | None = None) -> Head:
    """A T1-weighted scan of a person at a site.

    Parameters
    ----------
    session
        Another session of the same person: the same anatomy in another position, with other noise.
    skull
        With skull, scalp and neck; else the brain in empty space.
    voxel
        Voxel size in mm instead of the site's; large ones are for quick tests.
    """
    anatomy = np.random.default_rng([person.seed, 1])
    visit = np.random.default_rng([person.seed, 2, session])
    step = np.full(3, voxel) if voxel else np.array(site.voxel)
    shape = tuple(np.round(FIELD / step).astype(int))
    affine = np.diag([*step, 1.0])
    affine[:3, 3] = MIDDLE - (np.array(shape) - 1) / 2 * step
    matrix = _place(visit) @ _shape(anatomy, person.size)
    at = _template_places(shape, affine, matrix, anatomy)
    probability, mask = _tissues(at, step, person)
    clean = np.tensordot([site.fluid, site.grey, site.white], probability, 1)
    if skull:
        clean = np.where(mask, clean, _outside(at, mask, step, site))
    dirty = clean * np.exp(site.bias * _smooth(visit, shape, step, 120.0))
    noise = site.noise * visit.normal(size=(2, *shape))
    values = np.hypot(dirty + noise[0], noise[1]) if skull else np.where(mask, np.abs(dirty + noise[0]), 0)
    cell = float(np.prod(step)) / 1000
    ml = {name: float(part.sum()) * cell for name, part in zip(("csf", "gm", "wm"), probability, strict=True)}
    truth = Truth(matrix, probability, mask, {**ml, "brain": float(mask.sum()) * cell})
    return Head(_stored((values * 800).astype(np.float32), affine, site.axes), truth)


def people(
    n: int, *, sites: tuple[Site, ...] = SITES, sessions: int = 1, d: float = 2.0, seed: int = 0
) -> pd.DataFrame:
    """Who is in a cohort: one row per session.

    Columns ``group`` (``case`` or ``control``): cases lost ``d`` standard deviations more of the grey matter at PLACE, so
    the best possible AUC is ``best_auc(d)``; ``coin``: a label that nothing can tell; ``age``, with which grey matter thins
    everywhere; ``sex``, with which heads differ in size; ``loss``, ``thinning`` and ``size``: the truth.
    """
    random = np.random.default_rng([seed, n])
    case = random.permutation(np.arange(n) % 2 == 1)
    age = random.uniform(20, 80, n).round(1)
    male = random.random(n) < 0.5
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{k:03d}" for k in range(1, n + 1)],
            "site": [sites[k % len(sites)].name for k in range(n)],
            "age": age,
            "sex": np.where(male, "m", "f"),
            "group": np.where(case, "case", "control"),
            "coin": random.permutation(np.arange(n) % 2),
            "loss": np.clip(LOSS + SPREAD * (random.normal(size=n) + d * case), 0, 0.9).round(4),
            "thinning": (0.002 * (age - 20)).round(4),
            "size": (np.where(male, 0.96, 0.90) + 0.02 * random.normal(size=n)).round(4),  # of the template, 1.9 l
        }
    )
    visits = [table.assign(session_id=f"ses-{k + 1}") for k in range(sessions)]
    return pd.concat(visits).sort_values(["participant_id", "session_id"], ignore_index=True)


def best_auc(d: float) -> float:
    """AUC of the planted loss itself, when cases and controls differ by ``d`` standard deviations."""
    return float(stats.norm.cdf(d / np.sqrt(2)))


def write(
    folder: Path,
    table: pd.DataFrame,
    *,
    sites: tuple[Site, ...] = SITES,
    skull: bool = True,
    voxel: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Write the scans of ``people`` and ``participants.csv``, whose column ``t1w`` names them.

    Returns
    -------
    truth
        Key and the true volumes, ml; written as ``truth.csv``.
    """
    by_name = {site.name: site for site in sites}
    rows, files = [], []
    for row in table.to_dict("records"):
        number = int(row["participant_id"].removeprefix("sub-"))
        person = Person(seed * 10_000 + number, row["size"], row["thinning"], row["loss"])
        visit = int(row["session_id"].removeprefix("ses-")) - 1
        made = head(person, by_name[row["site"]], session=visit, skull=skull, voxel=voxel)
        files.append(f"scans/{row['participant_id']}_{row['session_id']}_T1w.nii.gz")
        (folder / "scans").mkdir(parents=True, exist_ok=True)
        nib.save(made.image, folder / files[-1])
        about: dict[str, Any] = {"Manufacturer": "Triptych", "ManufacturersModelName": by_name[row["site"]].scanner}
        about |= {"MagneticFieldStrength": by_name[row["site"]].field}
        (folder / files[-1].replace(".nii.gz", ".json")).write_text(json.dumps(about))
        rows.append({key: row[key] for key in ("participant_id", "session_id")} | made.truth.ml)
    table.drop(columns=["loss", "thinning", "size"]).assign(t1w=files).to_csv(folder / "participants.csv", index=False)
    truth = pd.DataFrame(rows).merge(table[["participant_id", "session_id", "loss", "thinning", "size"]])
    truth.to_csv(folder / "truth.csv", index=False)
    return truth


def canonical_truth(made: Head) -> Volume:
    """The scan with axes to the right, front and up: the grid of its truth."""
    image = nib.as_closest_canonical(made.image)
    return Volume(image.get_fdata(dtype=np.float32), np.asarray(image.affine))


# ---- parts ----


def _shape(random: np.random.Generator, size: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag(size * (1 + STRETCH * random.normal(size=3)))
    return matrix


def _place(random: np.random.Generator) -> np.ndarray:
    """A rotation about the middle and a shift."""
    x, y, z = TURN * random.normal(size=3)
    turn = np.eye(3)
    for (a, b), angle in (((1, 2), x), ((0, 2), y), ((0, 1), z)):
        one = np.eye(3)
        one[[a, b], [a, b]] = np.cos(angle)
        one[a, b], one[b, a] = -np.sin(angle), np.sin(angle)
        turn = turn @ one
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = MIDDLE - turn @ MIDDLE + SHIFT * random.normal(size=3)
    return matrix


def _template_places(
    shape: tuple[int, ...], affine: np.ndarray, matrix: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Millimetres of the template (3, x, y, z) that each voxel shows; the deformation holds no affine part of its own."""
    step = np.diag(affine)[:3]
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")).reshape(3, -1)
    back = np.linalg.inv(matrix) @ affine
    places = back[:3, :3] @ voxels + back[:3, 3:]
    bend = np.stack([_smooth(random, shape, step, BUMP).ravel() for _ in range(3)])
    inside = np.abs((places.T - MIDDLE) / (0.4 * FIELD)).max(axis=1) < 1
    design = np.vstack([places, np.ones(places.shape[1])])
    part = np.linalg.lstsq(design[:, inside].T, bend[:, inside].T, rcond=None)[0]
    bend -= part.T @ design
    return (places + BEND * bend).reshape(3, *shape)


def _tissues(at: np.ndarray, step: np.ndarray, person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Fluid, grey and white matter (3, x, y, z), and the brain, where the template's places are shown.

    Grey matter is lost where it meets fluid: the cortex thins from its surface.
    """
    anatomy, mean = _anatomy(), float(step.mean())
    lost = np.where(anatomy.planted, 1 - (1 - person.thinning) * (1 - person.loss), person.thinning)
    left = anatomy.volume(anatomy.grey & (anatomy.depth > lost))
    maps = (left.of(smoothed(left, mean)), _map("white", mean), _map("brain", mean))
    grey, white, within = (_shown(volume, at) for volume in maps)
    mask = within > 0.5
    grey, white = np.where(mask, grey, 0), np.where(mask, white, 0)
    return np.stack([np.where(mask, 1 - grey - white, 0), grey, white]).astype(np.float32), mask


def _shown(volume: Volume, at: np.ndarray) -> np.ndarray:
    """A map of the template at places (3, x, y, z) in its millimetres."""
    back = np.linalg.inv(volume.affine)
    voxels = np.tensordot(back[:3, :3], at, 1) + back[:3, 3, None, None, None]
    return ndimage.map_coordinates(volume.values, voxels, order=1, mode="constant")


@cache
def _map(name: str, step: float) -> Volume:
    """The brain, or its white matter, smoothed to what voxels of ``step`` mm can show."""
    volume = _anatomy().volume(getattr(_anatomy(), name))
    return volume.of(smoothed(volume, step))


@dataclass(frozen=True)
class Anatomy:
    """A brain without any loss in the template's space, on 1 mm (x, y, z).

    Attributes
    ----------
    brain, grey, white
        Where they are, bool; what is neither grey nor white is fluid.
    planted
        Where grey matter is lost at PLACE, bool.
    depth
        Share of the grey matter there, or of that elsewhere, that lies no farther from fluid than this voxel's.
    affine
        Voxel to millimetres.
    """

    brain: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    planted: np.ndarray
    depth: np.ndarray
    affine: np.ndarray

    def volume(self, part: np.ndarray) -> Volume:
        """A map on this grid."""
        return Volume(part.astype(np.float32), self.affine)


@cache
def _anatomy() -> Anatomy:
    """Each voxel of the template's brain given to one tissue; each tissue keeps the volume that its map has.

    The maps say how many people have a tissue at a place. In one person tissues meet at borders, and only there does a voxel hold
    two of them: were the maps taken as shares, nearly all voxels would hold three, which no brightness can tell.
    """
    t1 = whole("t1")
    every = brain(t1.values)
    box = tuple(slice(max(int(k.min()) - 6, 0), int(k.max()) + 7) for k in np.nonzero(every))
    affine = t1.affine.copy()
    affine[:3, 3] += [s.start for s in box]
    mask = every[box]
    grey, white = (np.where(mask, whole(name).values[box], 0) for name in ("gm", "wm"))
    total = np.maximum(grey + white, 1)
    grey, white = grey / total, white / total
    tissue = _most(grey + white, mask, float((grey + white).sum()))
    inner = _most(white - grey, tissue, float(white.sum()))
    outer = tissue & ~inner
    away = [(np.arange(n) + affine[k, 3] - PLACE[k]) ** 2 for k, n in enumerate(mask.shape)]
    planted = away[0][:, None, None] + away[1][:, None] + away[2] < REACH**2
    depth = np.zeros(mask.shape, np.float32)
    for part in (outer & planted, outer & ~planted):
        depth[part] = stats.rankdata((grey + 2 * white)[part]) / np.count_nonzero(part)
    return Anatomy(mask, outer, inner, planted, depth, affine)


def _most(values: np.ndarray, mask: np.ndarray, number: float) -> np.ndarray:
    """The ``number`` voxels of a mask with the highest values, bool."""
    inside = values[mask]
    return mask & (values >= np.partition(inside, -round(number))[-round(number)])


def _outside(at: np.ndarray, mask: np.ndarray, step: np.ndarray, site: Site) -> np.ndarray:
    """Fluid, bone, scalp, and a neck."""
    away = ndimage.distance_transform_edt(~mask, sampling=step)
    soft = 0.6 * site.white
    neck = np.hypot(at[0] / 50, (at[1] + 30) / 55) < 1
    values = np.where(neck & (at[2] < -60), soft, 0.0)
    values = np.where(away < SCALP[1], 0.95 * site.white, values)
    values = np.where(away < SKULL[1], 0.12 * site.white, values)
    return np.where(away < SKULL[0], site.fluid, values)


def _smooth(random: np.random.Generator, shape: tuple[int, ...], step: np.ndarray, width: float) -> np.ndarray:
    """A smooth random field of standard deviation 1 with bumps of some mm, float32."""
    nodes = np.maximum(np.ceil(np.array(shape) * step / (width / 2)).astype(int) + 3, 4)
    field = ndimage.gaussian_filter(random.normal(size=nodes), 0.8)
    ratio = (nodes - 3) / np.array(shape)
    field = ndimage.affine_transform(field, ratio, 1.0, output_shape=shape, order=3)
    return ((field - field.mean()) / field.std()).astype(np.float32)


def _stored(values: np.ndarray, affine: np.ndarray, axes: str) -> nib.Nifti1Image:
    """The image with its axes in the order of the scanner."""
    there = nib.orientations.axcodes2ornt(tuple(axes))
    made = nib.Nifti1Image(values, affine).as_reoriented(
        nib.orientations.ornt_transform(nib.orientations.io_orientation(affine), there)
    )
    made.set_sform(made.affine, 1)
    made.set_qform(made.affine, 1)
    made.header.set_xyzt_units("mm", "sec")
    return made


def main() -> None:
    """Write a cohort, as asked for on the command line."""
    parser = argparse.ArgumentParser(description="Write T1-weighted heads whose truth is known, and participants.csv")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--voxel", type=float, help="mm; else each scanner's own, about 1")
    parser.add_argument(
        "--effect", type=float, default=2.0, help="standard deviations of loss between cases and controls"
    )
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    write(asked.folder, people(asked.people, d=asked.effect, seed=asked.seed), voxel=asked.voxel, seed=asked.seed)


if __name__ == "__main__":
    main()
