"""Items of TRIPOD+AI (Collins et al., BMJ 2024;385:e078378, table 2), by number; wording shortened."""

from collections.abc import Mapping
from enum import StrEnum


class Item(StrEnum):
    """Number of an item of TRIPOD+AI."""

    TITLE = "1"
    ABSTRACT = "2"
    CONTEXT = "3a"
    PURPOSE = "3b"
    INEQUALITIES = "3c"
    OBJECTIVES = "4"
    SOURCES = "5a"
    DATES = "5b"
    SETTING = "6a"
    ELIGIBILITY = "6b"
    TREATMENTS = "6c"
    PREPARATION = "7"
    OUTCOME = "8a"
    ASSESSORS = "8b"
    BLINDING = "8c"
    CHOICE_OF_PREDICTORS = "9a"
    PREDICTORS = "9b"
    PREDICTOR_ASSESSORS = "9c"
    SAMPLE_SIZE = "10"
    MISSING_DATA = "11"
    USE_OF_DATA = "12a"
    HANDLING_OF_PREDICTORS = "12b"
    MODEL_BUILDING = "12c"
    HETEROGENEITY = "12d"
    MEASURES = "12e"
    UPDATING = "12f"
    CALCULATION = "12g"
    IMBALANCE = "13"
    FAIRNESS = "14"
    OUTPUT = "15"
    DIFFERENCES = "16"
    ETHICS = "17"
    FUNDING = "18a"
    CONFLICTS = "18b"
    PROTOCOL = "18c"
    REGISTRATION = "18d"
    DATA = "18e"
    CODE = "18f"
    INVOLVEMENT = "19"
    FLOW = "20a"
    CHARACTERISTICS = "20b"
    COMPARISON_OF_DATA = "20c"
    NUMBERS_ANALYZED = "21"
    FULL_MODEL = "22"
    PERFORMANCE = "23a"
    PERFORMANCE_BY_CENTER = "23b"
    UPDATED_MODEL = "24"
    INTERPRETATION = "25"
    LIMITATIONS = "26"
    POOR_INPUT = "27a"
    USERS = "27b"
    NEXT_STEPS = "27c"


#: What each item asks for, in short.
ASKS: Mapping[Item, str] = {
    Item.TITLE: "Title: development or evaluation, target population, outcome",
    Item.ABSTRACT: "Abstract (TRIPOD+AI for Abstracts)",
    Item.CONTEXT: "Healthcare context (diagnostic or prognostic), rationale, existing models",
    Item.PURPOSE: "Target population, intended purpose in the care pathway, users",
    Item.INEQUALITIES: "Known health inequalities between sociodemographic groups",
    Item.OBJECTIVES: "Objectives: development, validation or both",
    Item.SOURCES: "Sources of data, rationale, representativeness",
    Item.DATES: "Dates of the data: start and end of accrual, end of follow-up",
    Item.SETTING: "Setting, number and location of centers",
    Item.ELIGIBILITY: "Eligibility criteria",
    Item.TREATMENTS: "Treatments received, and how they were handled",
    Item.PREPARATION: "Data preparation and quality checks, whether similar across sociodemographic groups",
    Item.OUTCOME: "Outcome, time horizon, assessment, rationale, consistency across sociodemographic groups",
    Item.ASSESSORS: "Qualifications and demographics of outcome assessors, if assessment is subjective",
    Item.BLINDING: "Blinding of the outcome’s assessment",
    Item.CHOICE_OF_PREDICTORS: "Choice of initial predictors, preselection",
    Item.PREDICTORS: "Definition of predictors, how and when measured, blinding",
    Item.PREDICTOR_ASSESSORS: "Qualifications and demographics of predictor assessors, if measurement is subjective",
    Item.SAMPLE_SIZE: "How the study size was arrived at, and why it is sufficient (development, evaluation)",
    Item.MISSING_DATA: "Handling of missing data, reasons for omitting data",
    Item.USE_OF_DATA: "How the data were used and partitioned",
    Item.HANDLING_OF_PREDICTORS: "How predictors were handled (form, scaling)",
    Item.MODEL_BUILDING: "Type of model, rationale, model building, tuning, internal validation",
    Item.HETEROGENEITY: "Heterogeneity between centers: how it was handled and quantified",
    Item.MEASURES: "Measures and plots of performance, rationale; comparison of models",
    Item.UPDATING: "Model updating arising from the evaluation",
    Item.CALCULATION: "How predictions were calculated",
    Item.IMBALANCE: "Class imbalance: why and how it was handled, recalibration afterwards",
    Item.FAIRNESS: "Approaches to fairness, rationale",
    Item.OUTPUT: "Output of the model, classification and thresholds with rationale",
    Item.DIFFERENCES: "Differences between development and evaluation data: setting, eligibility, outcome, predictors",
    Item.ETHICS: "Ethical approval and consent",
    Item.FUNDING: "Funding, role of the funders",
    Item.CONFLICTS: "Conflicts of interest and financial disclosures",
    Item.PROTOCOL: "Protocol",
    Item.REGISTRATION: "Registration",
    Item.DATA: "Availability of the study data",
    Item.CODE: "Availability of the analytical code",
    Item.INVOLVEMENT: "Patient and public involvement",
    Item.FLOW: "Flow of participants, with and without the outcome, follow-up time",
    Item.CHARACTERISTICS: "Characteristics overall and by source: dates, predictors, treatments, events, follow-up, missing data, demographic differences",
    Item.COMPARISON_OF_DATA: "Distribution of predictors and outcome compared with the development data",
    Item.NUMBERS_ANALYZED: "Participants and events in each analysis",
    Item.FULL_MODEL: "Full model for predictions in new individuals, restrictions on access or reuse",
    Item.PERFORMANCE: "Performance with confidence intervals, in key subgroups too",
    Item.PERFORMANCE_BY_CENTER: "Heterogeneity of performance between centers",
    Item.UPDATED_MODEL: "Results of model updating",
    Item.INTERPRETATION: "Overall interpretation, fairness, objectives, previous studies",
    Item.LIMITATIONS: "Limitations and their effects on bias, uncertainty and generalizability",
    Item.POOR_INPUT: "Poor or missing input when the model is used",
    Item.USERS: "Interaction and expertise required of users",
    Item.NEXT_STEPS: "Next steps for research, applicability and generalizability",
}
