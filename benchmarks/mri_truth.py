"""Volumes of simulated heads against the truth: whole tissues, and grey matter where a loss was planted.

Heads of `triptych.phantom.mri`, one process each. The loss is looked at as the ratio of the regions there to their mirror images.
"""

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
from measure import table
from scipy import stats

CASES = [  # what, people, voxel (mm; None: the site's own, about 1), skull, resolution (mm)
    ("1 mm scans, skull", 32, None, True, 2.0),
    ("3 mm scans, skull", 12, 3.0, True, 2.0),
    ("3 mm scans, skull", 12, 3.0, True, 4.0),
    ("3 mm scans, stripped", 12, 3.0, False, 2.0),
]
SEED = 11
REGIONS = 100


def measured(job: tuple[dict, float | None, bool, float]) -> dict[str, float]:
    """True and found volumes of one person, ml; ``ratio``: logarithm of grey matter at the loss over its mirror image."""
    from triptych.mri.chain import Options, preprocess
    from triptych.mri.columns import numbered
    from triptych.phantom import mri as phantom

    row, voxel, skull, resolution = job
    site = next(site for site in phantom.SITES if site.name == row["site"])
    person = phantom.Person(SEED * 10_000 + int(row["participant_id"][4:]), row["size"], row["thinning"], row["loss"])
    made = phantom.head(person, site, skull=skull, voxel=voxel)
    scan = phantom.canonical_truth(made)
    found = preprocess(scan, Options(resolution=resolution, regions=REGIONS)).columns
    there = planted(resolution)
    mirror = [k + REGIONS // 2 for k in there]
    known = grey_by_region(made.truth, scan, resolution)
    result = {"loss": row["loss"], "case": row["group"] == "case"}
    result |= {f"true_{name}": made.truth.ml[name] for name in ("csf", "gm", "wm")}
    result |= {f"found_{name}": found[f"mri_{name}_ml"] for name in ("csf", "gm", "wm")}
    result["true_ratio"] = float(np.log(sum(known[k] for k in there) / sum(known[k] for k in mirror)))
    result["found_ratio"] = float(
        np.log(sum(found[numbered(k)] for k in there) / sum(found[numbered(k)] for k in mirror))
    )
    return result


def planted(resolution: float) -> list[int]:
    """Regions on the left of which more than half of the grey matter lies where it is lost."""
    from triptych.mri import regions, template
    from triptych.phantom.mri import PLACE, REACH

    labels, box = regions.parcels(REGIONS, resolution), template.load(resolution)
    places = np.argwhere(labels > 0) @ box.affine[:3, :3].T + box.affine[:3, 3]
    inside = np.linalg.norm(places - PLACE, axis=1) < REACH
    known, grey = labels[labels > 0], box.grey[labels > 0]
    part = np.bincount(known, grey * inside, REGIONS + 1) / np.maximum(np.bincount(known, grey, REGIONS + 1), 1e-9)
    return [k for k in range(1, REGIONS // 2 + 1) if part[k] > 0.5]


def grey_by_region(truth, scan, resolution: float) -> dict[int, float]:
    """True grey matter of each region in voxels, where the true affine lays the regions."""
    from triptych.mri import regions, template
    from triptych.mri.volume import resample

    box = template.load(resolution)
    grey = resample(scan.of(truth.probability[1]), box.mask.shape, box.affine, truth.matrix).values
    return regions.volumes(regions.parcels(REGIONS, resolution), grey)


def cohort(people: int, voxel: float | None, skull: bool, resolution: float) -> pd.DataFrame:
    """``measured`` for each person."""
    from triptych.phantom import mri as phantom

    rows = phantom.people(people, seed=SEED).to_dict("records")
    with ProcessPoolExecutor(2) as pool:
        return pd.DataFrame(pool.map(measured, [(row, voxel, skull, resolution) for row in rows]))


def against(found: pd.DataFrame, name: str) -> str:
    """Mean of truth and of what is found, mean error and correlation of a tissue."""
    true, got = found[f"true_{name}"], found[f"found_{name}"]
    error = 100 * (got / true - 1).mean()
    return f"{true.mean():.0f}, {got.mean():.0f} ({error:+.0f} %), {np.corrcoef(true, got)[0, 1]:.2f}"


def loss(found: pd.DataFrame) -> str:
    """Difference of cases and controls in the ratio, true and found with its interval; correlation over people."""
    case = found["case"].astype(bool)
    error = found["found_ratio"] - found["true_ratio"]
    true = found["true_ratio"][case].mean() - found["true_ratio"][~case].mean()
    off = stats.ttest_ind(error[case], error[~case], equal_var=False)
    low, high = off.confidence_interval()
    percent = [
        100 * (np.exp(x) - 1) for x in (true, true + error[case].mean() - error[~case].mean(), true + low, true + high)
    ]
    r = np.corrcoef(found["true_ratio"], found["found_ratio"])[0, 1]
    return f"{percent[0]:+.0f} %, {percent[1]:+.0f} % ({percent[2]:+.0f} to {percent[3]:+.0f}), {r:.2f}"


def main() -> str:
    """The section of docs/benchmarks.md."""
    rows = []
    for what, people, voxel, skull, resolution in CASES:
        found = cohort(people, voxel, skull, resolution)
        cells = [against(found, name) for name in ("gm", "wm", "csf")]
        rows.append([f"{people}, {what}, to {resolution:.0f} mm", *cells, loss(found)])
    head = ["heads", "grey", "white", "fluid", "planted loss"]
    words = (
        "Simulated heads: true and found ml (mean error), correlation over heads. The loss is the difference of cases and "
        "controls in the ratio of the regions there to their mirror images: true, found "
        "(95 % interval, from the errors of the heads), and correlation of the ratio over heads."
    )
    return f"## Volumes of simulated heads\n\n{words}\n\n{table(head, rows)}\n"


if __name__ == "__main__":
    print(main())
