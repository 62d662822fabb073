"""The schema that editors use is the one that the study model gives."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from triptych.schema import schema

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "workflow" / "schemas" / "study.schema.json"


def test_the_stored_schema_is_the_model():
    assert STORED.read_text(encoding="utf-8") == schema(), "the study model changed: run `make schema`"


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_studies_fit_the_schema(path):
    jsonschema.validate(yaml.safe_load(path.read_text()), json.loads(schema()))


def test_a_misspelt_key_does_not_fit():
    study = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    study["sead"] = 1
    with pytest.raises(jsonschema.ValidationError, match="sead"):
        jsonschema.validate(study, json.loads(schema()))
