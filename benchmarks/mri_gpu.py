"""Training on volumes on a GPU: volumes per second of two nets against what the card could do, and waiting for data."""

import tempfile
from pathlib import Path

import torch
from measure import table
from mri_training import FINE, SHAPE, epoch, heads
from torch.utils.flop_counter import FlopCounterMode

from triptych.batches import keep_memory
from triptych.nets.conv5fc3 import Conv5FC3
from triptych.nets.resnet3d import ResNet3D

BF16, BANDWIDTH = 989e12, 3.35e12  # dense operations and bytes per second of an H100 SXM, as its maker says
PASSES = 6  # how often each activation is written or read in a step: forward once and once, backward twice and twice
NETS = (
    ("Conv5-FC3", SHAPE, lambda: Conv5FC3(SHAPE)),
    ("Conv5-FC3", FINE, lambda: Conv5FC3(FINE)),
    ("ResNet-18", SHAPE, ResNet3D),
    ("ResNet-18", FINE, ResNet3D),
)


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


def row(folder: Path, name: str, shape: tuple[int, int, int], net: torch.nn.Module, batch: int) -> list[str]:
    """One net, trained on files in memory that are read ahead."""
    arrays, _ = heads(folder, shape, 8)
    operations, moved = floors(net.eval(), shape)
    net.train()
    found = []
    for augment in (0.0, 1.0):
        epoch(arrays * 8, "cuda", augment, net, "bf16", batch)
        found.append(epoch(arrays * 32, "cuda", augment, net, "bf16", batch))
    floor = 1 / max(operations / BF16, moved / BANDWIDTH)
    speeds = [f"{speed:.0f} ({waiting:.1%})" for speed, waiting in found]
    size = " x ".join(map(str, shape))
    peak = torch.cuda.max_memory_allocated() / 2**30
    return [
        f"{name}, {size}",
        str(batch),
        f"{operations / 1e9:.0f}",
        f"{moved / 1e9:.2f}",
        f"{floor:.0f}",
        *speeds,
        f"{peak:.1f}",
    ]


def main() -> str:
    """Print and return the markdown section; nothing where there is no GPU: the page keeps what it has."""
    if not torch.cuda.is_available():
        print("no GPU here: the section of GPUs stays as it is")
        return ""
    keep_memory()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for net, shape, make in NETS:
            for batch in (8, 32):
                torch.cuda.reset_peak_memory_stats()
                rows.append(row(Path(name), net, shape, make().cuda(), batch))
    header = ["net, volume", "batch", "GFLOP", "GB", "volumes/s at the floor", "as they are: volumes/s (waiting)"]
    text = (
        f"## Training on brain images, {torch.cuda.get_device_name()}\n\n"
        + table([*header, "changed at random: volumes/s (waiting)", "peak GiB"], rows)
        + f"\n\nbf16, torch {torch.__version__}. An epoch of 256 volumes from the cache, read ahead, after one of 64. Floor:"
        f" three forward passes at {BF16 / 1e12:.0f} TFLOP/s, or every activation moved {PASSES} times in bf16 at"
        f" {BANDWIDTH / 1e12:.2f} TB/s, whichever takes longer. Waiting with batches of 32 is mostly for the first of eight.\n"
    )
    print(text)
    return text


if __name__ == "__main__":
    main()
