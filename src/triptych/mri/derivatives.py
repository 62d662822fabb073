"""What one scan gives, as files: BIDS derivatives for people and other software, arrays for training, a picture, a status.

A job's only declared output is its status, which names every other file with its checksum: what reads them reruns exactly when
they change.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import SimpleITK as sitk

from triptych import tables
from triptych.mri import arrays, template
from triptych.mri.chain import Preprocessed
from triptych.mri.pictures import picture
from triptych.mri.register import to_itk_transform
from triptych.mri.volume import resample

MNI = 4  # NIfTI's code of a space: MNI 152
SCANNER = 1
LABELS = [(1, "Cerebrospinal Fluid", "CSF"), (2, "Gray Matter", "GM"), (3, "White Matter", "WM")]
RAW = "raw"  # what sidecars call the data set of the scans
IGNORED = "*_xfm.*\n"  # transforms have no place in BIDS 1.10; the validator is told to pass them over
STATUS = "preprocessed.json"
README = """\
# Preprocessed T1-weighted scans, made by Triptych

Of each scan the brain in MNI space (desc-preproc_T1w: bias field divided out, skull removed, intensities 0 to 1), its tissues
(dseg) and mask there, its mask in the scan's own space, and the affine between the two (xfm, ITK).
"""


def places(name: str, folder: Path, here: Path) -> dict[str, Path]:
    """Where each file of a scan lies.

    Parameters
    ----------
    name
        ``sub-<label>[_ses-<label>][_run-<n>]``.
    folder
        The data set of derivatives.
    here
        Folder of the arrays and the picture.
    """
    parts = [part for part in name.split("_") if part.startswith(("sub-", "ses-"))]
    anat, space = folder.joinpath(*parts, "anat"), f"{name}_space-{template.SPACE}"
    return {
        "t1w": here / "t1w.npy",
        "background": here / "background.npy",
        "picture": here / "picture.png",
        "preproc": anat / f"{space}_desc-preproc_T1w.nii.gz",
        "dseg": anat / f"{space}_dseg.nii.gz",
        "mask": anat / f"{space}_desc-brain_mask.nii.gz",
        "native_mask": anat / f"{name}_desc-brain_mask.nii.gz",
        "xfm": anat / f"{name}_from-T1w_to-{template.SPACE}_mode-image_xfm.txt",
    }


def remove(name: str, folder: Path, here: Path) -> None:
    """Take away all that a former run made of a scan, so that nobody learns from or looks at one that is set aside now."""
    for path in places(name, folder, here).values():
        path.unlink(missing_ok=True)
        _sidecar(path).unlink(missing_ok=True)


def remove_others(names: Iterable[str], folder: Path, scans: Path) -> None:
    """Take away what former runs made of scans that are no longer in the cohort.

    Parameters
    ----------
    names
        The scans of the cohort.
    folder
        The data set of derivatives.
    scans
        Holds a folder of each scan.
    """
    names = set(names)
    kept = {
        path for name in names for place in places(name, folder, scans).values() for path in (place, _sidecar(place))
    }
    for path in sorted(folder.glob("sub-*/**/*"), reverse=True) + sorted(folder.glob("sub-*")):
        if path.is_file() and path not in kept:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for here in scans.glob("sub-*"):
        if here.name not in names:
            (here / STATUS).unlink(missing_ok=True)  # without its files it would speak of what is not there
            remove(here.name, folder, here)


def write(
    found: Preprocessed, name: str, folder: Path, here: Path, source: str, only: tuple[str, ...] = ()
) -> dict[str, list[str]]:
    """Write the files of one scan, and sidecars of its images.

    Parameters
    ----------
    name, folder, here
        As in ``places``.
    source
        The scan's path in its data set.
    only
        Some of the files; all when empty.

    Returns
    -------
    files
        What it is: path and sha256.
    """
    affine, labels = found.brain.affine, found.tissues.labels
    jobs: dict[str, Callable[[Path], Any]] = {
        "t1w": lambda to: np.save(to, arrays.brain(found.brain.values)),
        "background": lambda to: np.save(to, found.background),
        "picture": lambda to: picture(found, name).save(to, optimize=True),
        "preproc": lambda to: nib.save(image(found.brain.values, affine, MNI), to),
        "dseg": lambda to: nib.save(image(labels, affine, MNI), to),
        "mask": lambda to: nib.save(image((labels > 0).astype(np.uint8), affine, MNI), to),
        "native_mask": lambda to: nib.save(image(_native(found), found.affine, SCANNER), to),
        "xfm": lambda to: sitk.WriteTransform(to_itk_transform(found.registration.matrix), str(to)),
    }
    where, wanted = places(name, folder, here), only or tuple(jobs)
    files = {what: [str(where[what]), _written(where[what], jobs[what])] for what in wanted}
    for what, said in _said(f"bids:{RAW}:{source}", found.look.stripped).items():
        if what in wanted:
            tables.write(said, _sidecar(where[what]))
    return files


def _said(source: str, stripped: bool) -> dict[str, dict[str, Any]]:
    """Sidecars of the images, by what BIDS asks of derivatives."""
    there = {"Sources": [source], "SpatialReference": template.REFERENCE}
    mask = {"Type": "Brain", "Sources": [source]}
    steps = [*([] if stripped else ["brain extraction"]), "bias field", "affine registration", "intensities 0 to 1"]
    return {
        "preproc": {**there, "SkullStripped": True, "Description": f"T1-weighted brain: {', '.join(steps)}"},
        "dseg": {**there, "Description": "what fills most of each voxel; dseg.tsv holds the labels"},
        "mask": {**there, **mask},
        "native_mask": mask,
        "xfm": {"Sources": [source], "Description": "ITK affine from the template's millimetres to the scan's (LPS)"},
    }


def _native(found: Preprocessed) -> np.ndarray:
    """The brain mask on the grid of the scan's file, uint8."""
    mask = found.mask
    if mask.values.shape != found.shape:
        mask = resample(mask, found.shape, found.affine, order=0)
    return mask.values.astype(np.uint8)


def within(path: Path) -> str:
    """Path of an image in its BIDS data set: from the folder of its person on."""
    people = [k for k, part in enumerate(path.parts[:-1]) if part.startswith("sub-")]
    return Path(*path.parts[people[-1] :] if people else path.parts[-1:]).as_posix()


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name.partition(".")[0] + ".json")


def image(values: np.ndarray, affine: np.ndarray, code: int) -> nib.Nifti1Image:
    """A NIfTI image whose sform and qform agree."""
    made = nib.Nifti1Image(values, affine)
    made.set_sform(affine, code)
    made.set_qform(affine, code)
    made.header.set_xyzt_units("mm", "sec")
    return made


def description(version: str, scans: str) -> dict[str, Any]:
    """What ``dataset_description.json`` of the derivatives says; ``scans``: relative path or URI of the data set of the scans."""
    return {
        "Name": "Triptych: preprocessed T1-weighted scans",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "triptych", "Version": version}],
        "DatasetLinks": {RAW: scans},
    }


def describe(root: Path, version: str, scans: str) -> None:
    """Write the description, the meaning of the labels and what else belongs to a data set."""
    tables.write(pd.DataFrame(LABELS, columns=["index", "name", "abbreviation"]), root / "dseg.tsv")
    tables.write(README, root / "README.md")
    tables.write(IGNORED, root / ".bidsignore")
    tables.write(description(version, scans), root / "dataset_description.json")


def _written(path: Path, save: Callable[[Path], Any]) -> str:
    """Write a file beside its place, rename it, and return its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    save(beside)
    beside.replace(path)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
