"""The page: complete, self-contained, honest about what is missing, and closed to hostile names."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import simulated

from triptych.report import numbers
from triptych.report._headline import headline
from triptych.report._people import agreement
from triptych.report.page import SECTIONS, Inputs, TaskInputs, render

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Reader(HTMLParser):
    """Notes tags that do not match, every link and source, ids, and the words."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.sources, self.links, self.ids, self.words, self.tags = [], [], [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        self.sources += [
            v for k, v in attrs if k in {"src", "srcset", "data", "action"} or (k == "href" and tag != "a")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.wrong
    assert not reader.open
    assert len(reader.ids) == len(set(reader.ids))
    return reader


@pytest.fixture(scope="module")
def inputs():
    return simulated.study(1, 3)


@pytest.fixture(scope="module")
def page(inputs):
    return render(inputs)


def bare(tables, **changes):
    """A study of one task with these tables and no figure."""
    study = simulated.studied(simulated.models(3)) | changes
    task = TaskInputs("os", "Overall survival", "death", ["Cohort"], tables)
    return Inputs(study, [task], simulated.cohorts(), simulated.failures(), simulated.provenance())


def test_every_section_is_there_in_order(page):
    reader = read(page)
    places = [f"os-1-{name}" for name in SECTIONS] + ["failures", "cohorts", "methods", "provenance"]
    found = [i for i in reader.ids if i in places]
    assert [i.replace("_", "-") for i in found] == [i.replace("_", "-") for i in places]
    assert reader.ids.index("headline") < reader.ids.index(found[0])
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)


def test_nothing_comes_from_outside(page):
    reader = read(page)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in reader.sources)
    assert "@import" not in page
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", page)
    assert all(link.startswith(("#", "figures/", "tables/", "https://example.org")) for link in reader.links)


def test_no_number_stands_alone(page, inputs):
    words = read(page).text
    scores = inputs.tasks[0].tables["scores"]
    for row in scores[scores["estimable"]].to_dict("records"):
        assert numbers.estimate(row["value"], row["low"], row["high"]) in words
    assert "236 patients, 104 events" in words
    assert "infinitesimal jackknife over patients" in words
    assert "paired z test on jackknife values per patient" in words
    assert "95% interval" in words
    assert "Holm's correction for 10 comparisons" in words


def test_every_figure_has_words_for_those_who_do_not_see_it(page):
    images = re.findall(r"<img [^>]*>", page)
    assert len(images) == len(simulated.FIGURES)
    for image in images:
        assert 'role="img"' in image
        assert len(re.search(r'alt="([^"]*)"', image)[1]) > 40


def test_headline_names_the_best_its_null_and_that_choosing_is_optimistic(page):
    words = read(page).text
    assert "is the best of 3 models" in words
    assert "optimistic" in words
    assert "Against the null it must beat, " in words


def pair(difference, p, **changes):
    score = {"task": "t", "metric": "c", "label": "C", "at": np.nan, "time_unit": "months", "low": 0.55, "high": 0.75,
             "level": 0.95, "method": "jackknife", "unit": "patient", "n_units": 90, "n_events": 30,
             "direction": "higher", "null_value": 0.5, "estimable": True, "reason": np.nan}  # fmt: skip
    score |= changes
    scores = [score | {"model": m, "role": r, "value": v} for m, r, v in (("A", "model", 0.65), ("N", "null", 0.6))]
    limits = {"difference": -difference, "low": -difference - 0.04, "high": -difference + 0.04}
    test = {"statistic": 2.0, "df": 8.0, "p": p, "p_holm": p, "n_comparisons": 1, "method": "z"}
    shared = {k: score[k] for k in ("task", "metric", "label", "at", "unit", "n_units", "direction")}
    row = shared | limits | test | {"model_a": "N", "model_b": "A", "estimable": True, "reason": np.nan}
    return {"scores": pd.DataFrame(scores), "comparisons": pd.DataFrame([row])}


@pytest.mark.parametrize(
    ("difference", "p", "direction", "verdict"),
    [
        (0.05, 0.01, "higher", "better than the null"),
        (0.05, 0.2, "higher", "no evidence that it beats the null"),
        (-0.05, 0.01, "higher", "worse than the null"),
        (0.05, np.nan, "higher", "no evidence"),
        (-0.05, 0.01, "lower", "better than the null"),
    ],
)
def test_the_verdict_says_no_more_than_the_test(difference, p, direction, verdict):
    told = headline(pair(difference, p, direction=direction), ["c"])
    assert told.verdict == verdict
    assert numbers.fixed(difference, 3, signed=True) in " ".join(told.sentences)


