"""What one scan gives, as files: BIDS derivatives for people and other software, arrays for training, a picture, a status.

A job's only declared output is its status, which names every other file with its checksum: what reads them reruns exactly when
they change.
"""

import hashlib
import os
from collections.abc import Callable
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

MNI = 4  # NIfTI's code of a space: MNI 152
SCANNER = 1
LABELS = [(1, "Cerebrospinal Fluid", "CSF"), (2, "Gray Matter", "GM"), (3, "White Matter", "WM")]


ARRAYS = ("t1w.npy", "background.npy")


def remove(here: Path) -> None:
    """Take away the arrays of a former run, so that nobody learns from a scan that is in quarantine now."""
    for name in ARRAYS:
        (here / name).unlink(missing_ok=True)


def write(found: Preprocessed, name: str, anat: Path, here: Path, only: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Write the files of one scan.

    Parameters
    ----------
    name
        ``sub-<label>[_ses-<label>][_run-<n>]``.
    anat
        Folder of the derivatives.
    here
        Folder of the arrays and the picture.
    only
        Some of the files; all when empty.

    Returns
    -------
    files
        What it is: path and sha256.
    """
    space = f"{name}_space-{template.SPACE}"
    affine = found.brain.affine
    jobs: dict[str, tuple[Path, Callable[[Path], Any]]] = {
        "t1w": (here / "t1w.npy", lambda to: np.save(to, arrays.brain(found.brain.values))),
        "background": (here / "background.npy", lambda to: np.save(to, found.background)),
        "picture": (here / "picture.png", lambda to: picture(found, name).save(to, optimize=True)),
        "preproc": (
            anat / f"{space}_desc-preproc_T1w.nii.gz",
            lambda to: nib.save(image(found.brain.values, affine, MNI), to),
        ),
        "dseg": (anat / f"{space}_dseg.nii.gz", lambda to: nib.save(image(found.tissues.labels, affine, MNI), to)),
        "mask": (
            anat / f"{space}_desc-brain_mask.nii.gz",
            lambda to: nib.save(image((found.tissues.labels > 0).astype(np.uint8), affine, MNI), to),
        ),
        "native_mask": (
            anat / f"{name}_desc-brain_mask.nii.gz",
            lambda to: nib.save(image(found.mask.values.astype(np.uint8), found.mask.affine, SCANNER), to),
        ),
        "xfm": (
            anat / f"{name}_from-T1w_to-{template.SPACE}_mode-image_xfm.txt",
            lambda to: sitk.WriteTransform(to_itk_transform(found.registration.matrix), str(to)),
        ),
    }
    wanted = only or tuple(jobs)
    return {what: [str(jobs[what][0]), _written(*jobs[what])] for what in wanted}


def image(values: np.ndarray, affine: np.ndarray, code: int) -> nib.Nifti1Image:
    """A NIfTI image whose sform and qform agree."""
    made = nib.Nifti1Image(values, affine)
    made.set_sform(affine, code)
    made.set_qform(affine, code)
    made.header.set_xyzt_units("mm", "sec")
    return made


def description(version: str) -> dict[str, Any]:
    """What ``dataset_description.json`` of the derivatives says."""
    return {
        "Name": "Triptych: preprocessed T1-weighted scans",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "triptych", "Version": version}],
    }


def describe(root: Path, version: str) -> None:
    """Write the description and the meaning of the labels."""
    tables.write(pd.DataFrame(LABELS, columns=["index", "name", "abbreviation"]), root / "dseg.tsv")
    tables.write(description(version), root / "dataset_description.json")


def _written(path: Path, save: Callable[[Path], Any]) -> str:
    """Write a file beside its place, rename it, and return its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    save(beside)
    beside.replace(path)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
