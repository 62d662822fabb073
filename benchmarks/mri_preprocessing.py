"""Preprocessing of a brain and of a head: CPU seconds, memory and overlap beside a chain of ANTs; extraction beside another BET.

Needs the data root (TRIPTYCH_DATA). The peers (antspyx, brainextractor) are no part of the lock: install them beside it, or name
their folder in PYTHONPATH; without them their columns say so. Each chain runs in a process of its own, with one thread.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
from measure import table

ROOT = Path(os.environ.get("TRIPTYCH_DATA", "../shared/data")) / "mri"
WHOLE = ROOT / "ds002748/sub-01/anat/sub-01_T1w.nii.gz"  # .87 x .87 x 1 mm, skull removed by its authors
DICOM = ROOT / "studyforrest_dicom_t1w/dicoms.tar.gz"  # a head with its skull
HEADS = ROOT / "ixi/t1w_2mm"
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")}
N_HEADS = 3


def ours(path: Path) -> dict:
    """Triptych's steps."""
    from triptych.mri import template
    from triptych.mri.chain import Options, preprocess
    from triptych.mri.meter import Meter
    from triptych.mri.reading import read

    meter = Meter()
    with meter.step("template"):
        template.load(2.0)
    with meter.step("reading"):
        scan = read(path, [])
    found = preprocess(scan, Options(), meter)
    q = found.columns
    return {"steps": meter.steps, "dice": q["mri_qc_dice"], "correlation": q["mri_qc_correlation"], "ml": _ml(q)}


def _ml(columns: dict) -> list[float]:
    return [round(columns[f"mri_{name}_ml"]) for name in ("csf", "gm", "wm")]


def ants_chain(path: Path) -> dict:
    """The same by antspyx: N4, affine, resampling to 2 mm, Atropos; judged by the same measures."""
    import ants

    from triptych.mri import template
    from triptych.mri.meter import Meter
    from triptych.mri.volume import dice

    meter = Meter()
    box = template.load(2.0)
    with meter.step("template"):
        target = ants.from_nibabel_nifti(nib.Nifti1Image(box.t1 * box.mask, box.affine))
    with meter.step("reading"):
        image = ants.reorient_image2(ants.image_read(str(path)), "RAS")
    stripped = image.numpy()[:2].max() == 0
    with meter.step("bias field"):
        inside = {"mask": ants.threshold_image(image, 1e-6, 1e12)} if stripped else {}
        corrected = ants.n4_bias_field_correction(image, shrink_factor=4, **inside)
    with meter.step("brain extraction"):
        mask = inside["mask"] if stripped else _bet(corrected)
    with meter.step("registration"):
        found = ants.registration(target, corrected * mask, type_of_transform="Affine", random_seed=1)
    with meter.step("resampling"):
        there = found["fwdtransforms"]
        moved = ants.apply_transforms(target, corrected, there)
        inside = ants.apply_transforms(target, mask, there, interpolator="nearestNeighbor")
    with meter.step("tissues"):
        tissues = ants.atropos(moved, inside, i="kmeans[3]", m="[0.2,1x1x1]", c="[5,0]")
    values, brain = moved.numpy(), inside.numpy() > 0.5
    r = float(np.corrcoef(values[box.mask], box.t1[box.mask])[0, 1])
    scale = abs(np.linalg.det(ants.read_transform(there[0]).parameters[:9].reshape(3, 3)))
    ml = [round(float(p.numpy().sum()) * box.voxel_ml * scale) for p in tissues["probabilityimages"]]
    return {"steps": meter.steps, "dice": dice(brain, box.mask), "correlation": r, "ml": ml}


def _bet(image):
    """The brain's mask by brainextractor, since ANTs has none that needs no download."""
    from brainextractor import BrainExtractor

    other = BrainExtractor(nib.Nifti1Image(image.numpy(), np.eye(4)))  # right, front, up; 1 mm
    other.run()
    return image.new_image_like(np.asarray(other.compute_mask(), np.float32))


def head_of_dicom(folder: Path) -> Path:
    """The head with its skull, from DICOM, at 1 mm."""
    from triptych.bids import archive, dicom
    from triptych.mri.reading import read
    from triptych.mri.volume import coarse

    (folder / "work").mkdir()
    with archive.opened(DICOM) as source:
        small = coarse(read(dicom.convert(source, folder / "work", []).image, []), 1.0)
    nib.save(nib.Nifti1Image(small.values.astype(np.int16), small.affine), folder / "head.nii.gz")
    return folder / "head.nii.gz"


def bet_ours(path: Path) -> dict:
    """Our brain extraction of one head, against its labels."""
    from triptych.mri import extract
    from triptych.mri.bias import correct
    from triptych.mri.meter import Meter
    from triptych.mri.reading import read

    scan, meter = read(path, []), Meter()
    with meter.step("all"):
        mask = extract.extract(correct(scan).volume)
    return {"steps": meter.steps, "dice": _against_labels(path, mask.values > 0.5)}


