"""Words about the study that follow from its configuration, and those that always hold."""

from thyrocast.report import words
from thyrocast.report.reading import Study

# TRIPOD+AI 2024 (BMJ 385:e078378): item, what it asks, where the page answers (None: authors must).
CHECKLIST: tuple[tuple[str, str, str | None], ...] = (
    ("1–2", "Title and abstract", "verdict"),
    ("3–4", "Background and objectives", "verdict"),
    ("5", "Sources of data; dates of recruitment (authors add dates)", "participants"),
    ("6", "Participants: setting, eligibility, exclusions", "participants"),
    ("7", "Data preparation and quality checks", "methods"),
    ("8", "Outcome and how it is decided", "methods"),
    ("9", "Predictors", "participants"),
    ("10", "Sample size", "sample-size"),
    ("11", "Missing data", "participants"),
    ("12", "Analytical methods, validation, measures of performance", "methods"),
    ("13", "Class imbalance", "methods"),
    ("14", "Fairness: performance in subgroups", "performance"),
    ("15", "Model output: probability of cure, and its threshold", "performance"),
    ("16", "Differences between training and evaluation data", "participants"),
    ("17", "Ethical approval", None),
    ("18", "Open science: funding, conflicts, protocol, registration, data, code", "provenance"),
    ("19", "Patient and public involvement", None),
    ("20", "Flow and characteristics of participants", "participants"),
    ("21", "Participants and events in each analysis", "performance"),
    ("22", "Full model", "signature"),
    ("23", "Performance with intervals; heterogeneity between centers", "performance"),
    ("24", "Model updating (none: a locked model is never refitted)", "methods"),
    ("25–26", "Interpretation and limitations", "limitations"),
    ("27", "Usability in current care", "limitations"),
)


def paragraphs(study: Study) -> list[tuple[str, str]]:
    """Methods in brief, as (heading, text), from the configuration that was run."""
    said = [
        (
            "Question",
            "Will the first iodine-131 therapy of Graves’ disease cure this patient, judged from the pretreatment "
            "Tc-99m pertechnetate scintigram? Every probability on this page is that of cure.",
        ),
        ("Outcome", _outcome(study)),
        ("Images", _images(study)),
        ("Network", _network(study)),
        ("Signature", _signature(study)),
        (
            "Designs",
            " ".join(f"{words.design(d)}: {words.DESIGN_NOTES.get(d, '')}" for d in study.designs),
        ),
        (
            "Evaluation",
            "Whatever learns from data (normalization, network, selection, forest, threshold) learns inside the "
            f"training set. Intervals are {study.level}; their method stands in evaluation/performance.csv. Discrimination is "
            "the area under the ROC curve (AUC). Centers are pooled by a random-effects model; where models "
            "never saw the centers, its prediction interval is what a new center can expect. In decision curves, to treat means to go ahead as "
            "planned because cure is expected; net benefit weighs patients rightly expected to be cured against those "
            "wrongly expected to be.",
        ),
        (
            "Attention",
            "Grad-CAM of the network’s last block for every test patient; the share of the map’s energy inside the "
            "gland is compared with the share of the image that is gland, which is what a map without "
            "preference would give.",
        ),
    ]
    return [(heading, text) for heading, text in said if text]


def _outcome(study: Study) -> str:
    """Each center's rule, centers of one rule together."""
    rules: dict[str, list[str]] = {}
    for center in study.setting("centers", default=()):
        rule = center.get("outcome") or {}
        if rule.get("rule") == "followup":
            said = (
                f"derived from the thyroid state {rule.get('months', 12):g} months after therapy "
                f"(± {rule.get('tolerance_months', 3):g})"
            )
        else:
            said = "as the center’s own table states it"
        if center.get("role") != "prospective":
            rules.setdefault(said, []).append(str(center["name"]))
    return "; ".join(f"{words.listing(names)}: {said}" for said, names in rules.items())


def _images(study: Study) -> str:
    field, size = study.setting("image", "field_mm"), study.setting("image", "size")
    if field is None or size is None:
        return ""
    scale = (
        "count rate relative to the gland’s mean"
        if study.setting("image", "intensity", default="relative") == "relative"
        else "count rate per injected activity and area"
    )
    return (
        f"The anterior frame is resampled, counts preserved, to {size} × {size} pixels of a square field of {field:g} mm "
        f"around the gland; intensity is {scale}, never clipped."
    )


def _network(study: Study) -> str:
    weights = study.setting("network", "weights")
    if weights is None:
        return ""
    start = (
        "random weights"
        if weights == "random"
        else "weights from a local file, checked by its hash"
    )
    epochs = study.setting("network", "epochs")
    watching = float(study.setting("network", "early_stopping", "fraction", default=0))
    stop = (
        f"at most {epochs} epochs, {words.percent(watching)} of the training patients deciding when to stop"
        if watching
        else f"{epochs} epochs"
    )
    balance = (
        " Both outcomes weigh the same in the loss, and the shift this causes is taken out of the probabilities."
        if study.setting("network", "imbalance") == "weighted"
        else ""
    )
    return f"ResNet50, trained end to end from {start}, {stop}.{balance}"


def _signature(study: Study) -> str:
    embedded = (
        "Its training embeddings are in-sample, as published: the network had seen those patients."
        if study.in_sample
        else f"Its training embeddings are cross-fitted over {study.setting('folds', default='the')} folds: every "
        "training patient is embedded by a network that never saw them."
    )
    return (
        "The 2,048 features of the network’s global pooling layer are selected by the LASSO and given to a random "
        f"forest. {embedded}"
    )


def limitations(study: Study) -> list[str]:
    """What the study can't say, the general first."""
    said = [
        "This is research, not a medical device: no result on this page may decide the treatment of a patient.",
        "Patients were selected by whoever had both a scintigram and a known outcome; those excluded are "
        "listed above and may differ. Outcomes are decided by each center’s own rule and follow-up.",
        "The model learned from patients who were treated with the activity that their center chose. It predicts "
        "what happens under such treatment, not what another activity would do.",
        "Grad-CAM shows what moved the network, at the resolution of its last block. It explains no "
        "biology.",
    ]
    if study.simulated:
        said.insert(
            1,
            "Simulated patients follow a model of the gland and the camera that is simpler than either.",
        )
    if study.cohort["center"].nunique() < 5:
        said.append(
            "With fewer than five centers, differences between centers can’t be estimated well: prediction "
            "intervals are uncertain themselves."
        )
    return said
