"""Intervals and tests of AUC and C: ours, by patient, against confidenceinterval, MLstatkit and torchsurv, which take rows.

Peers that the lock cannot hold are used when they are there (confidenceinterval 1.0.5 asks for an old setuptools):
`pip install --no-deps --target .peers confidenceinterval==1.0.5 statsmodels patsy`, then PYTHONPATH=.peers.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import torch
from measure import alternate, extra_megabytes, milliseconds, table
from MLstatkit import Bootstrapping, Delong_test
from torchsurv.metrics.cindex import ConcordanceIndex

from triptych.inference.auc import compare_aucs, obuchowski
from triptych.inference.bootstrap import (
    auc_bootstrap,
    draw_counts,
    label_strata,
    pair_replicates,
    percentile_limits,
)
from triptych.survival.concordance import difference, harrell, resampled

try:
    from confidenceinterval import roc_auc_score as peer_auc
except ImportError:
    peer_auc = None

RESAMPLES = 2000
SCANS = 5


def classes(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class and two scores, (n,) and (n, 2), of patients with five scans each, and the patient of each row."""
    rng = np.random.default_rng(seed)
    patient = np.arange(n) // SCANS
    y = (rng.random(n // SCANS + 1) < 0.4)[patient]
    shared = rng.normal(size=(n // SCANS + 1, 2))[patient]
    return y, y[:, None] * [1.0, 0.8] + shared + rng.normal(size=(n, 2)), patient


def cohort(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Time, event, two risks (n, 2), and the patient of each row."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    death, censoring = rng.exponential(1000 * np.exp(-hidden)), rng.exponential(1500, n)
    risk = hidden[:, None] + rng.normal(size=(n, 2))
    return np.minimum(death, censoring), death <= censoring, risk, np.arange(n) // SCANS


def row(name: str, n: int, ours: Callable[[], object], peers: Mapping[str, Callable[[], object] | None], repeats: int):
    """One row of the table: our time and memory, and each peer's time with its ratio to ours."""
    there = {peer: run for peer, run in peers.items() if run is not None}
    slow = {peer: run for peer, run in there.items() if peer == "torchsurv" or "resamples" in name}
    seconds = alternate({"ours": ours, **{p: r for p, r in there.items() if p not in slow}}, repeats)
    seconds |= alternate(slow, 1, warm=False) if slow else {}
    cells = [
        f"{milliseconds(seconds[peer])} ({seconds[peer] / seconds['ours']:.3g}x)" if peer in seconds else "-"
        for peer in ("confidenceinterval", "MLstatkit", "torchsurv")
    ]
    return [name, f"{n:,}", milliseconds(seconds["ours"]), f"{extra_megabytes(ours):.0f}", *cells]


def quiet(run: Callable[[], object]) -> Callable[[], object]:
    """Without the progress bar that a peer draws."""

    def silent() -> object:
        with contextlib.redirect_stderr(io.StringIO()):
            return run()

    return silent


def closed_forms(n: int, repeats: int) -> list[list[object]]:
    """Two AUCs and their difference; two C-indices and theirs."""
    y, scores, patient = classes(n)
    areas = obuchowski(y, scores, patient)
    z, _, first, second = Delong_test(y, *scores.T, return_ci=False)
    rows = obuchowski(y, scores, np.arange(n))
    check("AUC", areas.values, [first, second])
    check("z of DeLong by rows", [abs(compare_aucs(rows, level=0.95).statistic)], [abs(z)])

    def both() -> object:
        return [peer_auc(y, score) for score in scores.T]

    found = [
        row(
            "Two AUCs, covariance by patient, paired test",
            n,
            lambda: compare_aucs(obuchowski(y, scores, patient), level=0.95),
            {
                "MLstatkit": lambda: Delong_test(y, *scores.T, return_ci=False),
                "confidenceinterval": both if peer_auc else None,
            },
            repeats,
        )
    ]
    for size, peer in ((n, False), (2000, True)):
        time, event, risk, patient = cohort(size)

        def ours(time=time, event=event, risk=risk, patient=patient) -> tuple[float, float]:
            return difference(*(harrell(time, event, r) for r in risk.T), cluster=patient)

        def theirs(time=time, event=event, risk=risk) -> object:
            known = [torch_c(time, event, r) for r in risk.T]
            return known[0].compare(known[1])

        if peer:
            check("C", [harrell(time, event, r).c for r in risk.T], [torch_c(time, event, r).cindex for r in risk.T])
        found.append(row("Two C, paired test by patient", size, ours, {"torchsurv": theirs if peer else None}, repeats))
    return found


def torch_c(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> ConcordanceIndex:
    """The peer's C, kept for its tests; its bootstrap takes single precision only."""
    made = ConcordanceIndex()
    made(torch.tensor(risk, dtype=torch.float32), torch.tensor(event), torch.tensor(time, dtype=torch.float32))
    return made


def bootstraps(n: int, survivors: int, repeats: int) -> list[list[object]]:
    """2,000 resamples of an AUC and of a C."""
    y, scores, patient = classes(n)
    score, ones = scores[:, 0], np.zeros(n, dtype=int)

    def product() -> object:
        rng = np.random.default_rng(1)
        return auc_bootstrap(y, score, patient, level=0.95, rng=rng, replicates=RESAMPLES)

    def sums() -> object:
        rng = np.random.default_rng(1)
        strata = label_strata(y, patient)
        counts = draw_counts(strata.size, replicates=RESAMPLES, rng=rng, strata=strata)
        return percentile_limits(pair_replicates(y, ~y, score, ones, counts[:, patient]), level=0.95)

    limits = product()
    check("AUC of the two ways", [limits.low, limits.high], sums())  # type: ignore[attr-defined]
    peers = {
        "MLstatkit": quiet(lambda: Bootstrapping(y, score, "roc_auc", n_bootstraps=RESAMPLES)),
        "confidenceinterval": (lambda: peer_auc(y, score, 0.95, "bootstrap_percentile", RESAMPLES))
        if peer_auc
        else None,
    }
    name = f"AUC, {RESAMPLES:,} resamples"
    found = [
        row(f"{name} of patients, one product", n, product, peers, repeats),
        row(f"{name} of patients, running sums", n, sums, peers, repeats),
    ]
    time, event, risk, patient = cohort(survivors)

    def ours() -> object:
        counts = draw_counts(patient[-1] + 1, replicates=RESAMPLES, rng=np.random.default_rng(1))
        return percentile_limits(resampled(time, event, risk[:, 0], counts[:, patient]), level=0.95)

    known = torch_c(time, event, risk[:, 0])
    theirs = {"torchsurv": lambda: known.confidence_interval(method="bootstrap", n_bootstraps=RESAMPLES)}
    return [*found, row(f"C, {RESAMPLES:,} resamples of patients", survivors, ours, theirs, repeats)]


def check(what: str, ours: object, theirs: object) -> None:
    """Both must say the same before their speed is compared."""
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    if not np.allclose(a, b, rtol=1e-5, atol=1e-6):
        raise AssertionError(f"{what}: ours {a}, theirs {b}")


def main() -> str:
    """Print and return the markdown section."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    rows = closed_forms(100_000, 5) + bootstraps(2_000, 200, 3)
    header = ["what", "rows", "ours ms", "extra MB"]
    header += [f"{peer} ms (ratio)" for peer in ("confidenceinterval", "MLstatkit", "torchsurv")]
    text = "## Intervals and tests of AUC and C\n\n" + table(header, rows)
    text += (
        "\n\nOurs take rows of one patient (here five) as dependent; the peers take every row as independent, and have no"
        " other way. Medians of 3-5 alternating runs; bootstraps of peers, and torchsurv, ran once. Values agree with the"
        " peers' where both mean the same. confidenceinterval gives the variance of each AUC and no paired test; it pins an"
        " old setuptools, so it is not in the lock and is compared where it is installed besides. torchsurv holds all pairs"
        " of rows at once: at 100,000 rows it would need 10^10 of them.\n"
    )
    print(text)
    return text


if __name__ == "__main__":
    main()