def test_beating_only_a_null_without_knowledge_is_said_to_be_little():
    told = headline(pair(0.05, 0.01, null_value=0.6), ["c"])
    assert told.verdict == "better than chance"
    assert "the least that can be asked" in " ".join(told.sentences)


def test_a_null_that_says_the_same_of_everybody_is_compared_with_though_it_has_no_interval():
    tables = pair(0.15, 0.01)
    blank = {
        "value": 0.5,
        "low": np.nan,
        "high": np.nan,
        "n_units": np.nan,
        "estimable": False,
        "reason": "no interval",
    }
    tables["scores"] = tables["scores"].astype(object)
    tables["scores"].loc[1, list(blank)] = list(blank.values())
    told = headline(tables, ["c"])
    assert told.verdict == "better than chance"
    assert "which reached 0.500 (no interval)" in " ".join(told.sentences)
    assert told.facts[1].basis.startswith(told.facts[0].basis.split(",")[0])
    words = read(render(bare(tables))).text
    assert "0.500 (no interval) says the same of everybody" in words


@pytest.mark.parametrize(("counted", "words"), [("event", "30 events"), ("positive", "30 positives"), ("", None)])
def test_what_is_counted_has_its_name(counted, words):
    text = read(render(bare(pair(0.05, 0.01, events_are=counted)))).text
    assert words is None or f"90 patients, {words}" in text
    assert words is not None or ("30 events" not in text and "30 positives" not in text)


def test_without_a_comparison_no_claim_is_made():
    told = headline({"scores": pair(0.05, 0.01)["scores"]}, ["c"])
    assert told.verdict == "not compared with the null"
    assert "no claim is made" in " ".join(told.sentences)


def test_what_cannot_be_estimated_is_said_with_its_reason():
    tables = pair(0.05, 0.01, estimable=False, reason="no pair of patients can be compared")
    words = read(render(bare(tables))).text
    assert "C is not estimable for any model: no pair of patients can be compared." in words
    assert "not estimable no pair of patients can be compared" in words


@pytest.mark.parametrize("name", list(SECTIONS))
def test_an_empty_table_is_said_to_be_empty(name):
    empty = simulated.tables("os", simulated.models(3))[name].iloc[:0]
    assert "Nothing to show: " in read(render(bare({name: empty}))).text


def test_a_study_without_anything_still_gives_a_page():
    nothing = Inputs(
        {"name": "n", "title": "T", "claim": "", "question": ""}, [], [], simulated.failures().iloc[:0], {}
    )
    words = read(render(nothing)).text
    assert "the study has no task" in words
    assert "Nothing failed" in words


def test_tables_of_missing_values_still_give_a_page():
    made = simulated.tables("os", simulated.models(3))
    for name, table in made.items():
        numeric = table.select_dtypes("number").columns
        blank = table.assign(**{c: np.nan for c in numeric})
        words = read(render(bare({name: blank}))).text
        assert not re.search(r"\bnan\b", words), name


def test_hostile_names_are_only_names():
    attack = "<script>alert(1)</script>&\"'"
    made = simulated.tables("os", [attack, "B"])
    figure = {"name": "forest", "title": attack, "caption": attack, "svg": "<svg></svg>", "files": ['a"b.pdf']}
    study = simulated.studied([attack]) | {"title": attack, "claim": attack}
    task = TaskInputs(attack, attack, attack, [attack], made, [figure])
    page = render(Inputs(study, [task], simulated.cohorts(), simulated.failures(), simulated.provenance()))
    assert "<script>alert" not in page
    reader = read(page)
    assert reader.tags.count("script") == 1
    assert attack in reader.text


def test_a_source_that_is_no_address_is_no_link():
    study = bare({})
    study.cohorts[0]["source"] = "javascript:alert(1)"
    assert "javascript:alert(1)" not in read(render(study)).links


def test_several_tasks_share_one_table_at_the_top_and_one_of_each_shared_part():
    reader = read(render(simulated.study(3, 2, figures=[])))
    assert "All tasks at a glance" in reader.text
    assert reader.ids.count("methods") == 1
    assert [i for i in reader.ids if re.fullmatch(r"task-os-\d", i)] == ["task-os-1", "task-os-2", "task-os-3"]


