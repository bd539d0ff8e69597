"""Values of pmsampsize and pmvalsampsize for test_statistics_reference.py.

Usage: python make_sample_size.py sample_size.json. Needs pmsampsize 0.1.0 and pmvalsampsize 0.2.1,
which pip installs on Python 3.12 and newer; R's packages of these names have the same formulas.
"""

import itertools
import json
import sys

from pmsampsize.pmsampsize import pmsampsize
from pmvalsampsize.pmvalsampsize import pmvalsampsize


def development():
    for k, r2, prevalence, shrinkage in itertools.product(
        (5, 16, 40), (0.1, 0.288, 0.4), (0.3, 0.7), (0.9, 0.95)
    ):
        out = pmsampsize(
            "b", parameters=k, csrsquared=r2, prevalence=prevalence, shrinkage=shrinkage, noprint=1
        )["results_table"]
        yield {"function": "for_shrinkage", "arguments": [k, r2, shrinkage], "value": out[0][1]}
        yield {"function": "for_optimism", "arguments": [k, r2, prevalence], "value": out[1][1]}
        yield {"function": "for_prevalence", "arguments": [prevalence], "value": out[2][1]}
    for auc, prevalence in itertools.product((0.65, 0.8, 0.9), (0.2, 0.5, 0.7)):
        out = pmsampsize("b", parameters=10, cstatistic=auc, prevalence=prevalence, noprint=1)
        yield {"function": "cox_snell", "arguments": [auc, prevalence], "value": out["rsquared"]}


def validation():
    for auc, prevalence, width in itertools.product((0.75, 0.85), (0.1, 0.4, 0.7), (0.1, 0.2, 0.4)):
        out = pmvalsampsize(
            "b", cstatistic=auc, prevalence=prevalence, lpnormal=(0.2, 1.1), threshold=0.4,
            oeciwidth=width, csciwidth=width, cstatciwidth=width, nbciwidth=width, noprint=1,
        )  # fmt: skip
        oe, slope, area = (int(row[1]) for row in out["results_table"][:3])
        yield {"function": "for_oe", "arguments": [prevalence, width], "value": oe}
        yield {"function": "for_slope", "arguments": [0.2, 1.1, width], "value": slope}
        yield {"function": "for_auc", "arguments": [auc, prevalence, width], "value": area}


with open(sys.argv[1], "w") as file:
    rows = [json.dumps(row) for row in (*development(), *validation())]
    file.write("[\n" + ",\n".join(rows) + "\n]\n")
