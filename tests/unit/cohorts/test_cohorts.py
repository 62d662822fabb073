"""The contract of every cohort: what it declares is what it reads."""

import fnmatch
import re

import numpy as np
import pandas as pd
import pytest

from triptych import raw
from triptych.errors import DataError
from triptych.examples import read_cohort
from triptych.plugins import describe, load, names
from triptych.tables import KEY, SITE

ALL = names("cohorts")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("cohorts")


@pytest.fixture(autouse=True)
def here(home, monkeypatch):
    """Checksums are remembered in one folder of these tests, not in the clone."""
    monkeypatch.chdir(home)


@pytest.fixture
def root(request):
    """The data root, for cohorts that do not lie in an installed package."""
    name = request.getfixturevalue("name")
    files = describe("cohorts", name)["SHA256"]
    if all(file.startswith("package:") for file in files):
        return None
    found = request.getfixturevalue("data_root")
    missing = [file for file in files if not file.startswith("package:") and not (found / file).is_file()]
    if missing:
        pytest.skip(f"{found} lacks {missing[0]}")
    return found


@pytest.mark.parametrize("name", ALL)
def test_literals(name):
    found = describe("cohorts", name)
    for key in ("TITLE", "CITATION", "SOURCE", "LICENCE"):
        assert isinstance(found[key], str)
        assert len(found[key]) > 5
    assert re.search(r"\(\d{4}\)", found["CITATION"]), "a citation has a year"
    assert found["SOURCE"].startswith("https://")
    assert found["SHA256"]
    for file, sha in found["SHA256"].items():
        assert re.fullmatch("[0-9a-f]{64}", sha), file
    for column, meaning in found["COLUMNS"].items():
        assert meaning.strip(), f"{column} has no description"
    assert not {*KEY} & {*found["COLUMNS"]}, "the key is not a column to choose"


@pytest.mark.parametrize("name", ALL)
def test_participants(name, root):
    declared = describe("cohorts", name)["COLUMNS"]
    found = load("cohorts", name).participants(root)
    assert len(found) > 50
    assert found["participant_id"].is_unique or "session_id" in found
    assert found["participant_id"].notna().all()
    assert found.columns.is_unique
    extra = [c for c in found if c not in {*KEY} and not any(fnmatch.fnmatchcase(c, p) for p in declared)]
    missing = [p for p in declared if not any(fnmatch.fnmatchcase(c, p) for c in found)]
    assert (extra, missing) == ([], [])
    for column in found:
        assert found[column].notna().any(), f"{column} is empty"


@pytest.mark.parametrize("name", ALL)
def test_read_as_a_cohort(name, root):
    people, ledger = read_cohort(name, None, str(root) if root else None)
    assert not people.duplicated(KEY).any()
    assert set(people["cohort"]) == {name}
    assert ledger.failures == [], "the project's own cohorts are clean"
    if SITE in people:
        assert people[SITE].map(lambda x: isinstance(x, str) or x is None).all()


@pytest.mark.parametrize("name", ALL)
def test_raw_files_are_the_ones_that_were_meant(name, root):
    assert len(raw.digest(name, None, root)) == 16


@pytest.mark.parametrize("name", [n for n in ALL if n.startswith("tcga")])
def test_the_site_of_tcga_is_in_the_barcode(name, root):
    found = load("cohorts", name).participants(root)
    assert (found["site"] == found["participant_id"].str.split("-").str[1]).all()
    assert found["participant_id"].str.fullmatch(r"TCGA-\w\w-\w{4}").all()
    assert found["censorship"].isin([0, 1]).all()


def test_gse7390_knows_its_gaps():
    found = load("cohorts", "gse7390").participants(None)
    assert len(found) == 198
    assert pd.api.types.is_numeric_dtype(found["t.tdm"])
    assert found["e.tdm"].isin([0, 1]).all()
    assert not found["grade"].isin(["?", "unkown"]).any()


# ---- the cohorts of the leakage study ----


def read(name, data_root):
    return load("cohorts", name).participants(data_root)


