# Figures: each is one file of src/triptych/figures/, drawn from one table that is written beside it.
#
# needs   {task}/tables/*.tsv, ranks.tsv; {task}/fits/{model}/{batch}.json of models of images, and the maps beside them
# makes   {task}/figures/{figure}.svg, .pdf, .png, .tsv; figures/{figure}.* of the study as a whole
#         {task}/maps/{model}.nii.gz, .tsv, .svg, .pdf, .png   where a model of images looks


rule draw:
    input:
        table=lambda w: TABLES / f"{plugins.describe('figures', w.figure)['TABLE']}.tsv",
    output:
        svg=report(
            TASK / "figures" / "{figure}.svg",
            caption="../report/figure.rst",
            category="{task}",
            labels={"figure": "{figure}"},
        ),
        pdf=TASK / "figures" / "{figure}.pdf",
        png=TASK / "figures" / "{figure}.png",
        data=TASK / "figures" / "{figure}.tsv",
    log:
        OUT / "logs" / "draw" / "{task}" / "{figure}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        caption=lambda w: plugins.describe("figures", w.figure)["CAPTION"],
        title=lambda w: plugins.describe("figures", w.figure)["TITLE"],
        code=lambda w: code("scripts/draw.py", f"triptych.figures.{w.figure}"),
    shell:
        "python $TRIPTYCH_SCRIPTS/draw.py --figure {wildcards.figure} --table {input.table} --svg {output.svg} --data {output.data} > {log} 2>&1"


rule draw_overall:
    input:
        table=lambda w: OUT / f"{plugins.describe('figures', w.figure)['TABLE']}.tsv",
    output:
        svg=report(
            OUT / "figures" / "{figure}.svg",
            caption="../report/figure.rst",
            category="all tasks",
            labels={"figure": "{figure}"},
        ),
        pdf=OUT / "figures" / "{figure}.pdf",
        png=OUT / "figures" / "{figure}.png",
        data=OUT / "figures" / "{figure}.tsv",
    log:
        OUT / "logs" / "draw" / "{figure}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        caption=lambda w: plugins.describe("figures", w.figure)["CAPTION"],
        title=lambda w: plugins.describe("figures", w.figure)["TITLE"],
        code=lambda w: code("scripts/draw.py", f"triptych.figures.{w.figure}"),
    shell:
        "python $TRIPTYCH_SCRIPTS/draw.py --figure {wildcards.figure} --table {input.table} --svg {output.svg} --data {output.data} > {log} 2>&1"


rule draw_map:
    input:
        notes=lambda w: PLAN.fits_of(w.model, w.task, "json"),
    output:
        image=TASK / "maps" / "{model}.nii.gz",
        data=TASK / "maps" / "{model}.tsv",
        svg=report(
            TASK / "maps" / "{model}.svg",
            caption="../report/figure.rst",
            category="{task}",
            labels={"figure": "map of {model}"},
        ),
        pdf=TASK / "maps" / "{model}.pdf",
        png=TASK / "maps" / "{model}.png",
    log:
        OUT / "logs" / "draw_map" / "{task}" / "{model}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        title="Where it looks",
        caption="Mean over held-out people and fits of how much each voxel moves the output; see docs/mri-models.md.",
        label=lambda w: STUDY.models[w.model].label or w.model,
        code=code("scripts/draw_map.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/draw_map.py --notes {input.notes} --label {params.label:q} --image {output.image} --data {output.data}"
        " --svg {output.svg} > {log} 2>&1"
