"""The TRIPOD+AI checklist: what an artefact of the study answers, and what the authors must answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from thyrocast.config.choices import Imbalance
from thyrocast.contract.checklist import ASKS, Item
from thyrocast.contract.names import UNSEEN_CENTERS, Role
from thyrocast.contract.updating import UPDATES
from thyrocast.pages import numbers
from thyrocast.report import eligibility, scores, words
from thyrocast.report.methods import methods_section
from thyrocast.report.study import StudyResults


@dataclass(frozen=True)
class Entry:
    """An item of the checklist with its answer.

    Attributes
    ----------
    number, asks
        The item and what it asks for.
    sentence, file, section
        What the study answers: a sentence, the file that it is from, and the section that has more.
        Empty if the study cannot answer.
    remains
        What the authors have to add; empty if nothing.
    authors
        Their answer, from the config's `report.answers`.
    """

    number: str
    asks: str
    sentence: str
    file: str
    section: str
    remains: str
    authors: str

    @property
    def status(self) -> str:
        """``answered``, ``partly`` or ``open`` (to be answered by the authors)."""
        if self.authors or (self.sentence and not self.remains):
            return "answered"
        return "partly" if self.sentence else "open"


#: Sentence, file, section, and what remains for the authors.
Answer = tuple[str, str, str, str]
_RESULTS = "evaluation/performance.csv"


def checklist(study: StudyResults) -> list[Entry]:
    """Return the items in order, with the study's answers and those of the authors."""
    known = study.config.report.answers
    entries = []
    for item in Item:
        answer = _ANSWERS.get(item)
        sentence, file, section, remains = answer(study) if answer else ("", "", "", "")
        entries.append(
            Entry(
                item.value,
                ASKS[item],
                sentence,
                file if sentence else "",
                section if sentence else "",
                remains,
                known.get(item, ""),
            )
        )
    return entries


def _objectives(study: StudyResults) -> Answer:
    names = words.listing([_lower(words.design(name)) for name in study.designs])
    text = f"The study develops models and evaluates them ({names})." if names else ""
    return text, "splits.csv", "methods", ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _sources(study: StudyResults) -> Answer:
    patients = numbers.count(len(study.cohort))
    centers = words.plural(study.cohort["center"].nunique(), "center")
    text = f"Scintigrams and clinical tables of {patients} analyzed patients of {centers}."
    if study.simulated:
        text += " Some or all patients are simulated."
    return text, "cohort/flow.json", "participants", "rationale, representativeness"


def _setting(study: StudyResults) -> Answer:
    centers = words.plural(len(study.centers), "center")
    return (
        f"{centers}: {words.listing(study.centers)}.",
        "provenance.json",
        "participants",
        "location",
    )


def _eligibility(study: StudyResults) -> Answer:
    silent = eligibility.not_stated(study.config.centers)
    remains = f"criteria of {words.listing(silent)}" if silent else ""
    text = eligibility.paragraph(study.config.centers)
    return text, "cohort/{center}/register.csv", "methods", remains


def _treatments(study: StudyResults) -> Answer:
    text = (
        "Administered activity and antithyroid drugs before therapy are in table 1, and are predictors "
        "of the clinical model."
    )
    recorded = study.cohort[["activity", "antithyroid_drug"]].notna().any().all()
    return text if recorded else "", "cohort/cohort.csv", "participants", "other treatments"


def _preparation(study: StudyResults) -> Answer:
    return (
        methods_section.first_sentence(study, "Images"),
        "check/{center}.html",
        "methods",
        "whether it was similar across sociodemographic groups",
    )


def _outcome(study: StudyResults) -> Answer:
    return (
        methods_section.text(study, "Outcome"),
        "provenance.json",
        "methods",
        "rationale, and whether assessment was consistent across sociodemographic groups",
    )


def _choice(study: StudyResults) -> Answer:
    text = (
        "The predictors of the models without deep features were chosen beforehand; none was selected by "
        "its association with the outcome. The signature's features are selected by the LASSO inside "
        "the training set of each split."
    )
    return text, "splits/{design}/{split}/signature/model.json", "methods", "reasons for the choice"


def _predictors(study: StudyResults) -> Answer:
    text = methods_section.text(study, "Predictors")
    return text, "cohort/cohort.csv", "methods", "how they were measured at each center, blinding"


