# Raw files to participants.
#
# needs   the raw files of each cohort, behind a digest of their contents (touching one reruns nothing, changing one does)
# makes   cohorts/{cohort}/participants.parquet   one row per participant and session, ids checked
#         cohorts/{cohort}/failures.tsv           what was odd or broken, and what to do


rule read_cohort:
    output:
        participants=COHORT / "participants.parquet",
        failures=COHORT / "failures.tsv",
    log:
        OUT / "logs" / "read_cohort" / "{cohort}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        source=lambda w: PLAN.source(w.cohort),
        raw=lambda w: PLAN.digests[w.cohort],
        code=lambda w: code(
            "scripts/read_cohort.py",
            *[f"triptych.cohorts.{w.cohort}"] * (w.cohort in plugins.names("cohorts")),
        ),
    shell:
        'python $TRIPTYCH_SCRIPTS/read_cohort.py --cohort {wildcards.cohort} --source {params.source:q} --root "$TRIPTYCH_ROOT"'
        " --participants {output.participants} --failures {output.failures} > {log} 2>&1"
