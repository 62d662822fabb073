"""Which of the processes that share one fit this is, as they find it in their environment; most fits are one process."""

import json
import os
from dataclasses import dataclass

GROUP = "TRIPTYCH_GROUP"  # how many there are, and for which device


@dataclass(frozen=True)
class Group:
    """The processes of one fit: ``devices`` on each of ``nodes``, and which of them this is."""

    devices: int
    nodes: int
    device: str
    local_rank: int
    node: int

    @property
    def size(self) -> int:
        """How many they are."""
        return self.devices * self.nodes

    @property
    def rank(self) -> int:
        """The number of this one."""
        return self.node * self.devices + self.local_rank


def group() -> Group | None:
    """The group that this process belongs to; None for one that is alone."""
    if GROUP not in os.environ:
        return None
    local, node = (int(os.environ.get(name) or os.environ[of_slurm]) for name, of_slurm in
                   (("LOCAL_RANK", "SLURM_LOCALID"), ("NODE_RANK", "SLURM_NODEID")))  # fmt: skip
    return Group(**json.loads(os.environ[GROUP]), local_rank=local, node=node)


def leads() -> bool:
    """Whether this process is the one that writes."""
    us = group()
    return us is None or us.rank == 0
