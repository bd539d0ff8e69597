"""Prediction sets, AUC and exchangeability: `full` with the scores of the folds, or the members of the folds.

    OMP_NUM_THREADS=1 PYTHONPATH=workflow/lib .venv/bin/python benchmarks/members.py scores [studies, 400]
    OMP_NUM_THREADS=1 PYTHONPATH=workflow/lib .venv/bin/python benchmarks/members.py stacked [studies, 100] [seed]

`scores`: no networks; a member's log-odds are a multiple and a shift of what the image shows and of noise, part
of which is the member's own. Multiples differ between members as in trainings (SD of the logarithm .4).

`stacked`: simulated embeddings, in which networks have memorized the outcomes of their training patients, with
alignment, LASSO and forest, as the signature has them.
"""

import sys
from collections import defaultdict

import numpy as np
from scipy.special import expit

from thyrocast.baselines import ridge
from thyrocast.config.signature import SignatureConfig
from thyrocast.signature import alignment, lasso_forest, ridge_head
from thyrocast.statistics import conformal, discrimination, logistic, partition, recalibration
from thyrocast.statistics.inputs import NotEstimableError

ERROR = 0.1
FOLDS = 5
NEW = 2000
# Features of a simulated embedding, and patients in which the stacked models are tested.
FEATURES = 512
TESTED = 600
STACKED = SignatureConfig.read(
    {"forest": {"trees": 100, "smallest_leaf": [5]}, "penalties": 30, "tuning_folds": 5}
)


def measured(truth, values, p_values):
    """AUC, coverage of not cured and of cured, and share of sets with one outcome."""
    kept = conformal.sets(p_values, ERROR)
    covered = np.where(truth, kept[:, 1], kept[:, 0])
    return [
        discrimination.auc(truth, values),
        covered[~truth].mean(),
        covered[truth].mean(),
        (kept.sum(axis=1) == 1).mean(),
    ]


def crossed(y, fold, own, new):
    """CV+ p values (m, 2) from the scores (n,) of the own members and of all members (K, m)."""
    found = range(1, FOLDS + 1)
    return conformal.cross_p_values(
        [own[(fold == k) & ~y] for k in found], [own[(fold == k) & y] for k in found], new
    )


def scores(n: int, signal: float, own_scale: bool, rng: np.random.Generator):
    """One study of members' scores."""
    total = n + NEW
    shown = rng.normal(size=total)
    outcome = rng.random(total) < expit(0.6 + signal * shown)
    fold = partition.deal(outcome[:n].astype(int), FOLDS, int(rng.integers(1 << 30))) + 1
    # Member 0 is `full`.
    scale = np.exp(rng.normal(0, 0.4 if own_scale else 0, 1 + FOLDS))
    shift = rng.normal(0, 0.5 if own_scale else 0, 1 + FOLDS)
    noise = rng.normal(0, 0.8, total) + rng.normal(0, 0.8, (1 + FOLDS, total))
    score = shift[:, None] + scale[:, None] * (signal * shown + noise)
    truth, y = outcome[n:], outcome[:n]
    own = score[fold, np.arange(n)]
    together, standard = standardized(fold, own, score[1:, n:])
    of_full = conformal.p_values(y, expit(own), expit(score[0, n:]))
    of_mean = conformal.p_values(y, expit(standard), expit(together))
    return {
        "full, scores of the members": measured(truth, score[0, n:], of_full),
        "mean of members, scores on one scale": measured(truth, together, of_mean),
        "CV+": measured(truth, together, crossed(y, fold, own, score[1:, n:])),
    }


def standardized(fold, own, new):
    """Mean (m,) of the members' scores (K, m) on the scales of their folds, and own scores (n,)."""
    middle = np.array([own[fold == k].mean() for k in range(1, FOLDS + 1)])
    spread = np.array([own[fold == k].std() for k in range(1, FOLDS + 1)])
    spread = np.where(spread < 1e-9, np.inf, spread)
    together = ((new - middle[:, None]) / spread[:, None]).mean(axis=0)
    return together, (own - middle[fold - 1]) / spread[fold - 1]


