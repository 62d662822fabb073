"""SLURM's words: what they are reduced to, and when waiting ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.slurm.states import PATIENCE, SETTLING, Patience, explain, word

WORDS = ["PENDING", "RUNNING", "COMPLETING", "COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY"]


@pytest.mark.parametrize(
    ("said", "short"),
    [("CANCELLED by 1000", "CANCELLED"), ("CANCELLED+", "CANCELLED"), ("COMPLETED", "COMPLETED"), ("", "")],
)
def test_a_state_is_one_word(said, short):
    assert word(said) == short


@given(st.dictionaries(st.text("0123456789", min_size=1), st.sampled_from(WORDS)))
def test_states_that_are_known_are_left_alone(states):
    patience = Patience()
    for _ in range(PATIENCE + 1):
        assert patience.settle(states, states) == states


@pytest.mark.parametrize("state", [None, *SETTLING])
def test_a_job_that_does_not_settle_fails_after_some_polls(state):
    patience = Patience()
    found = {"7": state} if state else {}
    said = [patience.settle(found, ["7"]).get("7") for _ in range(PATIENCE)]
    assert said == [state] * (PATIENCE - 1) + ["FAILED"]


def test_a_job_that_is_queued_again_starts_with_full_patience():
    patience = Patience()
    for _ in range(3):
        for _ in range(PATIENCE - 1):
            assert patience.settle({"7": "NODE_FAIL"}, ["7"]) == {"7": "NODE_FAIL"}
        assert patience.settle({"7": "PENDING"}, ["7"]) == {"7": "PENDING"}


def test_jobs_of_others_are_not_waited_for():
    patience = Patience()
    for _ in range(PATIENCE + 1):
        assert patience.settle({"8": "NODE_FAIL"}, []) == {"8": "NODE_FAIL"}


def test_a_reason_is_explained():
    assert explain("(Resources)").startswith("Resources: the partition is full")
    assert "never start" in explain("PartitionTimeLimit")
    assert explain("ReqNodeNotAvail, UnavailableNodes:cpu1") == (
        "ReqNodeNotAvail, UnavailableNodes:cpu1: nodes are down or reserved (also: maintenance); see sinfo -R"
    )
    assert explain("SomethingNew") == "SomethingNew"
