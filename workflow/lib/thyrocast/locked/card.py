"""The model card of a locked model, by a public schema.

The schema is that of the Coalition for Health AI: Applied Model Card, version 0.2
(https://mc.chai.org/v0.2/schema.xsd), an XML document with Markdown in its texts. A test validates
cards against it. What thyrocast cannot know, the card says that it is not stated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

import pandas as pd

from thyrocast.config.study import StudyConfig
from thyrocast.contract.manifest import Manifest, Update
from thyrocast.contract.names import STRONGEST_FIRST, GroupKind, Metric, Set, Status
from thyrocast.errors import InputError

NAMESPACE = "https://mc.chai.org/v0.2/schema.xsd"
Content = str | Mapping[str, "Content"] | Sequence[tuple[str, "Content"]]

_RESEARCH = (
    "For research use only. The model is no medical device: nobody may decide on a therapy by it."
)
_NOT_STATED = "Not stated."


def card(config: StudyConfig, manifest: Manifest, performance: pd.DataFrame) -> bytes:
    """Return the model card, as XML in UTF-8; equal input gives equal bytes.

    Parameters
    ----------
    config
        The study's config.
    manifest
        The manifest; its files and its hash are not used.
    performance
        Table `PERFORMANCE` of the study.
    """
    ElementTree.register_namespace("", NAMESPACE)
    root = ElementTree.Element(f"{{{NAMESPACE}}}AppliedModelCard")
    _add(root, _sections(config, manifest, performance))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def updated(content: bytes, parent: Manifest, update: Update) -> bytes:
    """Return the model card of an updated model: that of its parent, and what was updated.

    Parameters
    ----------
    content
        The parent's model card.
    parent
        Its manifest.
    update
        What was changed.

    Raises
    ------
    InputError
        If the parent's card is no model card.
    """
    ElementTree.register_namespace("", NAMESPACE)
    steps = ", ".join(f"{name} ({change.step})" for name, change in update.models.items())
    text = (
        f" Updated at center {update.center}, with {update.patients} patients, {update.cured} of them cured: "
        f"{steps}. Numbers of this card are those of the model before the update, {parent.hash[:12]}. Results on "
        "the patients of the update are in-sample."
    )
    if b"<!" in content:
        raise InputError("locked model, model card: declares entities, which no card needs")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - without declarations nothing expands
    except ElementTree.ParseError as error:
        raise InputError(f"locked model, model card: is no XML ({error})") from None
    for path in ("ModelSummary/Summary", "Warnings/KnownRisksAndLimitations"):
        found = root.find("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/")))
        if found is None:
            raise InputError(f"locked model, model card: {path} is missing")
        found.text = (found.text or "") + text
    made: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def _add(parent: ElementTree.Element, content: Content) -> None:
    if isinstance(content, str):
        # XML 1.0 has no control characters but tab and line breaks.
        parent.text = "".join(c for c in content if c.isprintable() or c in "\t\n")
        return
    pairs = content.items() if isinstance(content, Mapping) else content
    for name, value in pairs:
        _add(ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{name}"), value)


def _sections(config: StudyConfig, manifest: Manifest, performance: pd.DataFrame) -> Content:
    about = config.model_card
    training = _training(manifest)
    return {
        "BasicInfo": {
            "ModelName": f"thyrocast, study {config.study}",
            "ModelDeveloper": about.developer,
            "DeveloperContact": about.contact,
        },
        "ReleaseInfo": {
            "ReleaseStage": "Research",
            "ReleaseDate": _NOT_STATED,
            "ReleaseVersion": about.release,
            "GlobalAvailability": _RESEARCH,
            "RegulatoryApproval": "None.",
        },
        "ModelSummary": {
            "Summary": "Predicts from the pretreatment Tc-99m pertechnetate scintigram and clinical data "
            "whether the first iodine-131 therapy of Graves' disease will succeed.",
            "Keywords": [
                ("Keyword", word)
                for word in (
                    "Graves' disease",
                    "radioiodine",
                    "thyroid scintigraphy",
                    "prediction model",
                )
            ],
        },
        "UsesAndDirections": _uses(),
        "Warnings": _warnings(manifest, training),
        "TrustIngredients": _trust(config, manifest, training),
        "KeyMetrics": _metrics(config, performance),
        "Resources": {
            "PeerReviewedPublications": "Protocol: Nuclear Medicine Communications 2025, Evaluating the "
            "efficacy of the ResNet50 deep learning model utilizing thyroid scintigraphy images for "
            "predicting the outcomes of initial iodine-131 therapy in patients with Graves' disease.",
            "PatientConsentOrDisclosure": _NOT_STATED,
        },
        "Bibliography": "",
    }


def _training(manifest: Manifest) -> str:
    """Training patients by center, in words."""

    def words(center: str) -> str:
        part = manifest.training_cohort[center]
        if part.patients is None:
            return f"{center}: too few to be shown"
        cured = "" if part.cured is None else f", {part.cured} of them cured"
        return f"{center}: {part.patients} patients{cured}"

    kind = "Simulated training patients" if manifest.simulated else "Training patients"
    text = f"{kind} by center. " + "; ".join(map(words, sorted(manifest.training_cohort))) + "."
    if manifest.outcomes == "shuffled":
        text += " Their outcomes were permuted at random: the model has learned nothing."
    return text


def _uses() -> Content:
    return {
        "IntendedUseAndWorkflow": f"External validation of a prediction before radioiodine therapy. {_RESEARCH}",
        "PrimaryIntendedUsers": "Researchers in nuclear medicine and endocrinology.",
        "HowToUse": "`make apply MODEL=... CENTER=...` with thyrocast; see docs/locked-model.md.",
        "TargetedPatientPopulation": "Patients with Graves' disease before their first iodine-131 therapy.",
        "CautionedOutOfScopeSettings": "Other causes of hyperthyroidism, a second therapy, pinhole images "
        "without a known scale, and images outside of the training range (`ranges.csv`).",
    }


def _warnings(manifest: Manifest, training: str) -> Content:
    limits = (
        "Few training patients; probabilities may be wrong where the rate of cure, the activity or the "
        "definition of cure differs from the training centers."
    )
    return {
        "KnownRisksAndLimitations": limits,
        "KnownBiasesOrEthicalConsiderations": f"{training} Other centers and groups may be predicted worse.",
        "ClinicalRiskLevel": "Not classified; research use only.",
    }


def _trust(config: StudyConfig, manifest: Manifest, training: str) -> Content:
    image = config.image
    return {
        "AISystemFacts": {
            "OutcomesAndOutputs": "Probability of cure by each model, a decision at a threshold, and a "
            "conformal prediction set.",
            "ModelType": f"{len(manifest.members)} convolutional networks, LASSO and random forest on their "
            "embeddings, and logistic ridge regressions.",
            "InputDataSource": "DICOM images of planar thyroid scintigraphy, and a clinical table.",
            "OutputAndInputDataTypes": f"Input: image of {image.size} x {image.size} pixels, "
            f"{image.field_mm:g} mm wide, intensity {image.intensity}; clinical columns. Output: probabilities.",
            "DevelopmentDataCharacterization": training,
            "BiasMitigationApproaches": "Images are standardized to one field of view and scale; results are "
            "reported by center and subgroup.",
            "OngoingMaintenance": _NOT_STATED,
            "Security": "A bundle of hashed files without executable content (docs/locked-model.md).",
            "Transparency": "Code, config and versions are in the manifest; thyrocast is open source.",
        },
        "TransparencyInformation": {
            "FundingSource": config.model_card.funding,
            "StakeholdersConsulted": _NOT_STATED,
        },
    }


def _metrics(config: StudyConfig, performance: pd.DataFrame) -> Content:
    """The three groups of metrics, from the strongest design of the study."""
    found = {*performance["design"]}
    design = next((name.value for name in STRONGEST_FIRST if name in found), "")
    model = config.evaluation.primary_model.value
    tested = (
        f"Design `{design}`, model `{model}`, test patients of this study; not in the training set."
    )

    def group(goal: str, metrics: Sequence[Metric], reading: str) -> Content:
        return {
            "MetricGoal": goal,
            "Results": [
                ("MetricResult", _result(performance, design, model, name, config))
                for name in metrics
            ],
            "Interpretation": reading,
            "TestType": "Internal-external or external validation, retrospective.",
            "TestingDataDescription": tested,
            "ValidationProcessAndJustification": "docs/statistics.md of thyrocast.",
        }

    return {
        "UsefulnessUsabilityEfficacy": group(
            "Discrimination.", (Metric.AUC,), "1 is perfect, 0.5 is chance."
        ),
        "FairnessEquity": group(
            "Observed over expected cures; results of centers and subgroups are in the study's report.",
            (Metric.OE_RATIO,),
            "1 is calibrated on average.",
        ),
        "SafetyReliability": group(
            "Calibration.",
            (Metric.CALIBRATION_SLOPE, Metric.BRIER),
            "A slope of 1 and a low Brier score are good.",
        ),
    }


def _result(
    performance: pd.DataFrame, design: str, model: str, metric: Metric, config: StudyConfig
) -> Content:
    """Headline of a metric over all test patients, in the schema's JSON of values."""
    of_test = performance[
        (performance["design"] == design)
        & (performance["set"] == Set.TEST)
        & (performance["model"] == model)
        & (performance["group_kind"] == GroupKind.POOLED)
        & (performance["metric"] == metric)
    ]
    value: dict[str, object] = {"kind": "text", "text": "not estimated"}
    whole = of_test[of_test["split"] == "all"]
    rows = whole if len(whole) else of_test
    if len(rows) and rows["status"].iloc[0] == Status.ESTIMATED:
        first = rows.iloc[0]
        level = round(100 * config.evaluation.confidence, 4)
        value = {"kind": "single", "value": round(float(first["estimate"]), 4)}
        if pd.notna(first["ci_low"]) and pd.notna(first["ci_high"]):
            value = {
                "kind": "estimate_ci",
                "estimate": round(float(first["estimate"]), 4),
                "lower": round(float(first["ci_low"]), 4),
                "upper": round(float(first["ci_high"]), 4),
                "level": level,
            }
    return {"Label": metric.value, "ValueJson": json.dumps(value, sort_keys=True)}
