"""One person under two ids: all pairs of 1,000 profiles, heads and tiles; and what it costs to look at one image."""

import numpy as np
from measure import alternate, extra_megabytes, milliseconds, table

from triptych.likeness import pairs, profiles, tiles, volumes
from triptych.planted import phantoms

ROWS = 1_000
SHAPES = {"profiles, 5,000 genes": (1, 5_000), "heads, 2 views": (2, 940), "tiles, 8 views": (8, 256)}


def embedded(views: int, length: int, copies: int = 20) -> np.ndarray:
    """Random vectors (ROWS, views, length), the last of them noisy copies of the first."""
    random = np.random.default_rng(0)
    found = random.normal(size=(ROWS, views, length)).astype(np.float32)
    found[-copies:] = found[:copies] + 0.3 * random.normal(size=found[:copies].shape)
    return found


def row(name: str) -> list[object]:
    vectors, who = embedded(*SHAPES[name]), np.arange(ROWS)
    found = pairs.find(vectors, who)
    if set(zip(found.first.tolist(), found.second.tolist(), strict=True)) != {(k, ROWS - 20 + k) for k in range(20)}:
        raise AssertionError(f"{name}: the twenty copies were not found, or others were")
    seconds = alternate({"ours": lambda: pairs.find(vectors, who)}, 5)["ours"]
    return [name, milliseconds(seconds), f"{extra_megabytes(lambda: pairs.find(vectors, who)):.0f}"]


def main() -> str:
    """Print and return the markdown section."""
    head, tile = phantoms.head(np.random.default_rng(0)), phantoms.tile(np.random.default_rng(0))
    counts = np.random.default_rng(0).lognormal(5, 2, (100, 5_000))
    once = alternate(
        {
            "a head of 190,000 voxels": lambda: volumes.embed(head, phantoms.AFFINE),
            "a tile of 224 x 224": lambda: tiles.embed(tile),
            "100 profiles of 5,000 genes": lambda: profiles.embed(counts),
        },
        7,
    )
    text = "## One person under two ids\n\n" + table(
        ["1,000 rows, all pairs", "ms", "extra MB"], [row(k) for k in SHAPES]
    )
    text += "\n\n" + table(["looking at", "ms"], [[name, milliseconds(seconds)] for name, seconds in once.items()])
    text += "\n\nMedians; centring, the threshold and both passes over all pairs included. Twenty copies are planted and found.\n"
    print(text)
    return text


if __name__ == "__main__":
    main()
