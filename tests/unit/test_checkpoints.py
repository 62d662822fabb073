"""A training that was stopped goes on as if it had not been, and never from the state of another one."""

import os
import signal

import pytest
import torch
from shared_training import CASES, run
from torch import nn

from triptych import checkpoints
from triptych.checkpoints import Keep, keeping, next_one, remove
from triptych.training import Schedule, train

CASE = CASES["dropout and early stopping"]


@pytest.fixture
def keep(tmp_path):
    return Keep(tmp_path / "kept" / "net", "told")


@pytest.fixture
def whole():
    return run(*CASE)


def stopped(keep, how, epoch, monkeypatch):
    """Train until something happens in the middle of an epoch."""
    count = iter(range(10**6))
    steps = 3  # of 29 rows, 10 at a time

    def sleep(_):
        if next(count) == epoch * steps + 1:
            how()

    with monkeypatch.context() as patch, keeping(keep, "seen"):
        patch.setattr("time.sleep", sleep)
        run(*CASE)


def terminated():
    os.kill(os.getpid(), signal.SIGTERM)


def killed():
    raise KeyboardInterrupt


def test_after_sigterm_the_epoch_is_ended_and_kept_and_the_rest_is_the_same_to_the_last_bit(
    keep, whole, monkeypatch, capsys
):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as left:
        stopped(keep, terminated, 6, monkeypatch)
    assert left.value.code == 128 + signal.SIGTERM
    assert "SIGTERM: stopped after epoch 7, which is kept" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) == before
    with keeping(keep, "seen"):
        assert run(*CASE) == whole
    assert "training goes on after epoch 7\n" in capsys.readouterr().out


def test_killed_without_notice_it_loses_the_epoch_it_was_in(keep, whole, monkeypatch, capsys):
    monkeypatch.setattr(checkpoints, "PAUSE", -1)  # as in a group of processes: after each epoch
    with pytest.raises(KeyboardInterrupt):
        stopped(keep, killed, 6, monkeypatch)
    with keeping(keep, "seen"):
        assert run(*CASE) == whole
        assert "training goes on after epoch 6\n" in capsys.readouterr().out
        assert run(*CASE) == whole, "a second training of the fit has a file of its own"
    assert "training goes on" not in capsys.readouterr().out
    with keeping(keep, "seen"):
        assert run(*CASE) == whole, "one that was finished is not trained again"
    assert f"training goes on after epoch {len(whole['history'])}\n" in capsys.readouterr().out


def test_every_finished_training_of_a_fit_is_followed_by_the_same_random_numbers(keep, monkeypatch):
    monkeypatch.setattr(checkpoints, "PAUSE", -1)
    numbers = []
    for _ in range(2):
        with keeping(keep, "seen"):
            run(*CASE)
            numbers.append(torch.rand(3).tolist())
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(
    ("other", "seen", "why"),
    [("told", "others", "is of other training keys"), ("else", "seen", "is of other options, code or files")],
)
def test_the_state_of_another_training_is_refused(keep, whole, monkeypatch, capsys, other, seen, why):
    with pytest.raises(SystemExit):
        stopped(keep, terminated, 6, monkeypatch)
    with keeping(Keep(keep.path, other), seen):
        assert run(*CASE) == whole
    said = capsys.readouterr().out
    assert f"net-1 {why}; it is not used, training begins with the first epoch" in said
    assert "training goes on" not in said


def test_a_file_that_cannot_be_read_is_refused(keep, whole, capsys):
    keep.path.parent.mkdir()
    keep.path.with_name("net-1").write_bytes(b"half a file")
    with keeping(keep, "seen"):
        assert run(*CASE) == whole
    assert "cannot be read" in capsys.readouterr().out


def test_a_short_training_writes_nothing_and_what_was_kept_is_removed(keep, monkeypatch):
    with keeping(keep, "seen"):
        run(*CASE)
    assert not keep.path.parent.exists()
    with pytest.raises(SystemExit):
        stopped(keep, terminated, 2, monkeypatch)
    assert [path.name for path in keep.path.parent.iterdir()] == ["net-1"]
    remove(keep)
    assert not list(keep.path.parent.iterdir())


def test_nothing_is_kept_where_nothing_is_asked():
    with keeping(None, "seen"):
        assert next_one() is None
    assert next_one() is None


def test_sigusr1_asks_slurm_to_queue_the_job_again(keep, tmp_path, monkeypatch):
    """The real command of that name is SLURM's; here it is one that writes down what it is told."""
    asked = tmp_path / "asked"
    program = tmp_path / "bin" / "scontrol"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {asked}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    net = nn.Linear(1, 1)

    def step(net):
        os.kill(os.getpid(), signal.SIGUSR1)
        return net.weight.sum() ** 2

    with keeping(keep, "seen"), pytest.raises(SystemExit) as left:
        train(net, lambda epoch: [step], Schedule(3, 0.1))
    assert left.value.code == 128 + signal.SIGUSR1
    assert asked.read_text() == "requeue 17\n"