def networks(n: int, rng: np.random.Generator):
    """Embeddings (1 + FOLDS, n + TESTED, FEATURES), full first; outcomes, and folds (0 in test)."""
    total, things = n + TESTED, 8
    hidden = rng.normal(size=(total, things))
    outcome = rng.random(total) < expit(0.6 + hidden[:, 0] - 0.8 * hidden[:, 1])
    fold = np.zeros(total, dtype=np.int64)
    fold[:n] = partition.deal(outcome[:n].astype(int), FOLDS, int(rng.integers(1 << 30))) + 1
    shared, bias = rng.normal(size=(things + 1, FEATURES)), rng.normal(size=FEATURES)
    embeddings = []
    for member in range(1 + FOLDS):
        known = (fold > 0) & (fold != member)
        mixture = 0.8 * shared + 0.6 * rng.normal(size=shared.shape)
        view = np.c_[hidden + 0.3 * rng.normal(size=hidden.shape), np.zeros(total)]
        view[known, things] += 3.0 * (2 * outcome[known] - 1)
        scale = np.exp(rng.normal(0, 0.4))
        noise = 0.5 * rng.normal(size=(total, FEATURES))
        embeddings.append(scale * np.maximum(view @ mixture / 2 + bias + noise, 0))
    return np.stack(embeddings), outcome, fold


def forest_odds(space, y, new, seed):
    """Log-odds of new patients by LASSO and forest."""
    fitted = lasso_forest.fit(space, y.astype(float), STACKED, seed)
    return ridge.bounded_odds(fitted.predict(new))


def ridge_odds(space, y, new, _):
    """Log-odds of new patients by ridge regression on all features."""
    intercept, weights = ridge_head.fit(space, y.astype(float))
    return intercept + new @ weights


MODELS = {"signature": forest_odds, "ridge": ridge_odds}


def told_apart(one, other, rng):
    """AUC of a ridge regression that distinguishes two groups of patients, in patients it did not see."""
    m = min(len(one), len(other))
    rows = np.vstack([one[rng.permutation(len(one))[:m]], other[rng.permutation(len(other))[:m]]])
    group = np.repeat([0.0, 1.0], m)
    half = rng.permutation(np.arange(2 * m) % 2 == 0)
    intercept, weights = ridge_head.fit(rows[half], group[half])
    return discrimination.auc(group[~half] == 1, intercept + rows[~half] @ weights)


def slope(truth, linear):
    """Calibration slope of log-odds; NaN if it cannot be estimated."""
    try:
        found = logistic.fit(np.column_stack([np.ones_like(linear), linear]), truth)
    except NotEstimableError:
        return np.nan
    return float(found.coefficients[1])


