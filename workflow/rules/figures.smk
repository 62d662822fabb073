# Figures: each is one file of src/triptych/figures/, drawn from one table that is written beside it.
#
# needs   {task}/tables/*.tsv, ranks.tsv
# makes   {task}/figures/{figure}.svg, .pdf, .png, .tsv; figures/{figure}.* of the study as a whole


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
