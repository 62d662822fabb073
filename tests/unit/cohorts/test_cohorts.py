"""The contract of every cohort: what it declares is what it reads."""

import fnmatch
import re

import pandas as pd
import pytest

from triptych import raw
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
