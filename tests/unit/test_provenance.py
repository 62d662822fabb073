"""Where the numbers come from."""

import json
import subprocess
import sys

import pytest

from triptych import provenance

NOT_A_CLONE = {"commit": "not a git clone", "dirty": None, "branch": None}


def git(folder, *words):
    person = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=trunk"]
    done = subprocess.run(["git", "-C", str(folder), *person, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path):
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file.txt").write_text("one")
    git(folder, "add", "file.txt")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def facts(folder):
    return provenance.collect(folder, command="snakemake -n", seed=7, data_root=None)


def test_a_clean_clone(clone):
    found = facts(clone)["git"]
    assert found == {"commit": git(clone, "rev-parse", "HEAD"), "dirty": False, "branch": "trunk"}


@pytest.mark.parametrize("how", ["changed", "new"])
def test_a_clone_with_changes_is_dirty(clone, how):
    (clone / ("file.txt" if how == "changed" else "other.txt")).write_text("two")
    found = facts(clone)["git"]
    assert found["dirty"] is True
    assert found["commit"] == git(clone, "rev-parse", "HEAD")


def test_a_folder_that_is_no_clone(tmp_path):
    assert facts(tmp_path)["git"] == NOT_A_CLONE


def test_a_folder_inside_another_project_is_not_that_project(clone):
    """An unpacked archive below someone's own repository must not carry the commit of that repository."""
    inside = clone / "triptych-0.1.0"
    inside.mkdir()
    assert facts(inside)["git"] == NOT_A_CLONE


def test_no_git_at_all(clone, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert facts(clone)["git"] == NOT_A_CLONE


def test_a_clone_reached_by_a_link(clone, tmp_path):
    (tmp_path / "link").symlink_to(clone)
    assert facts(tmp_path / "link")["git"]["branch"] == "trunk"


def test_the_other_facts(tmp_path):
    found = provenance.collect(tmp_path, command="snakemake --cores 2", seed=7, data_root="/data")
    assert (found["command"], found["seed"], found["data_root"]) == ("snakemake --cores 2", 7, "/data")
    assert facts(tmp_path)["data_root"] == "not given"
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(found["versions"]) == set(provenance.PACKAGES)
    assert found["versions"]["numpy"][0].isdigit()
    assert json.loads(json.dumps(found)) == found
    assert found["written"].endswith("UTC")


def test_a_package_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "PACKAGES", ("no-such-package",))
    assert facts(tmp_path)["versions"] == {"no-such-package": "not installed"}
