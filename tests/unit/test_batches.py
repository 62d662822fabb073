"""Reading ahead: the same items in their order, errors where they are asked for, and no thread left behind."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

from triptych.batches import Clock, ahead, load
from triptych.volumes import Volumes


def test_the_same_items_made_before_they_are_asked_for():
    made = []

    def slow():
        for k in range(6):
            made.append(k)
            yield k

    items = ahead(slow())
    assert next(items) == 0
    deadline = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(made) >= 4, "three are ready while the first is used"
    assert list(items) == [1, 2, 3, 4, 5]


def test_an_error_is_raised_where_the_item_is_asked_for():
    def broken():
        yield 1
        raise ValueError("row 2")

    items = ahead(broken())
    assert next(items) == 1
    with pytest.raises(ValueError, match="row 2"):
        next(items)


def test_who_stops_early_leaves_no_thread():
    before = threading.active_count()
    items = ahead(iter(range(1000)))
    next(items)
    items.close()
    assert threading.active_count() == before


def test_the_clock_counts_waiting_only():
    def slow():
        for _ in range(3):
            time.sleep(0.03)
            yield 1

    clock = Clock()
    for _ in clock.of(slow()):
        time.sleep(0.03)
    assert 0.08 < clock.waited < 0.3
    assert 0.2 < clock.share < 0.8


def test_batches_are_the_files_of_their_rows(tmp_path):
    values = np.arange(5 * 8, dtype=np.float16).reshape(5, 2, 2, 2)
    paths = [tmp_path / f"{k}.npy" for k in range(5)]
    for path, one in zip(paths, values, strict=True):
        np.save(path, one)
    steps = [np.array([4, 0]), np.array([2])]
    found = list(load(Volumes.of(paths), steps, torch.device("cpu"), Clock()))
    for (rows, own, x), wanted in zip(found, steps, strict=True):
        np.testing.assert_array_equal(rows, wanted)
        np.testing.assert_array_equal(own, wanted)
        assert x.dtype == torch.float32
        np.testing.assert_array_equal(x[:, 0], values[wanted])


def test_of_two_processes_each_reads_its_share(tmp_path, monkeypatch):
    path = tmp_path / "one.npy"
    np.save(path, np.zeros((2, 2, 2), np.float16))
    monkeypatch.setattr("triptych.parallel.mine", lambda rows: slice(1, rows))
    ((rows, own, x),) = load(Volumes.of([path] * 4), [np.array([3, 1, 2])], torch.device("cpu"), Clock())
    assert (rows.tolist(), own.tolist(), len(x)) == ([3, 1, 2], [1, 2], 2)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="faults are counted by Linux")
def test_memory_that_is_kept_is_not_asked_for_again():
    """In a process of its own, since it lasts."""
    script = """
import resource, torch
from triptych.batches import keep_memory
keep_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(2**23)
before = faults()
for _ in range(5):
    torch.ones(2**23)
print(faults() - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000, "each of five arrays is 8,192 pages"
