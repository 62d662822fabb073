# From the waist to tables of statistics; a new interval or test scores nothing again, a new metric trains nothing again.
#
# needs   {task}/predictions.parquet, curves.parquet, splits.parquet
# makes   {task}/scores/{metric}.*             values and the influence of each person
#         {task}/tables/scores.tsv             intervals;   comparisons.tsv  paired tests;   spread.tsv  folds and sites
#         {task}/tables/km_by_risk.tsv, calibration.tsv, published.tsv


rule score:
    input:
        predictions=TASK / "predictions.parquet",
        curves=TASK / "curves.parquet",
        splits=TASK / "splits.parquet",
    output:
        values=TASK / "scores" / "{metric}.values.tsv",
        influence=TASK / "scores" / "{metric}.influence.parquet",
    log:
        OUT / "logs" / "score" / "{task}" / "{metric}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        horizon=lambda w: as_json(PLAN.task(w.task).horizon),
        code=lambda w: code("scripts/score.py", f"triptych.metrics.{w.metric}"),
    shell:
        "python $TRIPTYCH_SCRIPTS/score.py --predictions {input.predictions} --curves {input.curves} --splits {input.splits}"
        " --metric {wildcards.metric} --horizon {params.horizon} --values {output.values} --influence {output.influence}"
        " > {log} 2>&1"


rule infer:
    input:
        values=lambda w: PLAN.score_files(w.task, "values.tsv"),
        influence=lambda w: PLAN.score_files(w.task, "influence.parquet"),
    output:
        scores=TABLES / "scores.tsv",
        pairs=TABLES / "comparisons.tsv",
        parts=TABLES / "spread.tsv",
    log:
        OUT / "logs" / "infer" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        metrics=as_json(STUDY.statistics.metrics),
        horizon=lambda w: as_json(PLAN.task(w.task).horizon),
        estimand=STUDY.estimand,
        level=STUDY.statistics.level,
        about=lambda w: PLAN.about(w.task),
        measured=PLAN.measured,
        code=code("scripts/infer.py", *(f"triptych.metrics.{m}" for m in STUDY.statistics.metrics)),
    shell:
        "python $TRIPTYCH_SCRIPTS/infer.py --values {input.values} --influence {input.influence} --metrics {params.metrics:q}"
        " --horizon {params.horizon} --estimand {params.estimand} --level {params.level} --about {params.about:q}"
        " --scores {output.scores} --pairs {output.pairs} --parts {output.parts} > {log} 2>&1"


rule km_by_risk:
    input:
        predictions=TASK / "predictions.parquet",
    output:
        table=TABLES / "km_by_risk.tsv",
    log:
        OUT / "logs" / "km_by_risk" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        rule=STUDY.statistics.risk_groups,
        about=lambda w: PLAN.about(w.task),
        code=code("scripts/km_by_risk.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/km_by_risk.py --predictions {input.predictions} --rule {params.rule} --about {params.about:q}"
        " --table {output.table} > {log} 2>&1"


rule calibration:
    input:
        predictions=TASK / "predictions.parquet",
        curves=TASK / "curves.parquet",
    output:
        table=TABLES / "calibration.tsv",
    log:
        OUT / "logs" / "calibration" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        horizon=lambda w: as_json(PLAN.task(w.task).horizon),
        about=lambda w: PLAN.about(w.task),
        code=code("scripts/calibration.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/calibration.py --predictions {input.predictions} --curves {input.curves} --horizon {params.horizon}"
        " --about {params.about:q} --table {output.table} > {log} 2>&1"


if STUDY.published:

    rule published:
        input:
            predictions=TASK / "predictions.parquet",
            scores=TABLES / "scores.tsv",
        output:
            table=TABLES / "published.tsv",
        log:
            OUT / "logs" / "published" / "{task}.log",
        conda:
            "../../envs/triptych.yaml"
        params:
            raw=PLAN.published[1],
            names=lambda w: PLAN.published_names(w.task),
            how=as_json(STUDY.published),
            about=lambda w: PLAN.about(w.task),
            code=code("scripts/published.py"),
        shell:
            'python $TRIPTYCH_SCRIPTS/published.py --file "$TRIPTYCH_PUBLISHED" --predictions {input.predictions} --scores {input.scores}'
            " --task {wildcards.task} --names {params.names:q} --how {params.how:q} --about {params.about:q}"
            " --table {output.table} > {log} 2>&1"