def _sample_size(study: StudyResults) -> Answer:
    return (
        methods_section.text(study, "Sample size"),
        "evaluation/sample_size.csv",
        "sample-size",
        "how the study size was arrived at, and why it is sufficient",
    )


def _missing(study: StudyResults) -> Answer:
    return methods_section.first_sentence(study, "Missing data"), "cohort/flow.json", "methods", ""


def _use_of_data(study: StudyResults) -> Answer:
    return methods_section.first_sentence(study, "Designs"), "splits.csv", "methods", ""


def _handling(study: StudyResults) -> Answer:
    text = methods_section.first_sentence(study, "Baselines")
    return text, "splits/{design}/{split}/signature/model.json", "methods", ""


def _building(study: StudyResults) -> Answer:
    text = " ".join(
        methods_section.first_sentence(study, name) for name in ("Network", "Signature")
    )
    return text, "provenance.json", "methods", "rationale"


def _heterogeneity(study: StudyResults) -> Answer:
    if study.cohort["center"].nunique() < 2:
        return "", "", "", ""
    text = "Results of centers are pooled by random effects (REML, truncated Hartung-Knapp)."
    return text, "evaluation/pooled.csv", "methods", ""


def _measures(study: StudyResults) -> Answer:
    return methods_section.first_sentence(study, "Evaluation"), _RESULTS, "methods", "rationale"


def _updates(study: StudyResults) -> bool:
    """Whether updates of the models were tested at external centers."""
    return UPDATES.name in study.tables and not study.tables[UPDATES.name].empty


def _updating(study: StudyResults) -> Answer:
    if _updates(study):
        text = "Updates of intercept, slope and head are tested at external centers, by closed testing."
        return text, UPDATES.path, "performance", ""
    text = "Nothing was updated after the evaluation; models are recalibrated in their training sets only."
    return text, "splits/{design}/{split}/signature/model.json", "methods", ""


def _calculation(study: StudyResults) -> Answer:
    if study.config.lock_model:
        text = "By the locked model; its files and their hashes are listed."
        return text, "model/manifest.json", "methods", ""
    text = "By the models of each split; the predictions are tabulated."
    return text, "evaluation/predictions.csv", "methods", ""


def _imbalance(study: StudyResults) -> Answer:
    text = "No correction of class imbalance was used."
    if study.config.network.imbalance is Imbalance.WEIGHTED:
        text = (
            "Both outcomes have the same weight in the loss of the network; the shift that this causes "
            "is removed from the log-odds."
        )
    return text, "provenance.json", "methods", ""


def _fairness(study: StudyResults) -> Answer:
    columns = [
        words.column(name).split(",")[0].lower() for name in study.config.evaluation.subgroups
    ]
    text = f"Performance is reported by {words.listing(columns)}." if columns else ""
    return text, _RESULTS, "performance", "rationale"


def _output(study: StudyResults) -> Answer:
    rule = words.RULES[study.config.evaluation.threshold.rule]
    text = f"A probability of cure; a patient is called cured from a threshold on (rule: {rule})."
    return text, "evaluation/thresholds.csv", "performance", "rationale"


def _differences(study: StudyResults) -> Answer:
    text = "Characteristics, eligibility and outcome rules of every center are listed side by side."
    if study.cohort["center"].nunique() < 2:
        return "", "", "", ""
    return text, "cohort/cohort.csv", "participants", "differences in setting"


def _code(study: StudyResults) -> Answer:
    found = study.provenance
    commit = f", commit {found.commit}" if found.commit else ""
    return (
        f"thyrocast {found.thyrocast}{commit}.",
        "provenance.json",
        "provenance",
        "where it is available",
    )


def _flow(study: StudyResults) -> Answer:
    centers = study.flow.centers.values()
    found, analyzed = sum(c.found for c in centers), sum(c.analyzed for c in centers)
    text = (
        f"{words.plural(found, 'patient')} found, {numbers.count(analyzed)} analyzed; reasons and "
        "outcomes are in the flow of participants."
    )
    return text, "cohort/flow.json", "participants", "follow-up time"


def _characteristics(study: StudyResults) -> Answer:
    text = "Table 1, with the number of unknown values." if not study.cohort.empty else ""
    return text, "cohort/cohort.csv", "participants", "key dates, follow-up time"


