"""One contract for every figure in the folder: adding a file adds its tests."""

import ast
import importlib
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import triptych.figures
from triptych.figures import _style

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tests" / "unit" / "report"))
import simulated  # noqa: E402

FOLDER = Path(triptych.figures.__file__).parent
NAMES = sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith("_"))
VALUES = {
    "value", "low", "high", "se", "difference", "statistic", "df", "p", "p_holm", "survival", "observed", "predicted",
    "n", "n_units", "n_events", "events", "null_value", "published", "published_low", "published_high", "ours",
    "ours_low", "ours_high", "n_comparisons", "n_patients",
}  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    return {n: simulated.tables("os", simulated.models(n)) for n in (1, 3, 12)}


def load(name):
    return importlib.import_module(f"triptych.figures.{name}")


def words(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.findobj(matplotlib.text.Text))


def not_estimable(table: pd.DataFrame) -> pd.DataFrame:
    """The same rows, with no value in any of them."""
    blank = table.assign(**{c: np.nan for c in VALUES & set(table.columns)})
    if "estimable" in blank:
        blank = blank.assign(estimable=False, reason="no event was observed")
    return blank


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is_without_being_imported(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    literals = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in {"TITLE", "TABLE", "CAPTION"}
    }
    assert set(literals) == {"TITLE", "TABLE", "CAPTION"}
    assert literals["TABLE"] in simulated.TABLES
    assert literals["CAPTION"].endswith(".")
    assert ast.get_docstring(tree)
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    siblings = {m for m in imported if m.startswith("triptych.figures") and not m.split(".")[-1].startswith("_")}
    assert not siblings
    assert "pyplot" not in (FOLDER / f"{name}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("n", [1, 3, 12])
@pytest.mark.parametrize("name", NAMES)
def test_draws(name, n, tables):
    module = load(name)
    figure = module.draw(tables[n][module.TABLE])
    assert isinstance(figure, Figure)
    assert "nothing to draw" not in words(figure)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_table_says_why_there_is_nothing(name, tables):
    module = load(name)
    table = tables[1][module.TABLE]
    for empty in (table.iloc[:0], pd.DataFrame(columns=table.columns)):
        assert "nothing to draw: " in words(module.draw(empty))


@pytest.mark.parametrize("name", NAMES)
def test_survives_rows_without_values_and_hostile_names(name, tables, tmp_path):
    module = load(name)
    blank = not_estimable(tables[3][module.TABLE])
    assert isinstance(module.draw(blank), Figure)
    hostile = tables[3][module.TABLE].copy()
    for column in {"model", "model_a", "model_b", "label", "cohort", "reason", "level"} & set(hostile.columns):
        if hostile[column].dtype == object:
            hostile[column] = hostile[column].map(lambda v: f"{v} $x_{{ <b>&" if isinstance(v, str) else v)
    module.draw(hostile).savefig(tmp_path / "hostile.svg")
    if {"low", "high"} <= set(hostile.columns):
        module.draw(hostile.assign(low=np.nan, high=np.nan))
        module.draw(hostile.assign(low=-np.inf, high=np.inf))


@pytest.mark.parametrize("name", NAMES)
def test_equal_tables_give_equal_bytes(name, tables, tmp_path):
    module = load(name)
    for folder in ("one", "two"):
        table = tables[1][module.TABLE]
        table = table[table["metric"] == table["metric"].iloc[0]] if "metric" in table else table
        _style.save(module.draw(table), tmp_path / folder / name)
    for kind in ("svg", "pdf", "png"):
        one, two = ((tmp_path / folder / f"{name}.{kind}").read_bytes() for folder in ("one", "two"))
        assert one == two
        assert len(one) > 1000


def test_what_cannot_be_estimated_is_shown_with_its_reason(tables):
    blank = not_estimable(tables[3]["scores"])
    assert "not estimable: no event was observed" in words(load("forest").draw(blank)).replace("\n", " ")


def test_nulls_come_last_and_the_best_model_first(tables):
    table = tables[12]["scores"]
    figure = load("forest").draw(table)
    names = [t.get_text().replace("\n", " ") for t in figure.axes[0].get_yticklabels()]
    first = table[(table["metric"] == table["metric"].iloc[0]) & (table["role"] == "model")]
    assert names[-2:] == simulated.NULLS
    assert names[0] == first.sort_values("value")["model"].iloc[-1]


def test_holm_significant_cells_are_bold_and_signs_follow_the_layout():
    row = {"task": "t", "metric": "c", "label": "C", "at": np.nan, "time_unit": "months", "low": -0.3, "high": -0.1,
           "n_comparisons": 3, "method": "m", "unit": "patient", "n_units": 9, "direction": "higher",
           "estimable": True, "reason": np.nan}  # fmt: skip
    pairs = [("worse", "best", -0.2, 0.001), ("middle", "best", -0.1, 0.4), ("worse", "middle", -0.1, 0.2)]
    table = pd.DataFrame([row | {"model_a": a, "model_b": b, "difference": v, "p_holm": p} for a, b, v, p in pairs])
    texts = [t for t in load("paired").draw(table).axes[0].texts if t.get_text().startswith(("+", "−"))]
    bold = [t.get_text() for t in texts if t.get_weight() == "bold"]
    assert bold == ["+0.200", "+0.100 to +0.300"]


def test_the_style_leaves_the_process_as_it_was(tables):
    before = dict(matplotlib.rcParams)
    load("forest").draw(tables[1]["scores"])
    assert dict(matplotlib.rcParams) == before


def test_many_published_cells_become_differences():
    names = simulated.models(12)
    table = pd.concat([simulated.published(np.random.default_rng(i), "os", names) for i in range(3)])
    assert "72 cells" in words(load("published").draw(table))
