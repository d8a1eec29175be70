"""Forecasts of statsforecast's AutoETS and AutoTheta; runs in an environment that holds it.

Reads `{"ahead": days, "pasts": [[number, …], …]}` on standard input and writes for each past the
expected cost of the coming days, never below zero, and the CPU seconds that each method took. Never
imported by the product or its tests.
"""

import json
import resource
import sys
import time
import warnings

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
import numpy as np  # noqa: E402 - the import is what is timed
from statsforecast.models import AutoETS, AutoTheta  # noqa: E402

imported = time.perf_counter() - began
resident = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
warnings.simplefilter("ignore")
asked = json.load(sys.stdin)
METHODS = {"AutoETS": AutoETS, "AutoTheta": AutoTheta}
told: dict[str, list[list[float] | None]] = {name: [] for name in METHODS}
taken = dict.fromkeys(METHODS, 0.0)
for past in asked["pasts"]:
    values = np.asarray(past, dtype=float)
    for name, method in METHODS.items():
        start = time.process_time()
        try:
            mean = method(season_length=7).forecast(y=values, h=asked["ahead"])["mean"]
            told[name].append([float(one) for one in np.maximum(np.nan_to_num(mean), 0)])
        except Exception:  # noqa: BLE001 - a history that a library can't take is left out
            told[name].append(None)
        taken[name] += time.process_time() - start
json.dump({"means": told, "cpu": taken, "import": imported, "resident": resident}, sys.stdout)
