"""Leaks of content: three people of a study with profiles or images come again under new ids, and their files were changed."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from triptych.contents import content
from triptych.likeness import tiles, volumes
from triptych.planted import changes, phantoms
from triptych.planted.clean import INPUTS, Draft, clean
from triptych.planted.leak import Leak
from triptych.tables import KEY, PERSON

GENES = [f"gene{k:03d}" for k in range(400)]
PICTURED = 40  # people of a study who have images
POOL = 96  # simulated heads, of which each study has PICTURED
COPIES = 3

# ---- profiles ----


def with_profiles(kind: str, seed: int) -> Draft:
    """A clean study with 400 genes as further inputs: tumours of four kinds, two batches, sessions that differ by noise."""
    draft, random = clean(kind, seed), np.random.default_rng([seed, 31])
    table, genes = draft.table, len(GENES)
    people, person = np.unique(table[PERSON].agg("/".join, axis=1), return_inverse=True)
    kinds, programmes = random.normal(0, 0.5, (4, genes)), random.normal(0, 0.2, (6, genes))
    own = kinds[random.integers(4, size=len(people))] + random.normal(size=(len(people), 6)) @ programmes
    own += random.normal(0, 0.5, own.shape)
    level = random.normal(5, 1.5, genes) + random.normal(0, 0.3, (2, genes))[(table["cohort"] == "south").astype(int)]
    counts = np.exp(level + own[person] + random.normal(0, 0.2, (len(table), genes)))
    known = pd.DataFrame(np.round(counts * random.uniform(0.5, 2, (len(table), 1))), columns=GENES)
    return replace(draft, table=pd.concat([table, known], axis=1), inputs=(*INPUTS, *GENES))


def _profiles(
    change: Callable, elsewhere: bool = False
) -> Callable[[Draft, np.random.Generator], tuple[Draft, list[str]]]:
    """Plant copies of profiles; ``elsewhere``: in the other cohort, of which all profiles are changed."""

    def plant(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
        table, lengths = draft.table, random.lognormal(0, 0.8, len(GENES))
        again = _again(draft, random, list(draft.people().index))
        if elsewhere:
            again = again[again["cohort"] == "north"].head(COPIES).assign(cohort="south", site="s0")
        again = again.head(COPIES).reset_index(drop=True)
        whole = pd.concat([table, again], ignore_index=True)
        rows = whole.index >= len(table)
        if elsewhere:
            rows |= (whole["cohort"] == "south").to_numpy()
        whole.loc[rows, GENES] = change(whole.loc[rows, GENES].to_numpy(float), lengths, random)
        return replace(draft, table=whole), list(again["participant_id"])

    plant.__doc__ = change.__doc__
    return plant


# ---- images ----


@cache
def _head(k: int) -> tuple[np.ndarray, np.ndarray]:
    """A simulated head of the pool, and what it looks like."""
    image = phantoms.head(np.random.default_rng([k, 577]))
    return image, volumes.embed(image, phantoms.AFFINE)


def with_heads(kind: str, seed: int) -> Draft:
    """A clean study in which forty people have a head each."""
    draft = clean(kind, seed)
    rows = _pictured(draft, seed)
    return replace(draft, content=_content(rows, "t1w", "volume", [_head(k)[1] for k in _numbers(rows, seed)]))


def with_tiles(kind: str, seed: int) -> Draft:
    """A clean study in which forty people have a tile each."""
    draft = clean(kind, seed)
    rows = _pictured(draft, seed)
    return replace(draft, content=_content(rows, "slide", "tile", [_tile_vectors(seed, k) for k in range(len(rows))]))


def _pictured(draft: Draft, seed: int) -> pd.DataFrame:
    people = draft.people()
    return people.loc[np.sort(np.random.default_rng([seed, 11]).permutation(people.index)[:PICTURED])]


def _numbers(rows: pd.DataFrame, seed: int) -> np.ndarray:
    """Which head of the pool each person has."""
    return np.random.default_rng([seed, 13]).permutation(POOL)[: len(rows)]


def _tile(seed: int, k: int) -> np.ndarray:
    return phantoms.tile(np.random.default_rng([seed, k, 587]))


@cache
def _tile_vectors(seed: int, k: int) -> np.ndarray:
    return tiles.embed(_tile(seed, k))


def _content(rows: pd.DataFrame, modality: str, kind: str, shown: list[np.ndarray]) -> pd.DataFrame:
    about = rows[KEY].assign(modality=modality, kind=kind, path="simulated").to_dict("records")
    return pd.concat([content(one, vectors) for one, vectors in zip(about, shown, strict=True)], ignore_index=True)


def _images(modality: str, kind: str, shown: Callable[[int, int, np.random.Generator], np.ndarray]) -> Callable:
    """Plant copies of images; ``shown``: what the changed image of the k-th person of a study looks like."""

    def plant(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
        rows = _pictured(draft, draft.seed)
        again = _again(draft, random, list(rows.index)).head(COPIES)
        places = [rows.index.get_loc(k) for k in again.index]
        more = _content(again, modality, kind, [shown(draft.seed, k, random) for k in places])
        table = pd.concat([draft.table, again], ignore_index=True)
        together = pd.concat([draft.content, more], ignore_index=True)
        return replace(draft, table=table, content=together), list(again["participant_id"])

    return plant


def _again(draft: Draft, random: np.random.Generator, among: list) -> pd.DataFrame:
    """Rows of people without relatives under new ids, in random order."""
    rows = draft.table.loc[among]
    rows = rows[rows["family_id"].isna()]
    rows = rows.loc[random.permutation(rows.index)]
    return rows.assign(participant_id=[f"sub-{900 + k}" for k in range(len(rows))])


def _heads(change: Callable) -> Callable:
    def shown(seed: int, k: int, random: np.random.Generator) -> np.ndarray:
        which = np.random.default_rng([seed, 13]).permutation(POOL)[k]
        return volumes.embed(*change(_head(which)[0], phantoms.AFFINE, random))

    plant = _images("t1w", "volume", shown)
    plant.__doc__ = change.__doc__
    return plant


def _tiles(change: Callable) -> Callable:
    plant = _images("slide", "tile", lambda seed, k, random: tiles.embed(change(_tile(seed, k), random)))
    plant.__doc__ = change.__doc__
    return plant


def _leak(plant: Callable, base: Callable) -> Leak:
    check = "same_profile" if base is with_profiles else "same_image"
    return Leak(plant, check, base=base, every=True)


CONTENT_LEAKS = {
    "copied profile in another unit": _leak(_profiles(changes.in_other_unit), with_profiles),
    "copied profile in a cohort of TPM": _leak(_profiles(changes.per_length, elsewhere=True), with_profiles),
    "copied profile of some genes": _leak(_profiles(changes.of_some_genes), with_profiles),
    "copied profile with noise": _leak(_profiles(changes.measured_again), with_profiles),
    "copied head, other voxels": _leak(_heads(changes.resampled), with_heads),
    "copied head, turned and moved": _leak(_heads(changes.turned), with_heads),
    "copied head with noise": _leak(_heads(changes.noisy), with_heads),
    "copied head with a bias field": _leak(_heads(changes.biased), with_heads),
    "copied head, mirrored": _leak(_heads(changes.mirrored), with_heads),
    "copied head without its face": _leak(_heads(changes.defaced), with_heads),
    "copied head, other contrast curve": _leak(_heads(changes.recurved), with_heads),
    "copied head, smoothed": _leak(_heads(changes.smoothed), with_heads),
    "the same head scanned again": _leak(_heads(changes.scanned_again), with_heads),
    "copied tile, mirrored or turned": _leak(_tiles(changes.laid_otherwise), with_tiles),
    "copied tile, recompressed": _leak(_tiles(changes.recompressed), with_tiles),
    "copied tile in another stain": _leak(_tiles(changes.restained), with_tiles),
}
CLEAN_CONTENT = {
    "clean, with profiles": (with_profiles, "same_profile"),
    "clean, with heads": (with_heads, "same_image"),
    "clean, with tiles": (with_tiles, "same_image"),
}
