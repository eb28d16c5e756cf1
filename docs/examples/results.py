"""Two classifiers on the same pictures, with three seeds each: the table, and how sure it is."""

import numpy as np

from labcore.kit.statistics import bootstrap_interval, mcnemar, wilson_interval
from labcore.kit.tables import Metric, ResultTable

random = np.random.default_rng(0)
rates = {"small": 0.80, "large": 0.84}
right = {name: random.random((3, 1000)) < rate for name, rate in rates.items()}  # seeds, pictures

table = ResultTable(
    [Metric(key="accuracy", better="higher"), Metric(key="mb", title="MB", digits=1)]
)
for name, size_mb in (("small", 1.4), ("large", 5.6)):
    for answers in right[name]:
        table.add(name, {"accuracy": answers.mean(), "mb": size_mb})
print(table.to_markdown())

small, large = right["small"][0], right["large"][0]
print("small alone: {:.3f} to {:.3f}".format(*wilson_interval(small.sum(), len(small))))
gain = bootstrap_interval(large.astype(float) - small)
print("large is better by {:.3f} to {:.3f}".format(*gain))
print(f"as good as each other: p = {mcnemar(small, large).p_value:.1g}")
