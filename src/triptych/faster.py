"""Two slow pieces of Snakemake 9.27.1 that a plan of many jobs spends its time in; reported in docs/upstream.md.

- The check that no group of jobs depends on itself is made once per job of the group, not once per group: quadratic.
- The parameters of each function of a rule are looked up with ``inspect`` for every job, several times.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any


def install(modules: Mapping[str, Any]) -> None:
    """Replace both, in the modules of the running Snakemake (``sys.modules``); once."""
    common, rules, dag = (modules.get(f"snakemake.{name}") for name in ("common", "rules", "dag"))
    if common and rules and not hasattr(common.get_function_params, "cache_info"):
        common.get_function_params = rules.get_function_params = cache(common.get_function_params)
    if dag and not hasattr(dag.DAG, "check_jobs_of_groups"):
        dag.DAG.check_jobs_of_groups = dag.DAG._check_groups
        dag.DAG._check_groups = _check_groups


def _check_groups(self: Any) -> None:
    """Snakemake's own check, given every group once."""
    by_job = self._group
    self._group = {id(group): group for group in by_job.values()}
    try:
        self.check_jobs_of_groups()
    finally:
        self._group = by_job
