# From the waist to tables of statistics; a new interval or test scores nothing again, a new metric trains nothing again.
#
# needs   {task}/predictions.parquet, curves.parquet, splits.parquet
# makes   {task}/scores/{metric}.*             values and the influence of each person
#         {task}/tables/scores.tsv             intervals;   comparisons.tsv, controls.tsv  paired tests;   spread.tsv  folds and sites
#         {task}/tables/km_by_risk.tsv, calibration.tsv, decision.tsv, components.tsv, planning.tsv, published.tsv
#         ranks.tsv                            of the models over all tasks, where there are several
#         protocols.tsv                        of one question under several protocols, where the study names them


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
        predictions=TASK / "predictions.parquet" if needs_predictions(STUDY.statistics) else [],
        curves=TASK / "curves.parquet" if needs_predictions(STUDY.statistics) else [],
    output:
        scores=TABLES / "scores.tsv",
        pairs=TABLES / "comparisons.tsv",
        controls=TABLES / "controls.tsv",
        parts=TABLES / "spread.tsv",
    log:
        OUT / "logs" / "infer" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        metrics=lambda w: as_json(STUDY.metrics_of(w.task)),
        horizon=lambda w: as_json(PLAN.task(w.task).horizon),
        estimand=lambda w: STUDY.estimand_of(w.task),
        statistics=as_json({key: getattr(STUDY.statistics, key) for key in ("level", "intervals", "tests", "margins")}),
        about=lambda w: PLAN.about(w.task),
        measured=PLAN.measured,
        code=lambda w: code("scripts/infer.py", *(f"triptych.metrics.{m}" for m in STUDY.metrics_of(w.task))),
    shell:
        "python $TRIPTYCH_SCRIPTS/infer.py --values {input.values} --influence {input.influence}"
        " --predictions {input.predictions} --curves {input.curves} --metrics {params.metrics:q} --horizon {params.horizon}"
        " --estimand {params.estimand} --statistics {params.statistics:q} --about {params.about:q} --scores {output.scores}"
        " --pairs {output.pairs} --checks {output.controls} --parts {output.parts} > {log} 2>&1"


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
        level=STUDY.statistics.level,
        about=lambda w: PLAN.about(w.task),
        code=code("scripts/calibration.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/calibration.py --predictions {input.predictions} --curves {input.curves} --horizon {params.horizon}"
        " --level {params.level} --about {params.about:q} --table {output.table} > {log} 2>&1"


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


rule decision:
    input:
        predictions=TASK / "predictions.parquet",
        curves=TASK / "curves.parquet",
    output:
        table=TABLES / "decision.tsv",
    log:
        OUT / "logs" / "decision" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        horizon=lambda w: as_json(PLAN.task(w.task).horizon),
        level=STUDY.statistics.level,
        about=lambda w: PLAN.about(w.task),
        code=code("scripts/decision.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/decision.py --predictions {input.predictions} --curves {input.curves} --horizon {params.horizon}"
        " --level {params.level} --about {params.about:q} --table {output.table} > {log} 2>&1"


rule components:
    input:
        predictions=TASK / "predictions.parquet",
        values=lambda w: PLAN.score_files(w.task, "values.tsv"),
    output:
        table=TABLES / "components.tsv",
    log:
        OUT / "logs" / "components" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        metrics=lambda w: as_json(STUDY.metrics_of(w.task)),
        about=lambda w: PLAN.about(w.task),
        code=lambda w: code("scripts/components.py", *(f"triptych.metrics.{m}" for m in STUDY.metrics_of(w.task))),
    shell:
        "python $TRIPTYCH_SCRIPTS/components.py --predictions {input.predictions} --values {input.values} --metrics {params.metrics:q}"
        " --about {params.about:q} --table {output.table} > {log} 2>&1"


rule planning:
    input:
        scores=TABLES / "scores.tsv",
    output:
        table=TABLES / "planning.tsv",
    log:
        OUT / "logs" / "planning" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        metric=lambda w: STUDY.metrics_of(w.task)[0],
        about=lambda w: PLAN.about(w.task),
        code=lambda w: code("scripts/planning.py", f"triptych.metrics.{STUDY.metrics_of(w.task)[0]}"),
    shell:
        "python $TRIPTYCH_SCRIPTS/planning.py --scores {input.scores} --metric {params.metric} --about {params.about:q}"
        " --table {output.table} > {log} 2>&1"


rule ranks:
    input:
        scores=[OUT / task / "tables" / "scores.tsv" for task in STUDY.tasks],
    output:
        table=OUT / "ranks.tsv",
    log:
        OUT / "logs" / "ranks.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        cohorts=PLAN.cohorts_by_task,
        level=STUDY.statistics.level,
        code=code("scripts/ranks.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/ranks.py --scores {input.scores} --cohorts {params.cohorts:q} --level {params.level}"
        " --table {output.table} > {log} 2>&1"


if STUDY.protocols:

    rule protocols:
        input:
            scores=[OUT / one["task"] / "tables" / "scores.tsv" for one in PLAN.protocols],
            splits=[OUT / one["task"] / "splits.parquet" for one in PLAN.protocols],
            examples=[OUT / one["task"] / "examples.parquet" for one in PLAN.protocols],
        output:
            table=OUT / "protocols.tsv",
        log:
            OUT / "logs" / "protocols.log",
        conda:
            "../../envs/triptych.yaml"
        params:
            asked=as_json(PLAN.protocols),
            code=code("scripts/protocols.py"),
        shell:
            "python $TRIPTYCH_SCRIPTS/protocols.py --asked {params.asked:q} --scores {input.scores} --splits {input.splits}"
            " --examples {input.examples} --table {output.table} > {log} 2>&1"