def test_a_figure_without_a_section_is_shown_all_the_same():
    figure = {"name": "volcano", "title": "Volcano", "caption": "Words.", "svg": "<svg></svg>"}
    study = bare({})
    task = TaskInputs("os", "Survival", figures=[figure])
    assert "More figures" in read(render(Inputs(study.study, [task], [], study.failures, {}))).text


def gaps(*differences):
    return pd.DataFrame({"difference": differences, "model": "m", "label": "C"})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (gaps(*[4e-13] * 220), "220 of 220 cells agree to 1e-12."),
        (gaps(0.0, 0.0), "2 of 2 cells agree exactly."),
        (gaps(1e-12, -1e-12, np.nan), "2 of 3 cells agree to 1e-12. 1 cell could not be compared."),
        (
            gaps(0.0005, -0.02),
            "1 of 2 cells agree to 0.001, 1 of 2 cells agree to 0.01; the largest difference is 0.02 (m, C).",
        ),
        (gaps(np.nan), "No cell could be compared. 1 cell could not be compared."),
    ],
)
def test_agreement_with_published_values_is_counted(table, words):
    assert agreement(table) == words


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.fixed(-0.0214), "−0.021"),
        (numbers.fixed(-0.0001, signed=True), "0.000"),
        (numbers.fixed(0.05, 3, signed=True), "+0.050"),
        (numbers.p_value(0.0312), "p = 0.031"),
        (numbers.p_value(0.00004), "p < 0.001"),
        (numbers.p_value(float("nan")), "p not given"),
        (numbers.estimate(0.683, 0.612, 0.744), "0.683 (0.612 to 0.744)"),
        (numbers.estimate(0.683, float("nan"), float("nan")), "0.683 (no interval)"),
        (numbers.count(1, "biopsy"), "1 biopsy"),
        (numbers.count(1236, "biopsy"), "1,236 biopsies"),
        (numbers.moment(24.0, "months"), "at 24 months"),
        (numbers.joined(["a", "b", "c"]), "a, b and c"),
    ],
)
def test_numbers_are_written_for_readers(written, expected):
    assert written == expected


# ---- negative controls ---------------------------------------------------------------------------


def test_methods_that_differ_in_their_degrees_of_freedom_only_are_one():
    named = ["a, t with 28 degrees of freedom", "a, t with 113 degrees of freedom", np.nan, "Wilson"]
    assert numbers.methods(named) == ["a, t with 28 to 113 degrees of freedom", "Wilson"]
    assert numbers.methods(named, degrees=False) == ["a, t", "Wilson"]
    assert numbers.methods(["t with 1 degree of freedom"]) == ["t with 1 degrees of freedom"]
    assert numbers.methods([]) == []


def control_page(change=lambda table: table):
    made = change(simulated.tables("os", simulated.models(2))["controls"])
    return read(render(bare({"controls": made}))).text


def test_permuted_controls_at_chance_are_as_they_must_be():
    text = control_page()
    assert "no better than chance, as it must be" in text
    assert "leaks" not in text.replace("the protocol leaks", "")
    assert "tells the outcome on its own" in text  # the scanner does


def test_a_permuted_control_beyond_chance_is_an_alarm():
    def beyond(table):
        row = table["model"].fillna("").str.endswith("permuted") & (table["metric"] == "harrell_c")
        return table.assign(low=table["low"].where(~row, 0.6), high=table["high"].where(~row, 0.7))

    text = control_page(beyond)
    assert (
        "Harrell's C: Cox ridge (clinical), outcomes permuted and Random survival forest, outcomes permuted do better"
        in text
    )
    assert "better than chance: this protocol leaks" in text


def test_controls_are_not_among_the_scores():
    made = simulated.tables("os", simulated.models(2))
    made["scores"] = pd.concat([made["scores"], made["controls"][made["controls"]["record"] == "score"]])
    text = read(render(bare({"scores": made["scores"]}))).text
    assert "outcomes permuted" not in text


def test_a_protocol_that_leaks_on_purpose_says_so_first():
    made = {"scores": simulated.tables("os", simulated.models(2))["scores"]}
    told = headline(made, ["harrell_c"], wrong_on_purpose=True)
    assert told.verdict == "leaks on purpose"
    assert told.sentences[0].startswith("The split of this task leaks on purpose")
    assert told.facts == headline(made, ["harrell_c"]).facts
