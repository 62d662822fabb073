"""The fingerprint of code: what changes it, what does not, on a package of its own."""

import os
import textwrap

import pytest

from triptych import fingerprint

FILES = {
    "src/triptych/__init__.py": "",
    "src/triptych/models/__init__.py": "",
    "src/triptych/models/cox.py": '''
        """A model."""
        from triptych.survival import risk
        from . import _shared
        TASKS = ("survival",)

        class Fitted:
            """Fitted."""
            x: int = 0

        def fit(x):
            """Fit."""
            # a comment
            if x is None:
                raise ValueError("no rows")
            return risk.of(x)
        ''',
    "src/triptych/models/_shared.py": "LIMIT = 1\n",
    "src/triptych/models/forest.py": "TREES = 1\n",
    "src/triptych/survival/__init__.py": "",
    "src/triptych/survival/risk.py": "def of(x):\n    from triptych.late import late\n    return late(x)\n",
    "src/triptych/late.py": "def late(x):\n    return x\n",
    "scripts/fit.py": '"""Fit."""\nfrom triptych.models import cox\nprint(cox.TASKS)\n',
}
COX = "src/triptych/models/cox.py"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "SRC", tmp_path / "src")
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    forget()
    yield tmp_path
    forget()


def forget():
    fingerprint.code.cache_clear()
    fingerprint._read.cache_clear()


def code(*sources):
    forget()
    return fingerprint.code(*sources)


def change(project, name, old, new):
    text = (project / name).read_text()
    assert old in text
    (project / name).write_text(text.replace(old, new, 1))


MODEL = "triptych.models.cox"
SAME = {
    "comment": (COX, "# a comment", "# another one"),
    "docstring of the module": (COX, '"""A model."""', '"""Another\n\ntext."""'),
    "docstring of a class": (COX, '"""Fitted."""', '"""What fit returns."""'),
    "docstring of a function": (COX, '"""Fit."""', '"""Fit it."""'),
    "no docstring at all": (COX, '    """Fit."""\n', ""),
    "layout": (COX, "return risk.of(x)", "return (\n        risk.of(\n            x\n        )\n    )"),
    "quotes": (COX, '("survival",)', "('survival',)"),
    "a file that it does not import": ("src/triptych/models/forest.py", "1", "2"),
}
OTHER = {
    "logic": (COX, "x is None", "x is not None"),
    "a name": (COX, "def fit", "def fitted"),
    "a message": (COX, '"no rows"', '"no row"'),
    "a default": (COX, "x: int = 0", "x: int = 1"),
    "an annotation": (COX, "x: int", "x: float"),
    "a constant": (COX, '"survival",', '"regression",'),
    "a module that it imports": ("src/triptych/survival/risk.py", "late(x)\n", "late(-x)\n"),
    "a relative import": ("src/triptych/models/_shared.py", "1", "2"),
    "an import of an import, inside a function": ("src/triptych/late.py", "return x", "return -x"),
    "the __init__ of its own package": ("src/triptych/models/__init__.py", "", "LIMIT = 1\n"),
    "the __init__ of the package above": ("src/triptych/__init__.py", "", "LIMIT = 1\n"),
    "the __init__ of an imported package": ("src/triptych/survival/__init__.py", "", "LIMIT = 1\n"),
}


@pytest.mark.parametrize("what", SAME)
def test_does_not_count(project, what):
    before = code(MODEL)
    change(project, *SAME[what])
    assert code(MODEL) == before


@pytest.mark.parametrize("what", OTHER)
def test_counts(project, what):
    before = code(MODEL)
    change(project, *OTHER[what])
    assert code(MODEL) != before


def test_a_touch_does_not_count(project):
    before = code(MODEL)
    os.utime(project / COX, (1, 1))
    assert code(MODEL) == before


def test_a_new_file_that_nobody_imports_does_not_count(project):
    before = code(MODEL)
    (project / "src/triptych/models/new.py").write_text("x = 1\n")
    assert code(MODEL) == before


