"""The methods section, generated from the config and the results, and the limitations."""

import re
from collections.abc import Sequence

from thyrocast.config.center import CenterConfig
from thyrocast.config.choices import EMBEDDED, RANDOM, Architecture, Imbalance, Pretraining
from thyrocast.config.cohort import WithoutDates
from thyrocast.config.evaluation import FollowUpWeighting
from thyrocast.config.image import Intensity
from thyrocast.config.signature import RecalibrationMethod, Selection
from thyrocast.contract import columns, stability
from thyrocast.contract.evaluation import SAMPLE_SIZE
from thyrocast.contract.learning_curve import LEARNING_CURVE
from thyrocast.contract.names import Model, OutcomeRule, Role, ThresholdRule
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell
from thyrocast.report import definitions, eligibility, words
from thyrocast.report.methods import methods_explanation, references
from thyrocast.report.methods.equations import equations_section
from thyrocast.report.study import StudyResults

#: With fewer centers, the variance between centers is estimated badly.
FEW_CENTERS = 5
_SELECTIONS = {
    Selection.MINIMUM: "has the smallest cross-validated deviance",
    Selection.ONE_STANDARD_ERROR: "is the largest within one standard error of the smallest "
    "cross-validated deviance",
    Selection.COUNT: "gives a set number of features",
}


