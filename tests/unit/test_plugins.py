"""Plug-ins: found by file name, read without being imported, options checked against their annotations."""

import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from triptych import plugins
from triptych.errors import StudyError
from triptych.plugins import _fits, build_options, check_given, check_options, describe, load, names

KINDS = ("cohorts", "models", "splits", "audit", "metrics", "figures")
ALL = [(kind, name) for kind in KINDS for name in names(kind)]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An empty package to put plug-ins into."""
    monkeypatch.setattr(plugins, "PACKAGE", tmp_path)
    (tmp_path / "models").mkdir()
    return tmp_path


def plugin(package, text, name="mine"):
    (package / "models" / f"{name}.py").write_text(text)
    return describe("models", name)


def test_names_are_the_files_and_shared_files_are_none(package):
    for name in ("zebra.py", "ant.py", "_shared.py", "__init__.py", "notes.txt", "Capital.py"):
        (package / "models" / name).touch()
    assert names("models") == ["ant", "zebra"]
    assert names("no_such_kind") == []


def test_real_names():
    assert "cox" in names("models")
    assert not any(name.startswith("_") for kind in KINDS for name in names(kind))


@pytest.mark.parametrize("ask", [load, describe])
def test_unknown_name_names_the_nearest(ask):
    with pytest.raises(StudyError, match=r"nothing called 'coks' in models; did you mean 'cox'\?"):
        ask("models", "coks")
    with pytest.raises(StudyError, match=r"nothing called 'qqqqqq' in splits; known: .*given.*leave_site_out"):
        ask("splits", "qqqqqq")


@pytest.mark.parametrize("name", ["_inputs", "__init__", "../audit/same_content", "cox.py", "", "*"])
def test_names_that_are_no_plugin(name):
    with pytest.raises(StudyError, match="nothing called"):
        describe("models", name)


def test_describe_reads_without_importing(package):
    found = plugin(
        package,
        '"""One line\nof summary.\n\nMore."""\nraise RuntimeError("imported")\nTASKS = ("survival",)\nLIMIT = 2 * 3\n'
        "class Options:\n    a: float = 0.5\n    b: int\n    c: tuple[float, ...] = ()\n    d: dict = made()\n",
    )
    assert found.summary == "One line of summary."
    assert found["TASKS"] == ("survival",)
    assert "LIMIT" not in found.literals, "only literals can be read without running"
    assert [(k, o.annotation, o.default) for k, o in found.options.items()] == [
        ("a", "float", 0.5),
        ("b", "int", ...),
        ("c", "tuple[float, ...]", ()),
        ("d", "dict", ...),
    ]


def test_describe_sees_an_edit(package):
    import os

    assert plugin(package, "TASKS = ('a',)")["TASKS"] == ("a",)
    (package / "models" / "mine.py").write_text("TASKS = ('b',)")
    os.utime(package / "models" / "mine.py", ns=(1, 1))
    assert describe("models", "mine")["TASKS"] == ("b",)


def test_describing_every_plugin_imports_no_heavy_library():
    code = (
        "import sys\nfrom triptych.plugins import names, describe\n"
        f"[describe(k, n) for k in {KINDS} for n in names(k)]\n"
        "print([m for m in ('numpy', 'pandas', 'torch', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", KINDS)
def test_the_init_of_a_kind_is_empty(kind):
    assert (plugins.PACKAGE / kind / "__init__.py").read_text() == ""


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_plugin_says_what_it_is(kind, name):
    found = describe(kind, name)
    assert found.summary.endswith((".", ":")), "the first paragraph of the docstring is shown to readers"
    needed = {
        "cohorts": ["TITLE", "CITATION", "SOURCE", "LICENCE", "SHA256", "COLUMNS"],
        "models": ["TASKS"],
        "splits": ["LEAKS" if found.literals.get("LEAKS") else "ANSWERS"],
        "audit": ["TITLE", "LEAK_CLASS", "SEVERITY"],
        "metrics": ["TASKS"],
        "figures": ["TABLE"],
    }[kind]
    assert [key for key in needed if not found.literals.get(key)] == []


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k, n in ALL if describe(k, n).options])
def test_every_default_fits_its_own_annotation(kind, name):
    for key, option in describe(kind, name).options.items():
        if option.default is not ...:
            assert _fits(option.default, option.annotation), f"{key}: {option.annotation} = {option.default!r}"


# ---- options ----

OPTIONS = "class Options:\n    depth: int\n    rate: float = 0.1\n    ties: Literal['efron', 'breslow'] = 'efron'\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 1, "rat": 1.0}, r"^here: 'mine' has no option 'rat'; did you mean 'rate'\?$"),
        ({"depth": 1, "zzzzz": 1.0}, r"^here: 'mine' has no option 'zzzzz'; known: depth, rate, ties$"),
        ({"depth": "two"}, r"^here: option 'depth' of 'mine' must be int, not 'two'$"),
        ({"depth": 1.5}, r"^here: option 'depth' of 'mine' must be int, not 1.5$"),
        ({"depth": True}, r"must be int, not True"),
        ({"depth": 1, "rate": None}, r"must be float, not None"),
        ({"depth": 1, "ties": "exact"}, r"must be Literal\['efron', 'breslow'\], not 'exact'"),
        ({"rate": 1.0}, r"^here: 'mine' needs the option 'depth' \(int\)$"),
    ],
)
def test_options_refused(package, options, message):
    plugin(package, OPTIONS)
    with pytest.raises(StudyError, match=message):
        check_options("models", "mine", options, "here")


def test_options_accepted(package):
    plugin(package, OPTIONS)
    check_options("models", "mine", {"depth": 3, "rate": 1, "ties": "breslow"}, "here")
    check_given("models", "mine", {}, "here")  # what is missing may come from elsewhere


def test_a_number_that_yaml_reads_as_text_gets_a_hint(package):
    plugin(package, OPTIONS)
    options = yaml.safe_load("{depth: 3, rate: 1e-3}")
    assert options["rate"] == "1e-3"
    with pytest.raises(StudyError, match=r"must be float, not '1e-3'; YAML reads it as text, write 0.001"):
        check_options("models", "mine", options, "here")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
MEANING = {
    "int": lambda v: type(v) is int,
    "float": lambda v: type(v) in (int, float),
    "bool": lambda v: type(v) is bool,
    "str": lambda v: type(v) is str,
    "dict": lambda v: type(v) is dict,
    "Any": lambda v: True,
    "int | None": lambda v: v is None or type(v) is int,
    "float | str": lambda v: type(v) in (int, float, str),
    "tuple[float, ...]": lambda v: type(v) is list and all(type(x) in (int, float) for x in v),
    "tuple[int, ...] | None": lambda v: v is None or (type(v) is list and all(type(x) is int for x in v)),
    "list[str]": lambda v: type(v) is list and all(type(x) is str for x in v),
}


@given(value=plain, annotation=st.sampled_from(sorted(MEANING)))
def test_fits_is_what_the_annotation_says(value, annotation):
    assert _fits(value, annotation) == MEANING[annotation](value)


def test_build_options_makes_tuples():
    options = build_options(load("models", "cox"), {"ridge": [1, 10]})
    assert options.ridge == (1, 10)
    assert options.ties == "efron"