def _compared(study: StudyResults) -> Answer:
    others = study.cohort["role"] != Role.DEVELOPMENT
    if not others.any():
        return "", "", "", ""
    return "Table 1 has a column for every center.", "cohort/cohort.csv", "participants", ""


def _numbers(study: StudyResults) -> Answer:
    designs = scores.evaluated(study)
    if not designs:
        return "", "", "", ""
    model = scores.main_model(study, designs[0])
    row = scores.answer(study, designs[0], model)
    if row is None or not numbers.is_number(row["n"]):
        return "", "", "", ""
    text = (
        f"{words.design(designs[0])}: {words.plural(int(row['n']), 'test patient')}, "
        f"{numbers.count(row['events'])} cured; columns n and events of every result."
    )
    return text, _RESULTS, "performance", ""


def _full_model(study: StudyResults) -> Answer:
    if not study.config.lock_model:
        return "", "", "", ""
    text = "The locked model has all weights and numbers; equations of the baselines are below the methods."
    return text, "model/manifest.json", "methods", "restrictions on access or reuse"


def _performance(study: StudyResults) -> Answer:
    designs = scores.evaluated(study)
    if not designs:
        return "", "", "", ""
    model = scores.main_model(study, designs[0])
    value = scores.auc_text(study, designs[0], model, "test")
    text = f"{words.design(designs[0])}: AUC of the {_lower(words.model(model))} model {value}."
    return text, _RESULTS, "performance", ""


def _by_center(study: StudyResults) -> Answer:
    designs = [design for design in scores.evaluated(study) if design in UNSEEN_CENTERS]
    if not designs:
        return "", "", "", ""
    model = scores.main_model(study, designs[0])
    pooled = scores.pooled(study, designs[0], model)
    if pooled is None:
        return "Results of every center are tabulated.", _RESULTS, "performance", ""
    text = (
        f"AUC of the {_lower(words.model(model))} model over {words.plural(int(pooled['k']), 'center')}: "
        f"τ² {numbers.number(pooled['tau2'], 3)} (logit scale)."
    )
    return text, "evaluation/pooled.csv", "performance", ""


def _updated(study: StudyResults) -> Answer:
    if _updates(study):
        text = "Updates that were tested at external centers are tabulated; none was applied to other results."
        return text, UPDATES.path, "performance", ""
    return "No model was updated.", _RESULTS, "performance", ""


def _limitations(study: StudyResults) -> Answer:
    text = " ".join(methods_section.limitations(study))
    return text, "report/report.html", "limitations", "their effect on the conclusions"


def _poor_input(study: StudyResults) -> Answer:
    text = (
        "An image that cannot be used excludes the patient with a reason; a missing predictor is imputed "
        "in the same way as in training."
    )
    return text, "cohort/{center}/register.csv", "methods", ""


_ANSWERS: Mapping[Item, Callable[[StudyResults], Answer]] = {
    Item.OBJECTIVES: _objectives,
    Item.SOURCES: _sources,
    Item.SETTING: _setting,
    Item.ELIGIBILITY: _eligibility,
    Item.TREATMENTS: _treatments,
    Item.PREPARATION: _preparation,
    Item.OUTCOME: _outcome,
    Item.CHOICE_OF_PREDICTORS: _choice,
    Item.PREDICTORS: _predictors,
    Item.SAMPLE_SIZE: _sample_size,
    Item.MISSING_DATA: _missing,
    Item.USE_OF_DATA: _use_of_data,
    Item.HANDLING_OF_PREDICTORS: _handling,
    Item.MODEL_BUILDING: _building,
    Item.HETEROGENEITY: _heterogeneity,
    Item.MEASURES: _measures,
    Item.UPDATING: _updating,
    Item.CALCULATION: _calculation,
    Item.IMBALANCE: _imbalance,
    Item.FAIRNESS: _fairness,
    Item.OUTPUT: _output,
    Item.DIFFERENCES: _differences,
    Item.CODE: _code,
    Item.FLOW: _flow,
    Item.CHARACTERISTICS: _characteristics,
    Item.COMPARISON_OF_DATA: _compared,
    Item.NUMBERS_ANALYZED: _numbers,
    Item.FULL_MODEL: _full_model,
    Item.PERFORMANCE: _performance,
    Item.PERFORMANCE_BY_CENTER: _by_center,
    Item.UPDATED_MODEL: _updated,
    Item.LIMITATIONS: _limitations,
    Item.POOR_INPUT: _poor_input,
}
