"""Training on volumes: reading the cache or decoding .nii.gz, speed of Conv5-FC3, waiting, memory; a GPU where there is one."""

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
from torch.utils.flop_counter import FlopCounterMode

from triptych.augmentation import Augmentation
from triptych.batches import Clock, keep_memory, load
from triptych.models import _images, conv5_fc3
from triptych.nets.conv5fc3 import Conv5FC3
from triptych.nets.resnet3d import ResNet3D
from triptych.tables import Examples
from triptych.volumes import Volumes

SHAPE, FINE = (80, 96, 80), (160, 192, 160)  # the boxes of preprocessing at 2 and 1 mm
HEADS = 16
BF16, BANDWIDTH = 989e12, 3.35e12  # dense operations and bytes per second of an H100 SXM, as its maker says
PASSES = 6  # how often each activation is written or read in a step: forward once and once, backward twice and twice


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


def decode(path: Path) -> torch.Tensor:
    """One compressed image, as others read it in every epoch."""
    return torch.from_numpy(np.asarray(nib.load(path).dataobj, np.float32))


def loading(folder: Path) -> str:
    """Reading one volume."""
    rows = []
    for name, shape, number in (("2 mm", SHAPE, HEADS), ("1 mm", FINE, 4)):
        arrays, images = heads(folder, shape, number)
        cache = Volumes.of(arrays)
        takes = {
            "cache": lambda cache=cache, n=number: [torch.from_numpy(cache.read([k])).float() for k in range(n)],
            "gz": lambda images=images: [decode(path) for path in images],
        }
        found = {key: seconds / number for key, seconds in alternate(takes, 7, clock=time.process_time).items()}
        sizes = [f"{path.stat().st_size / 1e6:.1f}" for path in (arrays[0], images[0])]
        times = [milliseconds(found[key]) for key in ("cache", "gz")]
        rows.append([f"{name}, {' x '.join(map(str, shape))}", *sizes, *times, f"{found['gz'] / found['cache']:.0f}x"])
    return table(["volume", "cache MB", ".nii.gz MB", "cache, CPU ms", ".nii.gz, CPU ms", "ratio"], rows)


def examples(arrays: list[Path]) -> Examples:
    """Rows with images and a number as outcome."""
    names = [f"p{k:02d}" for k in range(len(arrays))]
    rows = {"cohort": "sim", "participant_id": names, "session_id": "ses-1", "y": np.arange(len(arrays)) % 7.0}
    return Examples(pd.DataFrame({**rows, "mri_t1w": list(map(str, arrays))}), {"image": ["mri_t1w"]}, "regression")


@contextmanager
def decoding(images: list[Path]) -> Iterator[None]:
    """Within it, volumes are decoded from compressed images instead."""
    kept = Volumes.read

    def read(self: Volumes, rows: list[int]) -> np.ndarray:
        return np.stack([(decode(images[row]).numpy() / 1000).astype(np.float16) for row in rows])

    Volumes.read = read  # type: ignore[method-assign]
    try:
        yield
    finally:
        Volumes.read = kept  # type: ignore[method-assign]


def epoch(arrays: list[Path], device: str, augment: float, net: torch.nn.Module, precision: str) -> tuple[float, float]:
    """Volumes per second (of CPU, or of a GPU's time), and the share spent waiting, in an epoch of training on batches of 8."""
    volumes, where, clock = Volumes.of(arrays), torch.device(device), Clock()
    work = _images._Work(
        volumes,
        np.zeros(len(arrays)),
        np.ones(len(arrays)),
        "regression",
        (0.3, 0.3),
        conv5_fc3.Options(augment=augment),
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


def floors(net: torch.nn.Module, shape: tuple[int, ...]) -> tuple[float, float]:
    """Operations and bytes that one volume costs in a training step at least: three forward passes, activations in bfloat16."""
    outputs: list[int] = []
    hooks = [
        m.register_forward_hook(lambda _, __, out: outputs.append(out.numel()))
        for m in net.modules()
        if not list(m.children())
    ]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 1, *shape, device=next(net.parameters()).device))
    for hook in hooks:
        hook.remove()
    return 3.0 * counter.get_total_flops(), 2.0 * PASSES * sum(outputs)


def on_gpu(folder: Path) -> str:
    """Throughput of two nets against what the card could do."""
    if not torch.cuda.is_available():
        return (
            "GPU: not measured. No GPU was at hand; `python benchmarks/run.py mri_training` adds the rows on a machine with one: "
            "volumes per second of Conv5-FC3 and ResNet-18 in bf16 against the floors of operations and of bytes."
        )
    rows = []
    for name, shape, make in (
        ("Conv5-FC3", SHAPE, lambda: Conv5FC3(SHAPE)),
        ("Conv5-FC3", FINE, lambda: Conv5FC3(FINE)),
        ("ResNet-18", SHAPE, ResNet3D),
        ("ResNet-18", FINE, ResNet3D),
    ):
        arrays, _ = heads(folder, shape, 16)
        net = make().cuda()
        operations, moved = floors(net.eval(), shape)
        net.train()
        epoch(arrays, "cuda", 1.0, net, "bf16")
        speed, waiting = epoch(arrays * 16, "cuda", 1.0, net, "bf16")
        floor = max(operations / BF16, moved / BANDWIDTH)
        size = " x ".join(map(str, shape))
        peak = torch.cuda.max_memory_allocated() / 2**30
        cells = [
            f"{operations / 1e9:.0f}",
            f"{moved / 1e9:.2f}",
            f"{1 / floor:.0f}",
            f"{speed:.0f}",
            f"{waiting:.1%}",
            f"{peak:.1f}",
        ]
        rows.append([f"{name}, {size}", *cells])
    header = ["net, volume", "GFLOP", "GB", "volumes/s at the floor", "volumes/s", "waiting", "peak GiB"]
    return f"{torch.cuda.get_device_name()}:\n\n" + table(header, rows)


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
        parts = [loading(folder), training(folder), augmenting(folder), on_gpu(folder)]
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
