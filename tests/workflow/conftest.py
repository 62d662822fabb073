"""A small study: run once, and copied for each test that plays with it."""

import shutil

import pytest
from small_study import clone, people, snakemake, write_study


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """A clone with the small study, nothing run."""
    folder = clone(tmp_path_factory.mktemp("bare") / "clone")
    north = people(1, 60)
    north.loc[6, "months"] = -3.0  # one broken row: quarantined, the run goes on
    return write_study(folder, north=north, south=people(2, 50))


@pytest.fixture(scope="session")
def finished(bare, tmp_path_factory):
    """The small study after one real run; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "clone"
    shutil.copytree(bare, folder)
    done = snakemake(folder, "--configfile", "study.yaml")
    assert done.rc == 0, done.said[-5000:]
    return folder


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished study to play with."""
    return shutil.copytree(finished, tmp_path / "clone")


@pytest.fixture
def fresh(bare, tmp_path):
    """A copy of the study before any run."""
    return shutil.copytree(bare, tmp_path / "clone")
