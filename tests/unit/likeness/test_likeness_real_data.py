"""Real heads, tumours and tiles: planted copies are found, and no strangers are.

docs/leakage.md gives the numbers of all 72 heads with 24 copies a change: ``found_among`` with more rows.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from triptych.likeness import files, pairs, profiles, tiles, volumes
from triptych.planted import changes

HEADS = ["resampled", "turned", "noisy", "biased", "mirrored", "recurved", "smoothed", "scanned_again"]
TILES = ["laid_otherwise", "recompressed", "restained"]
PROFILES = ["in_other_unit", "of_some_genes", "measured_again"]


def found_among(shown, again, which, group=6):
    """Copies of the rows ``which`` are planted, ``group`` at a time: how many are found, and how many false pairs."""
    n, found, false = len(shown), 0, 0
    for start in range(0, len(which), group):
        part = slice(start, start + group)
        both = np.concatenate([shown, again[part]])
        said = pairs.find(both, np.arange(len(both)))
        said = set(zip(said.first.tolist(), said.second.tolist(), strict=True))
        true = {(row, n + k) for k, row in enumerate(which[part])}
        found, false = found + len(said & true), false + len(said - true)
    return found, false


def some(n, size, seed=0):
    return np.random.default_rng(seed).choice(n, size, replace=False).tolist()


@cache
def heads(root, n):
    paths = sorted((root / "mri" / "ds002748" / "t1w_2mm").glob("*/anat/*.nii.gz"))[:n]
    if not paths:
        pytest.skip(f"{root} lacks the heads of ds002748")
    images = [files.read_volume(path) for path in paths]
    return images, np.stack([volumes.embed(*image) for image in images])


def heads_found(root, change, n, copies):
    images, shown = heads(root, n)
    which, random = some(n, copies), np.random.default_rng(1)
    again = [volumes.embed(*getattr(changes, change)(*images[k], random)) for k in which]
    return found_among(shown, np.stack(again), which)


@cache
def slides(root):
    paths = sorted((root / "histology" / "monuseg" / "images").glob("*.jpg"))
    if not paths:
        pytest.skip(f"{root} lacks the tiles of MoNuSeg")
    parts = [files.read_tile(path)[300:524, 300:524] for path in paths]
    return parts, np.stack([tiles.embed(part) for part in parts])


def tiles_found(root, change, copies):
    parts, shown = slides(root)
    which, random = some(len(parts), copies), np.random.default_rng(1)
    return found_among(shown, np.stack([tiles.embed(getattr(changes, change)(parts[k], random)) for k in which]), which)


@cache
def tumours(root, name):
    file = {
        "gse1992": "gse1992_expr_features_x_patients.parquet",
        "tcga_coadread_rna20k": "coadred_data_RNA_Seq_v2_expression_median.txt.xz",
    }[name]
    path = root / "expression" / name / file
    if not path.is_file():
        pytest.skip(f"{root} lacks {name}")
    if name == "gse1992":  # logarithms of ratios: back to ratios
        table = pd.read_parquet(path)
        table = table.select_dtypes("number") if table.shape[1] > 100 else table
        values = np.exp2(table.apply(pd.to_numeric, errors="coerce").dropna(how="all").to_numpy(float).T)
        values = values[:, ~np.isnan(values).any(axis=0)]
    else:
        values = pd.read_csv(path, sep="\t").iloc[::3, 2:].to_numpy(float).T
        values = np.maximum(values, 0)
    return values, profiles.embed(values)


def profiles_found(root, name, change, copies):
    values, shown = tumours(root, name)
    which, random = some(len(values), copies), np.random.default_rng(1)
    known = np.nan_to_num(values[which])
    changed = getattr(changes, change)(known, np.ones(values.shape[1]), random)
    changed = np.where(np.isnan(values[which]), np.nan, changed)
    return found_among(shown, profiles.embed(changed), which)


@pytest.mark.parametrize("change", HEADS)
def test_copied_heads(data_root, change):
    found, false = heads_found(data_root, change, 36, 6)
    assert found >= 5
    assert false == 0


@pytest.mark.parametrize("change", TILES)
def test_copied_tiles(data_root, change):
    assert tiles_found(data_root, change, 6) == (6, 0)


@pytest.mark.parametrize(
    ("name", "change"),  # genes of gse1992 differ by less between tumours than the noise that is planted
    [("tcga_coadread_rna20k", change) for change in PROFILES] + [("gse1992", change) for change in PROFILES[:2]],
)
def test_copied_profiles(data_root, name, change):
    assert profiles_found(data_root, name, change, 6) == (6, 0)


def test_strangers_are_left_in_peace(data_root):
    for shown in (heads(data_root, 36)[1], slides(data_root)[1], tumours(data_root, "gse1992")[1]):
        assert not len(pairs.find(shown, np.arange(len(shown))).first)
