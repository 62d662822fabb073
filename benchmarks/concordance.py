"""Concordance: ours against lifelines and scikit-survival, and against all pairs counted one by one."""

import warnings

import numpy as np
from lifelines.utils import concordance_index
from measure import alternate, extra_megabytes, milliseconds, table
from sksurv.metrics import concordance_index_censored, concordance_index_ipcw

from triptych.survival.concordance import harrell, uno
from triptych.survival.nonparametric import censoring_curve


def cohort(n: int, step: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, event and risk of n rows; times rounded up to multiples of `step` if it is positive."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n)
    death, censoring = rng.exponential(1000 * np.exp(-risk / 2)), rng.exponential(1500, n)
    time = np.minimum(death, censoring)
    return (np.ceil(time / step) * step if step else time), death <= censoring, risk


def brute(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> tuple[int, int, int]:
    """Concordant, discordant and risk-tied pairs by comparing all n^2."""
    before = event[:, None] & ((time[:, None] < time) | ((time[:, None] == time) & ~event))
    higher, equal = risk[:, None] > risk, risk[:, None] == risk
    return int((before & higher).sum()), int((before & ~higher & ~equal).sum()), int((before & equal).sum())


def equal_to_brute_force(n: int = 1000) -> str:
    """One sentence, after checking counts with heavy ties in time and risk, and Uno's C."""
    time, event, risk = cohort(n, step=100)
    risk = np.round(risk, 1)
    ours = harrell(time, event, risk)
    found, expected = (ours.concordant, ours.discordant, ours.tied_risk), brute(time, event, risk)
    if found != expected:
        raise AssertionError(f"pairs {found}, all pairs compared {expected}")
    weight = event / censoring_curve(time, event).left(time) ** 2
    pairs = np.array([brute_row(i, time, event, risk) for i in range(n)])
    expected_uno = (weight @ pairs[:, 0]) / (weight @ pairs[:, 1])
    if abs(uno(time, event, risk).c - expected_uno) > 1e-12:
        raise AssertionError(f"Uno {uno(time, event, risk).c}, all pairs compared {expected_uno}")
    return (
        f"At n = {n:,} with heavy ties, pair counts equal those of all pairs one by one: {expected}; so does Uno's C."
    )


def brute_row(i: int, time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> tuple[float, int]:
    later = event[i] & ((time > time[i]) | ((time == time[i]) & ~event))
    return (later & (risk[i] > risk)).sum() + 0.5 * (later & (risk[i] == risk)).sum(), later.sum()


def sksurv_data(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    return np.array(list(zip(event, time, strict=True)), dtype=[("event", bool), ("time", float)])


def rows_at(n: int, repeats: int, quadratic: int, step: float = 0.0) -> list[list[object]]:
    """Table rows for one n; the O(n^2) peers run `quadratic` times (0: not at all)."""
    time, event, risk = cohort(n, step)
    y, late = sksurv_data(time, event) if quadratic else None, time[event].max()
    ours = {
        "Harrell, C only": lambda: harrell(time, event, risk, influence=False),
        "Harrell with influence": lambda: harrell(time, event, risk),
        "Uno with influence": lambda: uno(time, event, risk),
    }
    peer = {"lifelines": lambda: concordance_index(time, -risk, event)}
    slow = {
        "sksurv Harrell": lambda: concordance_index_censored(event, time, risk),
        "sksurv Uno": lambda: concordance_index_ipcw(y, y, risk, tau=late),
    }
    seconds = alternate(ours | peer, repeats)
    if quadratic:
        seconds |= alternate(slow, quadratic, warm=False)
    rows = []
    for name, function in ours.items():
        other = seconds.get("sksurv Uno" if "Uno" in name else "sksurv Harrell")
        rows.append(
            [
                f"{n:,}" + (", ties" if step else ""),
                name,
                milliseconds(seconds[name]),
                f"{extra_megabytes(function):.0f}",
                "-"
                if "Uno" in name
                else f"{milliseconds(seconds['lifelines'])} ({seconds['lifelines'] / seconds[name]:.0f}x)",
                "-" if other is None else f"{milliseconds(other)} ({other / seconds[name]:.0f}x)",
            ]
        )
    return rows


def main() -> str:
    """Print and return the markdown section."""
    warnings.filterwarnings("ignore")
    rows = rows_at(10_000, 7, 3) + rows_at(100_000, 5, 1) + rows_at(1_000_000, 3, 0) + rows_at(1_000_000, 3, 0, step=30)
    header = ["n", "ours", "ms", "extra MB", "lifelines, C only: ms (ratio)", "scikit-survival, C only: ms (ratio)"]
    text = "## Concordance\n\n" + table(header, rows) + "\n\n" + equal_to_brute_force()
    text += (
        "\n\nMedians of 3-7 alternating runs, one thread, compiled code warm (the first call of an installation"
        " compiles for some seconds); scikit-survival at n = 100,000 ran once. Influence gives the standard error and"
        " paired tests, which neither peer offers. lifelines has no Uno's C. Ties: times rounded up to 30 days.\n"
    )
    print(text)
    return text


if __name__ == "__main__":
    main()