def section(study: StudyResults) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the methods as (heading, text), and the references that the texts cite by number."""
    return references.numbered(paragraphs(study))


def as_markdown(study: StudyResults) -> str:
    """Return the methods section as a Markdown document to be copied into a manuscript."""
    texts, cited = section(study)
    parts = ["# Methods", *(f"## {heading}\n\n{text}" for heading, text in texts)]
    for grid in equations_section(study):
        rows = [[_plain(cell) for cell in row] for row in grid.rows]
        lines = [[*grid.header], ["---"] * len(grid.header), *rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        parts.append(f"### {grid.caption}\n\n{table}\n\n{grid.note}")
    parts.append(
        "## References\n\n"
        + "\n".join(f"{number}. {text}" for number, text in enumerate(cited, start=1))
    )
    return "\n\n".join(parts) + "\n"


def _plain(cell: Cell) -> str:
    """The text of a cell with its detail in brackets, or the detail alone."""
    if cell.text and cell.detail:
        return f"{cell.text} ({cell.detail})"
    return cell.text or cell.detail


def text(study: StudyResults, heading: str) -> str:
    """Return one paragraph without its citations."""
    return re.sub(r" ?\[@[^\]]*\]", "", dict(paragraphs(study))[heading])


def first_sentence(study: StudyResults, heading: str) -> str:
    """Return the first sentence of a paragraph without its citations."""
    return re.split(r"(?<=[a-z)”])\. (?=[A-Z])", text(study, heading))[0].rstrip(".") + "."


def paragraphs(study: StudyResults) -> list[tuple[str, str]]:
    """Return the methods as (heading, text), with citations such as ``[@wilson1927]``."""
    centers = study.config.centers
    return [
        ("Question", _question(study)),
        ("Eligibility", eligibility.paragraph(centers)),
        ("Outcome", _outcome(centers)),
        ("Time of the decision", _decision_time(study)),
        ("Predictors", _predictors(study)),
        ("Missing data", _missing_data(study)),
        ("Images", _images(study)),
        ("Network", _network(study)),
        ("Signature", _signature(study)),
        ("Baselines", _baselines(study)),
        ("Designs", _designs(study)),
        ("Evaluation", _evaluation(study)),
        ("Sample size", _sample_size(study)),
        ("Attention", methods_explanation.attention(study)),
    ]


def _question(study: StudyResults) -> str:
    roles = {
        role: [center.name for center in study.config.centers if center.role is role]
        for role in Role
    }
    named = [
        f"{words.plural(len(names), 'center')} for {words.ROLES[role]} ({words.listing(names)})"
        for role, names in roles.items()
        if names
    ]
    share = study.simulated
    simulated = f" {'All' if share == 1 else 'Some'} patients are simulated." if share else ""
    return (
        "Will the first iodine-131 therapy of Graves’ disease cure this patient? The prediction is "
        "made from the pretreatment Tc-99m pertechnetate scintigram. Every probability is a probability "
        f"of cure. The study has {words.listing(named)}. Reporting follows TRIPOD+AI [@collins2024]."
        f"{simulated}"
    )


def _outcome(centers: Sequence[CenterConfig]) -> str:
    """The outcome rule of each center; centers with the same rule together."""
    rules: dict[str, list[str]] = {}
    followed = False
    for center in centers:
        rule = center.outcome
        if center.role is Role.PROSPECTIVE or rule is None:
            continue
        text = "as stated in the center’s own table"
        if rule.rule is OutcomeRule.FOLLOWUP:
            followed = True
            text = f"derived from follow-up: {definitions.sentence(rule.definitions()[0])}"
        rules.setdefault(text, []).append(center.name)
    stated = "; ".join(f"{words.listing(names)}: {text}" for text, names in rules.items()) + "."
    if not followed:
        return stated
    return (
        f"{stated} That hypothyroidism counts as a success follows the aim of the therapy in the EANM "
        "guideline [@campenni2023]; that persistence is not judged by TSH alone follows the guideline of "
        "the American Thyroid Association [@ross2016]."
    )


def _decision_time(study: StudyResults) -> str:
    least, most = study.config.cohort.scan_window_days
    several = (
        "the earliest scan is used"
        if study.config.cohort.without_dates is WithoutDates.EARLIEST
        else "a patient with several scans is excluded"
    )
    return (
        "The prediction is made before the therapy, when the scintigram has been acquired and the "
        f"activity is planned. The scan is the one nearest to the therapy among those {least} to {most} "
        f"days before it; where a date is missing, {several}. No predictor is measured after the "
        "therapy: the administered activity is taken as the planned one."
    )


def _predictors(study: StudyResults) -> str:
    known = study.cohort.notna().any()
    clinical = [name for name in columns.CLINICAL if known[name]]
    missing = [name for name in columns.CLINICAL if name not in clinical]
    text = "Network and signature use the scintigram alone. The clinical model uses "
    text += words.listing([_lower(words.column(name)) for name in clinical]) or "no clinical column"
    text += (
        ", and the activity per gram of gland, administered and retained after 24 hours. The hand-crafted "
        "model uses quantities measured in the scintigram: "
        + words.listing([_lower(words.column(name)) for name in columns.QUANTITIES])
        + f". The model “{words.model(Model.SIMULATED)}” uses mass, uptake, heterogeneity and contrast, as read in the "
        "scintigram by a network that was trained on simulated scintigrams, without outcomes. The combined model uses all of "
        "these predictors, and the log-odds of network and signature. The predictors of these "
        "models were chosen beforehand; none was selected by its association with the outcome."
    )
    if missing:
        text += (
            " Not recorded by any center: "
            + words.listing([_lower(words.column(name)) for name in missing])
            + "."
        )
    return text


def _lower(name: str) -> str:
    """A name inside a sentence: ``age, years`` in place of ``Age, years``; abbreviations stay."""
    title = name.split(",")[0]
    return (
        title if title[1:2].isupper() or title.startswith("Tc-") else title[:1].lower() + title[1:]
    )


def _missing_data(study: StudyResults) -> str:
    text = (
        "Patients without a scintigram or without an outcome were excluded; the flow of participants "
        "gives their numbers. A missing predictor is imputed by regression on the predictors that are "
        "known, with a normal distribution fitted in the training set, without the outcome, and in the "
        "same way in training and in prediction [@sisk2023]."
    )
    if study.config.signature.missing_indicators:
        text += " Missingness of a predictor is a predictor of its own."
    if study.config.evaluation.follow_up_weighting is not FollowUpWeighting.NONE:
        text += " Results weighted by the inverse probability of having an outcome are reported alongside."
    return text


def _images(study: StudyResults) -> str:
    image = study.config.image
    scale = (
        "the count rate relative to the gland’s mean"
        if image.intensity is Intensity.RELATIVE
        else "the percentage of the injected activity per square centimeter"
    )
    return (
        f"The anterior frame is resampled to {image.size} × {image.size} pixels of a square field of "
        f"{image.field_mm:g} mm around the gland, which a network trained on simulated scintigrams "
        f"finds; counts are preserved. Intensity is {scale} and is never clipped. Images with fewer than "
        f"{numbers.count(image.min_counts)} counts in the gland, or without a thyroid (score below "
        f"{image.min_score:g}), are excluded. The same steps are applied to every patient."
    )


def _network(study: StudyResults) -> str:
    network = study.config.network
    kind, start = "ResNet50 [@he2016]", "random weights"
    if network.architecture is Architecture.COMPACT:
        kind = "A compact residual network of 0.3 million weights, whose shortcuts average pixels [@he2019]"
    if network.weights != RANDOM:
        start = "weights from a local file, checked by its hash"
    elif network.pretraining is Pretraining.SIMULATION:
        start = (
            "weights that had learned to read physical quantities (mass, uptake, heterogeneity and "
            "others) from simulated scintigrams, without outcomes"
        )
    stop = f"for {network.epochs} epochs"
    if network.early_stopping.fraction:
        share = numbers.percent(network.early_stopping.fraction)
        stop = (
            f"for at most {network.epochs} epochs; {share} of the training patients are held out "
            "to decide when to stop"
        )
    balance = (
        "Both outcomes have the same weight in the loss; the shift that this causes is removed from "
        "the probabilities."
        if network.imbalance is Imbalance.WEIGHTED
        else "Outcomes are not weighted [@goorbergh2022]."
    )
    change = network.augmentation
    return (
        f"{kind}, trained end to end from {start} {stop}. It is optimized by AdamW "
        f"[@loshchilov2019] with batches of {network.batch_size}, a highest learning rate of "
        f"{network.highest_rate:g} and a weight decay of {network.weight_decay:g}. Training images are "
        f"rotated by up to {change.rotation:g}°, shifted by up to {numbers.percent(change.shift)} of the "
        f"field and scaled by up to {numbers.percent(change.scale)}; counts are thinned to as little as "
        f"{numbers.percent(change.thinning)}. {balance}"
    )


def _signature(study: StudyResults) -> str:
    config = study.config.signature
    features = EMBEDDED[study.config.network.architecture]
    embeddings = (
        "Its training embeddings are in-sample, as published: the network had seen those patients."
        if study.in_sample
        else f"Network and signature are cross-fitted over {study.config.folds} folds: each training "
        "patient is predicted by the network and signature that were fitted without the patient’s fold, and "
        f"each test patient by the mean of all {study.config.folds}, whose log-odds are standardized."
    )
    again = (
        " The log-odds of every model are recalibrated on cross-fitted training patients by logistic "
        "regression (Firth’s likelihood [@firth1993]) with a shrunken slope [@houwelingen1990]."
        if config.recalibration is RecalibrationMethod.LOGISTIC and not study.in_sample
        else " Probabilities are not recalibrated."
    )
    return (
        f"The LASSO [@tibshirani1996] selects from the {numbers.count(features)} features of the network’s global "
        f"pooling layer, over {config.penalties} penalties; the selected one {_SELECTIONS[config.selection]} in "
        f"{config.tuning_folds} folds. A random forest [@breiman2001] of {config.forest.trees} trees "
        f"predicts from the selected features. {embeddings}{again}"
    )


def _baselines(study: StudyResults) -> str:
    curved = (
        "; continuous clinical predictors may have a bend (a restricted cubic spline with three knots "
        "[@harrell2015])"
        if study.config.signature.splines
        else ""
    )
    return (
        "The baselines are ridge logistic regressions; the penalty is chosen by cross-validation in "
        f"{study.config.signature.tuning_folds} folds of the training set. Right-skewed amounts enter as "
        f"logarithms{curved}. Their equations are given below. The model “absorbed dose” has one "
        "predictor, the logarithm of the dose by the formula of the EANM procedure, D = 2.808 × activity "
        "× uptake × 5.5 d / (ln 2 × mass) [@hanscheid2013]."
    )


def _designs(study: StudyResults) -> str:
    text = " ".join(
        f"{words.design(design)}: {words.DESIGN_NOTES[design]}" for design in study.designs
    )
    return (
        f"{text} Everything that is learned from data (normalization, network, imputation, selection, "
        "forest, recalibration, threshold, prediction sets) is learned inside the training set of its "
        "split."
    )


def _evaluation(study: StudyResults) -> str:
    config = study.config.evaluation
    rule = words.RULES[config.threshold.rule]
    where = (
        "given beforehand"
        if config.threshold.rule in words.GIVEN_RULES
        else "chosen on the training set"
    )
    reference = (
        f" ({config.decision.reference:g})"
        if config.threshold.rule is ThresholdRule.NET_BENEFIT and config.threshold.target is None
        else ""
    )
    text = (
        f"The model of the main result, {_lower(words.model(config.primary_model))}, was named in the "
        "config. Discrimination is the area under the ROC curve (AUC) with DeLong’s interval on the "
        "logit scale [@delong1988], or Newcombe’s with fewer than 15 patients of an outcome "
        "[@newcombe2006]; proportions have Wilson’s [@wilson1927]. Calibration is reported as "
        "calibration in the large, slope, observed/expected and smooth curves [@vancalster2019] with the "
        f"integrated calibration index [@austin2019]. Patients are called cured by the rule “{rule}”"
        f"{reference}, {where}. In decision curves [@vickers2006], “treat” means to give radioiodine as "
        "planned because cure is expected; net benefit weighs patients who are correctly expected to be "
        "cured against those who are wrongly expected to be cured, with limits that combine those of both "
        "shares [@zou2008]. Prediction sets are conformal, by "
        f"outcome [@vovk2012], with an error of at most {numbers.percent(config.prediction_sets.error)} "
        "intended. Results of centers are pooled by random effects (REML) with truncated Hartung-Knapp "
        "intervals [@hartung2001]; from three centers on that the models did not see, this mean is the "
        "main result, and its prediction interval [@nagashima2019] is what a new center can expect. "
        f"Intervals are {study.level} intervals; their kind is given in evaluation/performance.csv. "
        f"Groups of fewer than {config.minimum_count.patients} patients, or "
        f"{config.minimum_count.outcomes} of an outcome, are not reported."
    )
    if "kfold" in study.designs:
        text += (
            " In repeated cross-validation the AUC is the mean within parts [@airola2011] with a "
            "corrected resampled t interval [@nadeau2003] on the logit scale."
        )
    return text


def _sample_size(study: StudyResults) -> str:
    rows = study.tables[SAMPLE_SIZE.name]
    text = (
        "Before training, the size of the cohort was compared with the criteria of Riley et al. for "
        "developing [@riley2020] and for validating [@riley2021] a prediction model"
        f"{words.parameters(rows)}; no criterion applies to network and signature, which choose from many more "
        "features."
    )
    for purpose, verb in (("development", "Development"), ("validation", "Validation")):
        part = rows[(rows["purpose"] == purpose) & (rows["criterion"] == "all")]
        if len(part) and not (study.applied and purpose == "development"):
            row = part.iloc[0]
            text += (
                f" {verb} requires {words.plural(int(row['required_n']), 'patient')}; "
                f"{numbers.count(row['available_n'])} were available."
            )
    if LEARNING_CURVE.name in study.tables:
        text += (
            " A learning curve shows the AUC of models that were fitted to 40 to 100 % of the development "
            "patients, extrapolated by an inverse power law [@figueroa2012]; networks were not trained again."
        )
    return text


def limitations(study: StudyResults) -> list[str]:
    """What the study cannot show, general limitations first."""
    simulated = "Simulated patients follow a model of the gland and of the camera that is simpler than reality."
    few = (
        "With fewer than five centers, differences between centers cannot be estimated well, and "
        "prediction intervals are uncertain."
    )
    but = " of all designs but repeated cross-validation" if "kfold" in study.designs else ""
    fixed = (
        f"Intervals{but} are about test patients and take the trained models as given: other training patients or another seed "
        "would give other models."
    )
    if stability.MODELS.name not in study.tables:
        fixed += " How far results would move was not assessed (snakemake stability)."
    return [
        "This is research, not a medical device. No result on this page may decide the treatment of a "
        "patient.",
        *([simulated] if study.simulated else []),
        *([] if study.applied else [fixed]),
        "Only patients with a scintigram and a known outcome were analyzed. Excluded patients are listed "
        "above and may differ. Outcomes are decided by each center’s own rule and follow-up.",
        "The model was trained on patients who received the activity that their center chose. It predicts "
        "the outcome of such a therapy, not of another activity.",
        "Maps show which parts of the image influenced the network, at the resolution of one of its "
        "blocks. They do not explain the biology.",
        *([few] if study.cohort["center"].nunique() < FEW_CENTERS else []),
    ]
