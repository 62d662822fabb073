"""Training on volumes: reading the cache or decoding .nii.gz, speed of Conv5-FC3, waiting, memory; a GPU is `mri_gpu`'s."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import torch
from measure import alternate, extra_megabytes, milliseconds, table
from scipy import ndimage

from triptych.augmentation import Augmentation
from triptych.batches import Clock, keep_memory, load
from triptych.models import _images, conv5_fc3
from triptych.nets.conv5fc3 import Conv5FC3
from triptych.tables import Examples
from triptych.volumes import Volumes

SHAPE, FINE = (80, 96, 80), (160, 192, 160)  # the boxes of preprocessing at 2 and 1 mm
HEADS = 16
PUBLISHED = Path(os.environ.get("TRIPTYCH_DATA", "../shared/data")) / "mri/ds002748/sub-01/anat/sub-01_T1w.nii.gz"


def heads(folder: Path, shape: tuple[int, ...], number: int) -> tuple[list[Path], list[Path]]:
    """Smooth brains with noise, 0 outside: as cached arrays and as compressed images."""
    random = np.random.default_rng(0)
    place = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))
    inside = (place**2).sum(axis=0) < 0.8
    arrays, images = [], []
    for k in range(number):
        smooth = ndimage.zoom(random.random((8, 8, 8)), np.array(shape) / 8, order=1)
        values = np.where(inside, smooth + 0.05 * random.standard_normal(shape), 0)
        arrays.append(folder / f"{shape[0]}-{k}.npy")
        images.append(folder / f"{shape[0]}-{k}.nii.gz")
        np.save(arrays[-1], values.astype(np.float16))
        nib.save(nib.Nifti1Image((values * 1000).astype(np.int16), np.eye(4)), images[-1])
    return arrays, images


def cached(volumes: Volumes, row: int) -> torch.Tensor:
    """One volume, as training reads it."""
    ((_, _, x),) = load(volumes, [np.array([row])], torch.device("cpu"), Clock())
    return x


def decode(path: Path) -> torch.Tensor:
    """One compressed image, as others read it in every epoch."""
    return torch.from_numpy(np.asarray(nib.load(path).dataobj, np.float32))


def loading(folder: Path) -> str:
    """Reading one volume; and one head as it was published, which others decode, against ours at 1 mm."""
    rows = []
    for name, shape, number in (("2 mm", SHAPE, HEADS), ("1 mm", FINE, 4)):
        arrays, images = heads(folder, shape, number)
        rows.append(_read(f"{name}, {' x '.join(map(str, shape))}", arrays, images))
    if PUBLISHED.exists():
        size = " x ".join(map(str, nib.load(PUBLISHED).shape))
        rows.append(_read(f"1 mm; ds002748, sub-01 as published, {size}", arrays, [PUBLISHED] * len(arrays)))
    return table(["volume", "cache MB", ".nii.gz MB", "cache, CPU ms", ".nii.gz, CPU ms", "ratio"], rows)


def _read(name: str, arrays: list[Path], images: list[Path]) -> list[str]:
    cache = Volumes.of(arrays)
    takes = {
        "cache": lambda: [cached(cache, k) for k in range(len(arrays))],
        "gz": lambda: [decode(path) for path in images],
    }
    found = {key: seconds / len(arrays) for key, seconds in alternate(takes, 7, clock=time.process_time).items()}
    sizes = [f"{path.stat().st_size / 1e6:.1f}" for path in (arrays[0], images[0])]
    times = [milliseconds(found[key]) for key in ("cache", "gz")]
    return [name, *sizes, *times, f"{found['gz'] / found['cache']:.0f}x"]


def examples(arrays: list[Path]) -> Examples:
    """Rows with images and a number as outcome."""
    names = [f"p{k:02d}" for k in range(len(arrays))]
    rows = {"cohort": "sim", "participant_id": names, "session_id": "ses-1", "y": np.arange(len(arrays)) % 7.0}
    return Examples(pd.DataFrame({**rows, "mri_t1w": list(map(str, arrays))}), {"image": ["mri_t1w"]}, "regression")


@contextmanager
def decoding(images: list[Path]) -> Iterator[None]:
    """Within it, volumes are decoded from compressed images instead."""
    kept = Volumes.fill

    def fill(self: Volumes, into: np.ndarray, rows: list[int]) -> None:
        into[:] = np.stack([decode(images[row]).numpy() / 1000 for row in rows])

    Volumes.fill = fill  # type: ignore[method-assign]
    try:
        yield
    finally:
        Volumes.fill = kept  # type: ignore[method-assign]


def epoch(
    arrays: list[Path], device: str, augment: float, net: torch.nn.Module, precision: str, batch: int = 8
) -> tuple[float, float]:
    """Volumes per second (of CPU, or of a GPU's time), and the share spent waiting, in an epoch of training."""
    volumes, where, clock = Volumes.of(arrays), torch.device(device), Clock()
    work = _images._Work(
        volumes,
        np.zeros(len(arrays)),
        np.ones(len(arrays)),
        "regression",
        (0.3, 0.3),
        conv5_fc3.Options(augment=augment, batch=batch),
        0,
        where,
        clock,
    )
    optimizer = torch.optim.Adam(net.parameters(), 1e-4)
    now = time.perf_counter if device == "cuda" else time.process_time
    start = now()
    for step in work.steps(np.arange(len(arrays)), 0):
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            loss = step(net)
        loss.backward()
        optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()
    return len(arrays) / (now() - start), clock.share


def training(folder: Path) -> str:
    """An epoch of Conv5-FC3 on the CPU."""
    arrays, images = heads(folder, SHAPE, HEADS)
    torch.manual_seed(0)
    net, rows = Conv5FC3(SHAPE), []
    epoch(arrays[:8], "cpu", 0.0, net, "float32")
    for name, augment, precision in (
        ("as they are", 0.0, "float32"),
        ("changed at random", 1.0, "float32"),
    ):
        cached = epoch(arrays, "cpu", augment, net, precision)
        with decoding(images):
            decoded = epoch(arrays, "cpu", augment, net, precision)
        rows.append([name, *(f"{speed:.2f} ({share:.1%})" for speed, share in (cached, decoded))])
    text = table(
        [
            "2 mm, batches of 8",
            "from the cache: volumes per CPU s (waiting)",
            "from .nii.gz: volumes per CPU s (waiting)",
        ],
        rows,
    )
    module, train = conv5_fc3, examples(arrays)
    options = module.Options(epochs=1, maps=1)
    found = []
    fitting = extra_megabytes(lambda: found.append(module.fit(train, options, blocks=["image"], seed=0, device="cpu")))
    told = [("one epoch of a fit, batches of 8", fitting)]
    told += [("predicting 16 rows, one at a time", extra_megabytes(lambda: found[0].predict(train)))]
    told += [("their map", extra_megabytes(lambda: found[0].map(train)))]
    return text + "\n\n" + table(["Conv5-FC3, 2 mm", "extra peak MB"], [[name, f"{mb:.0f}"] for name, mb in told])


def augmenting(folder: Path) -> str:
    """What random changes cost."""
    arrays, _ = heads(folder, SHAPE, 8)
    (_, own, x), *_ = load(Volumes.of(arrays), [np.arange(8)], torch.device("cpu"), Clock())
    change: Callable[[], object] = lambda: Augmentation(1.0, True, 0)(x, own, 0)  # noqa: E731
    seconds = alternate({"ours": change}, 3, clock=time.process_time)["ours"] / 8
    return f"Random changes of one 2 mm volume: {milliseconds(seconds)} ms of CPU."


def main() -> str:
    """Print and return the markdown section."""
    torch.set_num_threads(1)
    keep_memory()  # as every fit of images does
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = [loading(folder), training(folder), augmenting(folder)]
    text = "## Training on brain images, one CPU thread\n\n" + "\n\n".join(parts) + "\n\n"
    text += (
        "CPU seconds, since others used the machine. Files that the system holds in memory, in both ways of reading. Medians of "
        "seven alternating runs; one epoch for training. Waiting: the share of an epoch until the next batch is there; random "
        "changes are not waiting. The images are smooth noise within a ball.\n"
    )
    print(text)
    return text


if __name__ == "__main__":
    main()
