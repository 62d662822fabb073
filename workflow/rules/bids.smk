# Scans to a BIDS data set: DICOM folders and loose NIfTI files are converted and stripped, a BIDS folder is read in place.
#
# needs   the scans of the cohort, each behind a digest of its contents; participants
# makes   cohorts/{cohort}/scans/{scan}/bids.json   what is said of one scan; the image lies beside it, in the data set
#         cohorts/{cohort}/bids/                    the data set (not declared: bids.json holds the checksums)
#         cohorts/{cohort}/bids_scans.tsv           every scan, and why it is set aside
#         cohorts/{cohort}/bids_issues.tsv          what the BIDS validator found
#
# `snakemake bids` makes only this.


rule bids_scan:
    output:
        COHORT / "scans" / "{scan}" / "bids.json",
    log:
        OUT / "logs" / "bids_scan" / "{cohort}" / "{scan}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        source=lambda w: PLAN.scan_source(w.cohort),
        bids=str(COHORT / "bids"),
        raw=lambda w: PLAN.scan_digest(w.cohort, w.scan),
        code=code("scripts/bids_scan.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/bids_scan.py --cohort {wildcards.cohort} --source {params.source:q}"
        ' --root "$TRIPTYCH_ROOT" --scan {wildcards.scan} --bids {params.bids} --status {output} > {log} 2>&1'


rule bids_dataset:
    input:
        participants=COHORT / "participants.parquet",
        scans=lambda w: PLAN.scan_files(w.cohort, "bids.json"),
    output:
        scans=COHORT / "bids_scans.tsv",
        issues=COHORT / "bids_issues.tsv",
    log:
        OUT / "logs" / "bids_dataset" / "{cohort}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        source=lambda w: PLAN.scan_source(w.cohort),
        folder=str(COHORT / "scans"),
        bids=str(COHORT / "bids"),
        code=code("scripts/bids_dataset.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/bids_dataset.py --cohort {wildcards.cohort} --source {params.source:q}"
        ' --root "$TRIPTYCH_ROOT" --participants {input.participants} --folder {params.folder} --bids {params.bids}'
        " --scans {output.scans} --issues {output.issues} > {log} 2>&1"


rule bids:
    input:
        lambda w: PLAN.bids_files,