def test_brain_volumes_keep_all_sessions_and_know_what_is_missing(data_root):
    found = read("brain_volumes", data_root)
    assert (len(found), found["participant_id"].nunique()) == (808, 310)
    complete = found.dropna(subset="group")
    assert (len(complete), complete["participant_id"].nunique()) == (766, 293)
    assert set(found.loc[found["group"].isna(), "site"]) == {"S2"}
    odd = {"ses-01SE02", "ses-03SE02", "ses-01-alt03", "ses-01-alt16"}
    assert odd < set(found["session_id"])
    assert (complete.groupby("participant_id")["group"].nunique() == 1).all()
    assert (found.groupby("participant_id")["site"].nunique() == 1).all()


@pytest.mark.parametrize(
    ("name", "rater", "scans", "excluded"), [("abide", "rater_3", 1101, 156), ("ds030", "rater_1", 265, 75)]
)
def test_mriqc_excludes_what_the_rater_excludes(name, rater, scans, excluded, data_root):
    found = read(f"mriqc_{name}", data_root)
    assert len(found) == scans
    assert (found["quality"] == "exclude").sum() == excluded
    assert ((found["quality"] == "exclude") == (found[rater] == -1)).all()
    measures = [c for c in found if c not in {*KEY, "site", "quality", "has_ghost"} and not c.startswith("rater")]
    assert len(measures) == 68
    assert all(pd.api.types.is_numeric_dtype(found[c]) for c in measures)


def test_ixi_volumes_are_shares_of_the_head(data_root):
    found = read("ixi_volumes", data_root)
    assert found["site"].value_counts().to_dict() == {"Guys": 172, "HH": 95, "IOP": 24}
    assert found["participant_id"].str.fullmatch(r"IXI\d{3}").all()
    regions = found.filter(like="roi_")
    assert regions.shape == (291, 259)
    assert regions.to_numpy().min() >= 0
    assert regions.to_numpy().max() < 1
    assert found["icv"].between(1e6, 2e6).all(), "mm3: one to two litres"
    assert found["age"].between(18, 90).all()


def test_slices_are_twenty_of_each_head_and_alike_within_it(data_root):
    found = read("ds002748_slices", data_root)
    assert len(found) == 72 * 20
    assert (found.groupby("participant_id")["session_id"].nunique() == 20).all()
    assert found.drop_duplicates("participant_id")["group"].value_counts().to_dict() == {"depr": 51, "control": 21}
    x = found.filter(like="pixel_").to_numpy()
    assert x.shape[1] == 48
    assert x.min() >= 0
    assert 0.2 < x.mean() < 1.5, "in units of the mean intensity of the brain"
    head = found["participant_id"].to_numpy()
    distance = np.square(x[:60, None] - x[None]).sum(axis=2)
    distance[np.arange(60), np.arange(60)] = np.inf
    assert (head[distance.argmin(axis=1)] == head[:60]).mean() > 0.8, "the nearest slice is of the same head"


def test_an_image_that_is_not_the_one_of_the_list_is_named(data_root, tmp_path):
    folder, who = tmp_path / "mri" / "ds002748", "sub-01"
    image = folder / "t1w_2mm" / who / "anat" / f"{who}_desc-brain2mm_T1w.nii.gz"
    image.parent.mkdir(parents=True)
    for name in ("participants.tsv", "SHA256SUMS"):
        (folder / name).write_bytes((data_root / "mri" / "ds002748" / name).read_bytes())
    image.write_bytes(b"another image")
    with pytest.raises(DataError, match=rf"{image.name}: checksum does not match the list SHA256SUMS"):
        read("ds002748_slices", tmp_path)


def test_gliomas_have_the_published_folds(data_root):
    found = read("tcga_gbmlgg_suppressors", data_root)
    assert found["published_fold"].value_counts().sort_index().tolist() == [114, 114, 114, 114, 113]
    genes = found.filter(like="rna_")
    assert genes.shape == (569, 82)
    assert {"rna_TP53", "rna_PTEN"} < set(genes)
    assert genes.notna().all(axis=None)