def before(embeddings, outcome, fold, rng, models=MODELS):
    """Every fold aligned to `full`; the test patients by `full`, with the scores of the folds."""
    n = int((fold > 0).sum())
    full, y, f = embeddings[0], outcome[:n], fold[:n]
    space = np.empty_like(full[:n])
    for k in range(1, FOLDS + 1):
        rest = f != k
        to_full = alignment.fit(embeddings[k][:n][rest], full[:n][rest])
        space[~rest] = to_full(embeddings[k][:n][~rest])
    new = alignment.fit(full[:n], full[:n])(full[n:])
    # As many patients as in a fold, for the comparison with the members.
    apart = told_apart(space[rng.permutation(n)[: n // FOLDS]], new, rng)
    for name, model in models.items():
        own = np.empty(n)
        for k in range(1, FOLDS + 1):
            own[f == k] = model(space[f != k], y[f != k], space[f == k], k)
        tested = model(space, y, new, 0)
        found = recalibration.fit(own, y)
        linear = found.intercept + found.slope * tested
        sets = conformal.p_values(y, expit(own), expit(tested))
        yield name, [*measured(outcome[n:], linear, sets), slope(outcome[n:], linear), apart]


def after(embeddings, outcome, fold, rng, models=MODELS):
    """Every member with the other folds aligned to it; the test patients by all members."""
    n = int((fold > 0).sum())
    y, f = outcome[:n], fold[:n]
    own = {name: np.empty(n) for name in models}
    tested = {name: [] for name in models}
    apart = []
    for k in range(1, FOLDS + 1):
        space, of_own = alignment.into_member(embeddings[1:, :n], f, k)
        new, seen = of_own(embeddings[k][n:]), f != k
        for name, model in models.items():
            odds = model(space[seen], y[seen], np.vstack([space[~seen], new]), k)
            own[name][~seen] = odds[: (~seen).sum()]
            tested[name].append(odds[(~seen).sum() :])
        apart.append(told_apart(space[~seen], new, rng))
    for name in models:
        together, standard = standardized(f, own[name], np.array(tested[name]))
        found = recalibration.fit(standard, y)
        linear = found.intercept + found.slope * together
        sets = crossed(y, f, own[name], np.array(tested[name]))
        row = [*measured(outcome[n:], linear, sets), slope(outcome[n:], linear), np.mean(apart)]
        yield name, row


def show(setting: str, tables: dict[str, list[list[float]]]) -> None:
    """Print means over the studies."""
    for method, rows in tables.items():
        table = np.array(rows)
        mean = table.mean(axis=0)
        low = [(table[:, side] < 0.8).mean() for side in (1, 2)]
        # Slopes of models without signal are extreme: the median.
        rest = "".join(f" | {value:.2f}" for value in np.nanmedian(table[:, 4:], axis=0))
        print(
            f"{setting} | {method} | {mean[0]:.3f} | {mean[1]:.3f} {mean[2]:.3f} | "
            f"{low[0]:.2f} {low[1]:.2f} | {mean[3]:.2f}{rest}",
            flush=True,
        )


def settings(sizes, studies, random):
    """Setting, method and rows (studies, columns of `measured`) for `benchmarks/validity.py`.

    Scores of members whose spreads differ, and a ridge head on simulated embeddings, in fewer studies.
    """
    labels = {"full, scores of the members": "before: full", "CV+": "CV+ of the members"}
    for n in sizes:
        for signal, word in ((1.0, "weak"), (2.0, "moderate")):
            found = [scores(n, signal, True, random) for _ in range(studies)]
            for name, label in labels.items():
                yield f"n {n}, {word}", label, np.array([rows[name] for rows in found])
    tables = defaultdict(list)
    for _ in range(max(studies // 8, 10)):
        drawn = networks(sizes[0], random)
        for label, way in (("before: full, ridge", before), ("CV+, ridge", after)):
            tables[label] += [row for _, row in way(*drawn, random, {"ridge": ridge_odds})]
    for label, rows in tables.items():
        yield f"n {sizes[0]}, stacked", label, np.array(rows)


def main_scores(studies: int) -> None:
    print("n, signal, scales | method | AUC | coverage not cured, cured | studies < .80 | decided")
    for n in (97, 121, 300):
        for signal in (1.0, 2.0):
            for own_scale in (True, False):
                rng = np.random.default_rng(n)
                tables = defaultdict(list)
                for _ in range(studies):
                    for method, row in scores(n, signal, own_scale, rng).items():
                        tables[method].append(row)
                show(f"{n} {signal} {'differ' if own_scale else 'equal'}", tables)


def main_stacked(studies: int, seed: int) -> None:
    print(
        "n | method | AUC | coverage not cured, cured | studies < .80 | decided | calibration slope (median) | "
        "AUC of training against test"
    )
    for n in (97, 200):
        rng = np.random.default_rng([n, seed])
        tables = defaultdict(list)
        for _ in range(studies):
            study = networks(n, rng)
            for label, way in (("before", before), ("after", after)):
                for model, row in way(*study, rng):
                    tables[f"{label}, {model}"].append(row)
        show(str(n), tables)


if __name__ == "__main__":
    numbers = [int(given) for given in sys.argv[2:]]
    if sys.argv[1:2] == ["stacked"]:
        main_stacked(*(numbers or [100]), *([1] if len(numbers) < 2 else []))
    else:
        main_scores(*(numbers or [400]))
