"""Training by several real processes (gloo): the losses and weights of one, and going on after a signal."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from shared_training import CASES, run
from torch import nn

from triptych import launching, parallel
from triptych.errors import DataError
from triptych.launching import launch
from triptych.parallel import share
from triptych.processes import GROUP, group

HERE = Path(__file__).parent
SCRIPT = """
import sys
from triptych.launching import launch
launch(2, 1, "cpu")
from shared_training import write_all
write_all(sys.argv[1], sys.argv[2], float(sys.argv[3]))
"""


def start(*words):
    """A script that launches two processes, which train."""
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parents[1] / 'src'}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, *map(str, words)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two processes found that were stopped by a signal, in their second attempt; and what both attempts said."""
    folder = tmp_path_factory.mktemp("two")
    keep, out = folder / "kept" / "net", folder / "found.json"
    first = start(out, keep, 0.1)
    wait_for(keep.with_name("net-1").exists, first)
    first.send_signal(signal.SIGTERM)
    said = first.communicate(timeout=200)[0]
    assert first.returncode == 128 + signal.SIGTERM, said
    assert not out.exists()
    second = start(out, keep, 0.0)
    again = second.communicate(timeout=200)[0]
    assert second.returncode == 0, again
    return json.loads(out.read_text()), said, again


def wait_for(condition, process, seconds=200):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_as_one(two, name):
    """Also with ties, a last batch that is smaller, or so small that one has no row, dropout, early stopping; stopped once."""
    one, found = run(*CASES[name]), two[0][name]
    assert len(one["history"]) > 12
    assert one["history"][-1] < one["history"][0]
    assert found["history"] == pytest.approx(one["history"], rel=1e-9)
    for mine, theirs in zip(found["weights"], one["weights"], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-7, abs=1e-9)


def test_a_signal_to_the_script_ends_all_after_the_same_epoch(two):
    _, first, second = two
    done = re.findall(r"SIGTERM: stopped after epoch (\d+), which is kept", first)
    assert len(done) == 1, first
    assert re.findall(r"training goes on after epoch (\d+)\n", second) == done, second


def test_when_one_process_fails_the_others_are_ended_and_its_code_is_kept(monkeypatch):
    own = "import os, sys, time; sys.exit(3) if os.environ['LOCAL_RANK'] == '1' else time.sleep(60)"
    monkeypatch.setattr(launching, "_again", lambda: [sys.executable, "-c", own])
    monkeypatch.setattr(launching, "PATIENCE", 0.2)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the launcher's own handlers stay
    before = time.monotonic()
    assert launching._on_this_machine(3, dict(os.environ)) == 3
    assert time.monotonic() - before < 50


@pytest.mark.parametrize(("rows", "size"), [(10, 2), (7, 2), (7, 3), (1, 3), (0, 2)])
def test_shares_are_all_rows_once(rows, size):
    parts = [list(range(rows))[share(rows, size, rank)] for rank in range(size)]
    assert [row for part in parts for row in part] == list(range(rows))
    lengths = [len(part) for part in parts]
    assert max(lengths) - min(lengths) <= 1
    assert lengths[0] == max(lengths)


@pytest.fixture
def second_of_two(monkeypatch):
    monkeypatch.setenv(GROUP, json.dumps({"devices": 2, "nodes": 1, "device": "cpu"}))
    monkeypatch.setenv("NODE_RANK", "0")
    monkeypatch.setenv("LOCAL_RANK", "1")


@pytest.mark.parametrize("inplace", [False, True])
def test_dropout_masks_are_those_of_one_process(inplace):
    x, layer = torch.randn(11, 5), nn.Dropout(0.4, inplace)
    torch.manual_seed(1)
    one = nn.functional.dropout(x, 0.4)
    parts = []
    for rank in range(3):
        torch.manual_seed(1)
        mine = share(11, 3, rank)
        with parallel._DropoutOfAll(11, mine):
            parts.append(layer(x[mine].clone()))
    assert torch.equal(torch.cat(parts), one)
    with parallel._DropoutOfAll(11, slice(0, 4)), pytest.raises(DataError, match="first axis is the row"):
        layer(x)
    layer.eval()
    with parallel._DropoutOfAll(11, slice(0, 4)):
        assert torch.equal(layer(x), x)


def test_what_cannot_be_shared_is_refused(second_of_two):
    with pytest.raises(DataError, match=r"batch normalisation .* `devices: 1`"):
        parallel.wrapped(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))


def test_who_one_is(second_of_two, monkeypatch):
    assert (group().rank, group().size) == (1, 2)
    monkeypatch.setenv(GROUP, json.dumps({"devices": 2, "nodes": 2, "device": "cuda"}))
    for name in ("NODE_RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name)
        monkeypatch.setenv({"NODE_RANK": "SLURM_NODEID", "LOCAL_RANK": "SLURM_LOCALID"}[name], "1")
    assert (group().rank, group().size) == (3, 4)


def test_several_nodes_outside_slurm(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(DataError, match=r"`nodes: 2` needs SLURM.*say `nodes: 1`"):
        launch(1, 2, "cuda")


def test_one_process_is_not_launched_and_imports_no_lightning():
    code = """
import sys
import triptych.models.deepsurv, triptych.resuming
from triptych.launching import launch
launch(1, 1, "cpu")
print([name for name in sys.modules if name.startswith("lightning")])
"""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1] / "src")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, env=environment)
    assert done.stdout.strip() == "[]", done.stderr