def bet_other(path: Path) -> dict:
    """brainextractor after the same bias correction."""
    from brainextractor import BrainExtractor

    from triptych.mri.bias import correct
    from triptych.mri.meter import Meter
    from triptych.mri.reading import read

    scan, meter = read(path, []), Meter()
    with meter.step("all"):
        other = BrainExtractor(nib.Nifti1Image(correct(scan).volume.values, scan.affine))
        other.run()
        mask = other.compute_mask()
    return {"steps": meter.steps, "dice": _against_labels(path, np.asarray(mask) > 0.5)}


def _against_labels(path: Path, mask: np.ndarray) -> float:
    from triptych.mri.volume import dice

    labels = ROOT / "ixi/dlmuse_2mm" / path.name.replace("_ds", "_ds_DLMUSE")
    known = np.asarray(nib.as_closest_canonical(nib.load(labels)).dataobj).squeeze() > 0
    return dice(known, mask)


def alone(name: str, path: Path) -> dict:
    """One function in a process of its own; its result, and the process' peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "result.json"
        command = [sys.executable, __file__, name, str(path), str(to)]
        subprocess.run(command, check=True, env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL)
        return json.loads(to.read_text())


def _cpu(found: dict) -> float:
    return sum(step["cpu_s"] for name, step in found["steps"].items() if name != "template")


def _peak(found: dict) -> float:
    return max(step["peak_mb"] for step in found["steps"].values())


def chains(what: str, path: Path) -> str:
    """The whole chain, step by step."""
    mine = alone("ours", path)
    theirs = alone("ants_chain", path) if find_spec("ants") and find_spec("brainextractor") else None
    rows = []
    for name, step in mine["steps"].items():
        other = theirs["steps"].get(name) if theirs else None
        cells = [f"{other['cpu_s']:.1f}", f"{other['peak_mb']:.0f}"] if other else ["-", "-"]
        rows.append([name, f"{step['cpu_s']:.1f}", f"{step['peak_mb']:.0f}", *cells])
    whole = (
        [f"{_cpu(theirs):.1f}", f"{_peak(theirs):.0f}"]
        if theirs
        else ["antspyx or brainextractor is not installed", "-"]
    )
    rows.append(["**all but the template**", f"{_cpu(mine):.1f}", f"{_peak(mine):.0f}", *whole])
    words = (
        f"ours: mask Dice {mine['dice']:.3f}, r {mine['correlation']:.3f}, fluid, grey and white matter {mine['ml']} ml"
    )
    if theirs:
        words += f"; ANTs: {theirs['dice']:.3f}, {theirs['correlation']:.3f}, {theirs['ml']} ml"
        words += f". Ratio of CPU {_cpu(theirs) / _cpu(mine):.1f}"
    shape = " x ".join(map(str, nib.load(path).shape))
    head = ["step", "ours CPU s", "peak MB", "ANTs CPU s", "peak MB"]
    return f"{what}, {shape} voxels, to 2 mm MNI; one thread each.\n\n{table(head, rows)}\n\nJudged alike, {words}."


def extraction() -> str:
    """Brain extraction of heads whose labels are known."""
    paths = sorted(HEADS.glob("*.nii.gz"))[:N_HEADS]
    rows = []
    for label, name, package in (("ours", "bet_ours", "triptych"), ("brainextractor", "bet_other", "brainextractor")):
        if not find_spec(package):
            rows.append([label, "not installed", "-", "-"])
            continue
        found = [alone(name, path) for path in paths]
        dices = [f["dice"] for f in found]
        cpu = statistics.median(_cpu(f) for f in found)
        spread = f"{statistics.median(dices):.3f} ({min(dices):.3f} to {max(dices):.3f})"
        rows.append([label, f"{cpu:.1f}", f"{max(map(_peak, found)):.0f}", spread])
    head = ["brain extraction", "CPU s, median", "peak MB", "Dice with the labels"]
    return f"{len(paths)} heads of IXI, 2 mm, with skull; labels of DLMUSE; bias correction included.\n\n{table(head, rows)}"


def main() -> str:
    """The section of docs/benchmarks.md."""
    if not WHOLE.is_file():
        return "## Preprocessing a head\n\nNot measured: no data root.\n"
    parts = [chains("One stripped head (ds002748)", WHOLE)]
    if DICOM.is_file():
        with tempfile.TemporaryDirectory() as folder:
            head = head_of_dicom(Path(folder))
            parts.append(
                chains(
                    "One head with its skull (studyforrest), 1 mm; the other chain's extraction is brainextractor", head
                )
            )
    return "\n\n".join(["## Preprocessing a head", *parts, extraction()]) + "\n"


if __name__ == "__main__":
    Path(sys.argv[3]).write_text(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]))))
