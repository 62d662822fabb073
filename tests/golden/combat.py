"""Golden values of ComBat: ``pip install neuroCombat==0.2.12`` in an environment of its own, then
``python tests/golden/combat.py tests/golden/combat.json``.

Its iterations stop at a relative change of 1e-4; here they go on to 1e-10, so that the values are those of the equations.
"""

import inspect
import json
import sys
from importlib import import_module

import numpy as np
import pandas as pd

setattr(np, "int", int)  # noqa: B010 -- the package is older than numpy 1.24
package = import_module("neuroCombat").neuroCombat
module = sys.modules[package.__module__]
source = inspect.signature(module.it_sol)
module.it_sol.__defaults__ = tuple(
    1e-10 if p.name == "conv" else p.default for p in source.parameters.values() if p.default is not p.empty
)

random = np.random.default_rng(20261126)
site = np.repeat(["a", "b", "c"], [12, 9, 15])
age = random.uniform(20, 80, len(site))
sex = random.integers(0, 2, len(site))
shift, spread = {"a": 0.0, "b": 1.5, "c": -1.0}, {"a": 1.0, "b": 1.8, "c": 0.6}
x = np.array([[shift[s] + spread[s] * random.normal() for _ in range(5)] for s in site])
x += np.outer(0.03 * age + 0.5 * sex, [1, 0.5, 0, -1, 2])
x += [10, 0, 3, 100, -5]
people = pd.DataFrame({"site": site, "age": age, "sex": sex})


def harmonised(**words):
    found = package(dat=x.T, covars=people, batch_col="site", **words)
    return found["data"].T.tolist()


golden = {
    "x": x.tolist(),
    "site": site.tolist(),
    "kept": np.column_stack([age, sex]).tolist(),
    "plain": harmonised(),
    "kept_age_and_sex": harmonised(continuous_cols=["age", "sex"]),
    "reference_c": harmonised(ref_batch="c"),
    "reference_c_kept": harmonised(ref_batch="c", continuous_cols=["age", "sex"]),
}
with open(sys.argv[1], "w") as file:
    json.dump(golden, file, indent=0)
