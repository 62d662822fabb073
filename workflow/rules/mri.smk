# T1-weighted scans to what models read: one job per scan; a scan that cannot be used costs itself.
#
# needs   what was said of each scan (cohorts/{cohort}/scans/{scan}/bids.json), and the image that it names; participants, bids_scans.tsv
# makes   cohorts/{cohort}/scans/{scan}/preprocessed.json   status, values and checksums of one scan; beside it its arrays and picture
#         cohorts/{cohort}/derivatives/triptych/            BIDS derivatives (not declared: the status holds the checksums)
#         cohorts/{cohort}/imaged.parquet                   participants with the columns mri_*
#         cohorts/{cohort}/failures_scans.tsv               scans that cannot be used, and why
#         cohorts/{cohort}/quality.tsv, quality.html        measures of quality and notes, the oddest scan first
#
# Only for cohorts whose entry in the study has `mri:`. `snakemake quality` makes the pages and what they stand on, and no more.


rule preprocess_scan:
    input:
        COHORT / "scans" / "{scan}" / "bids.json",
    output:
        COHORT / "scans" / "{scan}" / "preprocessed.json",
    log:
        OUT / "logs" / "preprocess_scan" / "{cohort}" / "{scan}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        options=lambda w: PLAN.preprocessing(w.cohort),
        atlas=lambda w: PLAN.atlas_digest(w.cohort),
        derivatives=str(COHORT / "derivatives" / "triptych"),
        code=code("scripts/preprocess_scan.py"),
    shell:
        'python $TRIPTYCH_SCRIPTS/preprocess_scan.py --bids {input} --root "$TRIPTYCH_ROOT" --scan {wildcards.scan}'
        " --options {params.options:q} --derivatives {params.derivatives} --status {output} > {log} 2>&1"


rule join_scans:
    input:
        participants=COHORT / "participants.parquet",
        listing=COHORT / "bids_scans.tsv",
        scans=lambda w: PLAN.used_scan_files(w.cohort, "preprocessed.json"),
    output:
        imaged=COHORT / "imaged.parquet",
        failures=COHORT / "failures_scans.tsv",
        quality=COHORT / "quality.tsv",
        description=COHORT / "derivatives" / "triptych" / "dataset_description.json",
    log:
        OUT / "logs" / "join_scans" / "{cohort}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        source=lambda w: PLAN.scan_source(w.cohort),
        runs=lambda w: STUDY.cohorts[w.cohort].runs,
        outliers=lambda w: as_json(STUDY.cohorts[w.cohort].mri.outliers),
        folder=str(COHORT / "scans"),
        code=code("scripts/join_scans.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/join_scans.py --cohort {wildcards.cohort} --source {params.source:q} --runs {params.runs}"
        ' --root "$TRIPTYCH_ROOT" --participants {input.participants} --listing {input.listing} --folder {params.folder} --outliers {params.outliers}'
        " --description {output.description} --imaged {output.imaged} --failures {output.failures} --quality {output.quality} > {log} 2>&1"


rule quality_page:
    input:
        quality=COHORT / "quality.tsv",
        scans=lambda w: PLAN.used_scan_files(w.cohort, "preprocessed.json"),
    output:
        COHORT / "quality.html",
    log:
        OUT / "logs" / "quality_page" / "{cohort}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        source=lambda w: PLAN.scan_source(w.cohort),
        runs=lambda w: STUDY.cohorts[w.cohort].runs,
        folder=str(COHORT / "scans"),
        template=raw.sha256(CLONE / "src" / "triptych" / "mri" / "quality.html.j2"),
        code=code("scripts/quality_page.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/quality_page.py --cohort {wildcards.cohort} --source {params.source:q} --runs {params.runs}"
        ' --root "$TRIPTYCH_ROOT" --folder {params.folder} --quality {input.quality} --html {output} > {log} 2>&1'


rule quality:
    input:
        lambda w: PLAN.prepared,
