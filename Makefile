# Two commands on a fresh machine: `make demo` and `make test`. Both make the environment when it is missing.
#
#   make demo      the default study and one of simulated heads, ending with the places of their reports
#   make test      all tests that need no extra software, but those that take long
#   make test-slow those that take long: whole workflows of other kinds of data
#   make profile    once, on a cluster: lets `snakemake --profile slurm` find profiles/slurm (docs/slurm.md)
#   make test-slurm brings up a real SLURM here, tests on it, leaves nothing behind; installs the Debian packages when missing
#   make studies   the reproduced papers, the study of wrong and right protocols, and those of brain MRI (needs the data root)
#   make lint      formatters, linters and the type checker
#   make golden    recompute the golden values with R and compare (needs Rscript and R's packages survival, pROC, boot)
#   make browser   open the report of the demo in headless Chromium and look for faults
#   make schema    write workflow/schemas/study.schema.json anew
#   make lock      resolve envs/lock.txt anew
#   make coverage  measure how often the intervals hold the truth (some half hour on two cores); reports quote the result
#   make bench     measure against named peers; writes docs/benchmarks.md

PYTHON ?= python3
BIN := .venv/bin
HEADS := results/phantom-heads/raw
export TRIPTYCH_DATA ?= $(abspath $(wildcard ../shared/data))

.PHONY: demo test test-slow profile test-slurm studies lint golden browser schema coverage lock bench clean
.DELETE_ON_ERROR:

demo: .venv/.ok
	@$(BIN)/snakemake --quiet rules host reason
	@[ -f $(HEADS)/truth.csv ] || $(BIN)/python -m triptych.phantom.mri $(HEADS) --people 20 --voxel 3 --seed 16
	@$(BIN)/snakemake --quiet rules host reason --configfile config/studies/phantom-heads.yaml

test: .venv/.ok
	@$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile -rs

test-slow: .venv/.ok
	@$(BIN)/python -m pytest -m slow -n 2 --dist loadfile -rs

profile:
	@if [ -e slurm ] && [ ! -L slurm ]; then echo "there is a folder slurm here that is no profile; move it away" >&2; exit 1; fi
	ln -sfn profiles/slurm slurm

test-slurm: .venv/.ok
	@$(BIN)/python tests/slurm/cluster.py install
	@TRIPTYCH_TEST_SLURM=1 $(BIN)/python -m pytest tests/slurm -rs

studies: .venv/.ok
	@$(BIN)/snakemake --quiet rules host reason --configfile config/studies/mcat-2021.yaml
	@$(BIN)/snakemake --quiet rules host reason --configfile config/studies/deepsurv-2018.yaml
	@$(BIN)/snakemake --quiet rules host reason --configfile config/studies/leakage.yaml
	@for name in dicom-head slice-leak mriqc brain-age-sites depression-mri; do \
		$(BIN)/snakemake --quiet rules host reason --configfile config/studies/$$name.yaml || exit 1; done
	@$(BIN)/python -m pytest tests/workflow/test_leakage_study.py tests/workflow/test_mri_studies.py -k "finished or test_mri" -rs

lint: .venv/.ok
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check --compact-diff .
	$(BIN)/mypy
	$(BIN)/snakemake --lint

golden: .venv/.ok
	@for name in survival inference; do \
		Rscript tests/golden/$$name.R .golden.json && \
		$(BIN)/python tests/golden/compare.py .golden.json tests/golden/$$name.json || exit 1; \
	done; rm -f .golden.json

browser: demo
	$(BIN)/python tests/browser/look.py results/gse7390/report.html

schema: .venv/.ok
	$(BIN)/python -m triptych.schema workflow/schemas/study.schema.json

coverage: .venv/.ok
	@$(BIN)/snakemake coverage --quiet rules host reason
	cp results/coverage/coverage.tsv src/triptych/coverage/measured.tsv
	cp results/coverage/coverage.png docs/pictures/coverage.png

lock: .venv/.ok
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-annotate --no-header --quiet \
		--constraint envs/pins.txt --extra dev pyproject.toml --output-file envs/lock.txt

bench: .venv/.ok
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf results .snakemake .triptych

.venv/.ok: envs/lock.txt pyproject.toml envs/install.sh envs/triptych_start.py
	@PYTHON="$(PYTHON)" sh envs/install.sh
