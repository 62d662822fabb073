"""Batches of volumes for the training loop: read, moved to the device, and how long the model waited for them.

On a GPU the next batches are read by a thread while the model computes; on a CPU there is nobody else to do it.
"""

import contextlib
import ctypes
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch

from triptych import parallel
from triptych.volumes import Volumes

AHEAD = 3  # batches that wait for the model at most
TRIM, MAPPED, MOST = -1, -3, 2**30  # settings of the C library's mallopt, and the bytes up to which they keep memory
T = TypeVar("T")


@dataclass
class Clock:
    """Seconds since it was made, and those of them that passed while data were waited for."""

    waited: float = 0.0
    _begun: float = field(default_factory=time.perf_counter)

    @property
    def share(self) -> float:
        """Share of the time that was spent waiting."""
        return self.waited / max(time.perf_counter() - self._begun, 1e-9)

    def of(self, items: Iterable[T]) -> Iterator[T]:
        """The items; the time until each is there counts as waiting."""
        source = iter(items)
        while True:
            start = time.perf_counter()
            try:
                item = next(source)
            except StopIteration:
                return
            finally:
                self.waited += time.perf_counter() - start
            yield item


def keep_memory() -> None:
    """Let the C library keep the memory of a step for the next one; does nothing where it is not GNU's.

    Large arrays are otherwise given back to the system, and cleared by it again, in every step: 40 % of a Conv5-FC3's time.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(MAPPED, MOST)
        library.mallopt(TRIM, MOST)


def load(
    volumes: Volumes, steps: Iterable[np.ndarray], device: torch.device, clock: Clock
) -> Iterator[tuple[np.ndarray, np.ndarray, torch.Tensor]]:
    """For each step the numbers of all its rows, of those that this process computes, and these (n, 1, x, y, z), float32.

    Whether values are finite numbers is not looked at again in every epoch.
    """
    on_gpu = device.type == "cuda"

    def read() -> Iterator[tuple[np.ndarray, np.ndarray, torch.Tensor]]:
        for rows in steps:
            own = rows[parallel.mine(len(rows))]
            values = torch.empty((len(own), *volumes.shape), dtype=torch.float16, pin_memory=on_gpu)
            volumes.fill(values.numpy(), own)
            yield rows, own, values.to(device, non_blocking=True).float().unsqueeze(1)

    yield from clock.of(ahead(read()) if on_gpu else read())


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, made by a thread that is a few of them ahead; its errors are raised here, and it ends when this does."""
    ready: queue.Queue = queue.Queue(AHEAD)
    over = threading.Event()

    def put(word: tuple) -> None:
        while not over.is_set():
            try:
                return ready.put(word, timeout=0.1)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put((item, None))
                if over.is_set():
                    return
            put((None, StopIteration()))
        except Exception as error:
            put((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item
    finally:
        over.set()
        thread.join()
