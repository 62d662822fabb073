# Image files to vectors by which one person under two ids is found.
#
# needs   participants of the cohort, whose columns of the role `image` name files; and the files, behind a digest of their contents
# makes   cohorts/{cohort}/content.parquet       what each file looks like, one row per view
#         cohorts/{cohort}/failures_images.tsv   files that cannot be read: each costs itself only
#
# Asked for by the audit of tasks that have the role; other studies never come here.


rule embed:
    input:
        participants=COHORT / "participants.parquet",
    output:
        content=COHORT / "content.parquet",
        failures=COHORT / "failures_images.tsv",
    log:
        OUT / "logs" / "embed" / "{cohort}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        patterns=lambda w: as_json(PLAN.image_patterns(w.cohort)),
        table=lambda w: as_json(STUDY.cohorts[w.cohort] and STUDY.cohorts[w.cohort].table),
        images=lambda w: PLAN.image_digest(w.cohort),
        code=code("scripts/embed.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/embed.py --participants {input.participants} --patterns {params.patterns:q} --table {params.table:q}"
        ' --root "$TRIPTYCH_ROOT" --content {output.content} --failures {output.failures} > {log} 2>&1'