def test_scripts_are_named_by_path_and_followed(project):
    before = code("scripts/fit.py")
    change(project, "scripts/fit.py", '"""Fit."""', "# no docstring")
    assert code("scripts/fit.py") == before
    change(project, "src/triptych/late.py", "return x", "return -x")
    between = code("scripts/fit.py")
    assert between != before
    change(project, "scripts/fit.py", "print", "repr")
    assert code("scripts/fit.py") != between


def test_relative_imports_of_deeper_levels(project):
    (project / "src/triptych/models/deep.py").write_text("from ..survival.risk import of\nfrom .. import late\n")
    before = code("triptych.models.deep")
    change(project, "src/triptych/survival/risk.py", "late(x)\n", "late(-x)\n")
    assert code("triptych.models.deep") != before


def test_relative_import_in_an_init(project):
    (project / "src/triptych/survival/__init__.py").write_text("from . import risk\n")
    before = code("triptych.survival")
    change(project, "src/triptych/survival/risk.py", "late(x)\n", "late(-x)\n")
    assert code("triptych.survival") != before


def test_circular_imports_end(project):
    (project / "src/triptych/a.py").write_text("import triptych.b\n")
    (project / "src/triptych/b.py").write_text("import triptych.a\n")
    assert code("triptych.a") == code("triptych.b")


def test_order_and_repetition_do_not_count(project):
    some = ["triptych.models.cox", "triptych.models.forest", "scripts/fit.py"]
    assert code(*some) == code(*reversed(some)) == code(*some, some[0])
    assert code(*some) != code(*some[:1])


def test_what_is_imported_anyway_may_be_named_too(project):
    assert code(MODEL) == code(MODEL, "triptych.late")


@pytest.mark.parametrize("name", ["triptych.models.coks", "scripts/fitt.py", "numpy", "", "triptych.models.cox.fit"])
def test_a_misspelt_name_is_an_error(project, name):
    with pytest.raises(ModuleNotFoundError, match=r"no file for .* below .*src .*code\(\.\.\.\)"):
        code(MODEL, name)


def test_twelve_digits(project):
    assert len(code(MODEL)) == 12
    assert int(code(MODEL), 16) >= 0


def test_same_in_another_folder(project, tmp_path_factory, monkeypatch):
    import shutil

    before = code(MODEL)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(project, elsewhere, dirs_exist_ok=True)
    monkeypatch.setattr(fingerprint, "SRC", elsewhere / "src")
    monkeypatch.setattr(fingerprint, "ROOT", elsewhere)
    assert code(MODEL) == before


def test_what_was_read_is_kept_by_content(project, monkeypatch):
    before = code(MODEL)
    monkeypatch.setattr(fingerprint, "_parse", None)  # whatever is parsed now is an error
    assert code(MODEL) == before
    change(project, COX, "# a comment", "# another one")
    with pytest.raises(TypeError):
        code(MODEL)


def test_nothing_is_kept_where_nothing_can_be_written(project):
    (project / ".triptych").write_text("a file, so that there can be no folder")
    assert code(MODEL) == code(MODEL)
    change(project, *OTHER["logic"])
    assert (project / ".triptych").is_file()


def test_the_real_library():
    forget()
    assert fingerprint.code("triptych.models.cox", "scripts/fit.py") != fingerprint.code("triptych.models.coxnet")


def test_what_a_module_reaches(project):
    """Through what it imports, also inside functions; not by the name of a module of ours."""
    fingerprint.reaches.cache_clear()
    assert not fingerprint.reaches(MODEL, "torch")
    change(project, "src/triptych/late.py", "return x", "import torch.nn\n    return x")
    forget()
    fingerprint.reaches.cache_clear()
    assert fingerprint.reaches(MODEL, "torch")
    assert not fingerprint.reaches("triptych.models.forest", "torch")
    fingerprint.reaches.cache_clear()
