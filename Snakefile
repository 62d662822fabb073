"""Triptych: from cohorts to a report that can be trusted.

    snakemake                                             the default study, config/config.yaml
    snakemake --configfile config/studies/NAME.yaml       another one

What a run is made of: cohorts -> examples -> splits and audit -> fits -> predictions -> scores -> tables -> figures -> report.
Each step is one file in workflow/rules/, which opens with what it needs and what it makes.
"""


include: "workflow/rules/common.smk"
include: "workflow/rules/cohorts.smk"
include: "workflow/rules/bids.smk"
include: "workflow/rules/mri.smk"


if STUDY.predictions:

    include: "workflow/rules/elsewhere.smk"

else:

    include: "workflow/rules/images.smk"
    include: "workflow/rules/examples.smk"
    include: "workflow/rules/fits.smk"


include: "workflow/rules/audit.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/coverage.smk"
include: "workflow/rules/leaks.smk"


rule all:
    input:
        PLAN.targets,


onsuccess:
    for page in (OUT / "report.html", *PLAN.quality_pages):
        if page.is_file():
            print(f"{page.stem.capitalize():8}  {page.resolve()}", file=sys.stderr)
