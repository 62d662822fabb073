"""What a study may say of images: which models read them, what stands beside them, and the control of the background."""

import pytest

from triptych.errors import StudyError
from triptych.study_file import read

IMAGES = "mri_t1w,mri_background,mri_gm_ml"


@pytest.fixture
def write(write_study, tmp_path):
    """A study of classes whose cohort has scans: ``write(models, inputs)``."""

    def written(models, inputs="{image: [mri_t1w], volumes: [mri_gm_ml], clinical: [age]}", columns=IMAGES, **words):
        path = write_study()
        table = tmp_path / "patients.csv"
        head, row = table.read_text().splitlines()[:2]
        more = len(columns.split(","))
        table.write_text(f"{head},{columns}\n{row}{',a' * more}\n")
        said = {"kind": "classification", "outcome": "{label: dx, positive: AD}", "metric": "auc", **words}
        path.write_text(
            f"""\
name: mine
title: A study
question: Which model tells people apart?
estimand: new-patients
cohorts:
  ours: {{table: {table}}}
tasks:
  dx:
    title: Diagnosis
    kind: {said["kind"]}
    cohorts: [ours]
    outcome: {said["outcome"]}
    inputs: {inputs}
    horizon: 12
models:
  {models}
validation: {{split: repeated_kfold}}
statistics: {{metrics: [{said["metric"]}]}}
{said.get("controls", "")}
"""
        )
        return path

    return written


@pytest.mark.parametrize("use", ["conv5_fc3", "resnet3d", "vit3d", "voxel_svm"])
def test_a_model_of_images_reads_the_block_that_it_is_given(write, use):
    study = read(write(f"net: {{use: {use}, inputs: [image]}}"))
    assert study.blocks_of("net", "dx") == ["image"]
    assert study.blocks_of("permuted-net", "dx") == ["image"]


def test_the_only_block_need_not_be_named(write):
    assert read(write("net: {use: voxel_svm}", "{image: [mri_t1w]}")).blocks_of("net", "dx") == ["image"]


@pytest.mark.parametrize(
    ("model", "inputs", "why"),
    [
        (
            "{use: conv5_fc3}",
            None,
            r"'conv5_fc3' reads one block of images.*image, volumes, clinical; say `inputs: \[image\]`",
        ),
        ("{use: conv5_fc3, inputs: [volumes]}", None, r"models.net.inputs.*gives it volumes; say `inputs: \[image\]`"),
        ("{use: conv5_fc3, inputs: [image, clinical]}", None, r"gives it image, clinical; say `inputs: \[image\]`"),
        ("{use: vit3d}", "{volumes: [mri_gm_ml]}", r"gives it volumes; give the task one, `image: \[mri_t1w\]`"),
        ("{use: logistic}", None, r"'logistic' reads tables, and the block 'image' .*`inputs: \[volumes, clinical\]`"),
        ("{use: logistic}", "{image: [mri_t1w]}", r"holds images; name what it is to read, `inputs: another block`"),
        (
            "{use: logistic}",
            "{all: [age, mri_*]}",
            r"tasks.dx.inputs.all.* 'all' holds images \('mri_t1w'\) beside other columns",
        ),
        (
            "{use: voxel_svm}",
            "{image: [mri_t1w, mri_background]}",
            r"beside other columns; give them a block of their own",
        ),
    ],
)
def test_models_and_blocks_that_do_not_fit(write, model, inputs, why):
    with pytest.raises(StudyError, match=why):
        read(write(f"net: {model}", *([inputs] if inputs else [])))


def test_a_null_without_inputs_reads_nothing(write):
    assert read(write('none: {use: dummy, role: "null"}')).blocks_of("none", "dx") == ["image", "volumes", "clinical"]


def test_models_of_images_do_no_survival(write):
    words = {"kind": "survival", "outcome": "{time: months, event: died}", "metric": "harrell_c"}
    with pytest.raises(StudyError, match="'conv5_fc3' does classification, regression, not the survival task"):
        read(write("net: {use: conv5_fc3, inputs: [image]}", **words))


# ---- the background ------------------------------------------------------------------------------


def background(study):
    return study.models.get("control-background")


def test_beside_models_of_images_the_background_alone_is_a_control(write):
    study = read(write("net: {use: conv5_fc3, inputs: [image]}"))
    control = background(study)
    assert (control.use, control.role, control.label, control.tasks) == (
        "voxel_svm",
        "control",
        "Background only",
        ["dx"],
    )
    assert study.tasks["dx"].inputs["control-background"] == ["mri_background"]
    assert study.blocks_of("control-background", "dx") == ["control-background"]
    assert "control-background" not in study.blocks_of("net", "dx")


@pytest.mark.parametrize(
    ("inputs", "columns", "controls"),
    [
        ("{volumes: [mri_gm_ml]}", IMAGES, ""),  # no image is read
        ("{image: [mri_t1w], volumes: [mri_gm_ml]}", "mri_t1w,mri_gm_ml", ""),  # no background is there
        ("{image: [mri_t1w], volumes: [mri_gm_ml]}", IMAGES, "controls: [permuted]"),
    ],
)
def test_no_control_without_reason(write, inputs, columns, controls):
    model = "net: {use: linear_svm, inputs: [volumes]}"
    assert background(read(write(model, inputs, columns, controls=controls))) is None


def test_a_study_may_ask_for_it_alone(write):
    study = read(write("net: {use: voxel_svm, inputs: [image]}", controls="controls: [background]"))
    assert list(study.models) == ["net", "control-background"]


def test_survival_has_no_model_of_voxels(write):
    words = {"kind": "survival", "outcome": "{time: months, event: died}", "metric": "harrell_c"}
    assert background(read(write("net: {use: cox, inputs: [clinical]}", **words))) is None


@pytest.mark.parametrize("use", ["conv5_fc3", "resnet3d", "vit3d"])
def test_nets_may_be_told_candidates(write, use):
    options = "{learning_rate: [0.001, 0.0001], weight_decay: [0, 0.01], dropout: [0, 0.5], trials: 3}"
    study = read(write(f"net: {{use: {use}, inputs: [image], options: {options}}}"))
    assert study.models["net"].options["learning_rate"] == [0.001, 0.0001]


def test_epochs_are_no_list(write):
    with pytest.raises(StudyError, match=r"option 'epochs' of .* must be int, not \[5, 10\]"):
        read(write("net: {use: vit3d, inputs: [image], options: {epochs: [5, 10]}}"))
