"""What a finer update than a new head could gain at a site of 40 to 200 patients: simulated embeddings.

`make bench-fine-tuning`; one minute on one core. Fine-tuning of a network's last block changes at least the weights of
all features of the embedding. This much alone is fitted here, starting from the model, with a penalty that
cross-validation chooses; the block itself has a hundred times more weights.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

Values = NDArray[np.float64]
FEATURES, COMPONENTS, SITES, TESTED = 80, 3, 20, 2000
PATIENTS = (40, 100, 200)
PENALTIES = np.logspace(-4, 0, 5)
#: Intercept, and effects on the log-odds of a standard deviation of the second component and of a feature that
#: the head does not see.
TRUTHS = {
    "nothing": (0.0, 0.0, 0.0),
    "component 1": (0.0, 1.0, 0.0),
    "another feature 1": (0.0, 0.0, 1.0),
}


def patients(
    n: int, truth: tuple[float, float, float], random: np.random.Generator
) -> tuple[Values, Values, Values]:
    """Return log-odds of the model (AUC 0.78), features and outcomes; variances of features fall as 1, 1/2, 1/3, ..."""
    standard = random.normal(size=(n, FEATURES))
    linear = random.normal(0, 1.2, n)
    shift, component, other = truth
    z = shift + linear + component * standard[:, 1] + other * standard[:, 20]
    features = standard / np.sqrt(np.arange(1, FEATURES + 1))
    return linear, features, (random.random(n) < special.expit(z)).astype(np.float64)


def loss(y: Values, logit: Values) -> float:
    """Mean log loss."""
    return float(np.mean(np.logaddexp(0, logit) - y * logit))


def updated(
    fit: tuple[Values, Values, Values], new: tuple[Values, Values, Values]
) -> dict[str, float]:
    """Log loss in new patients, minus that of the model as it is, of each update."""
    linear, features, y = fit
    base = loss(new[2], new[0])
    found = {}
    for step, used in (("slope", 0), ("head", COMPONENTS)):
        columns = np.column_stack([linear, features[:, :used]])
        chosen = LogisticRegression(C=np.inf, max_iter=2000).fit(columns, y)
        logit = chosen.decision_function(np.column_stack([new[0], new[1][:, :used]]))
        found[step] = loss(new[2], logit) - base
    # The model's log-odds are on a large scale, so that the penalty does not move their coefficient.
    tuned = LogisticRegressionCV(
        Cs=PENALTIES, cv=StratifiedKFold(5), scoring="neg_log_loss", max_iter=500
    ).fit(np.column_stack([100 * linear, features]), y)
    logit = tuned.decision_function(np.column_stack([100 * new[0], new[1]]))
    found["all features"] = loss(new[2], logit) - base
    return found


def main() -> None:
    """Print the table of docs/updating.md."""
    print("| what differs | patients | slope | head | all features |")
    print("| --- | --- | --- | --- | --- |")
    for name, truth in TRUTHS.items():
        for n in PATIENTS:
            random = np.random.default_rng([n, [*TRUTHS].index(name)])
            found = [
                updated(patients(n, truth, random), patients(TESTED, truth, random))
                for _ in range(SITES)
            ]
            cells = []
            for step in found[0]:
                change = np.array([one[step] for one in found])
                cells.append(f"{change.mean():+.3f} ({change.std(ddof=1) / SITES**0.5:.3f})")
            print(f"| {name} | {n} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
