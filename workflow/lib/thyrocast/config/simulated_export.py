"""Config of a simulated center's DICOM headers and clinical table."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from thyrocast.config.base import Block, block, option


def _formats_a_number(form: str) -> str:
    try:
        form.format(number=1)
    except (ValueError, LookupError, AttributeError, TypeError):
        raise ValueError(
            f"{form!r} is not a format of an identifier, expected text with one {{number}}, such "
            "as N{number:06d}"
        ) from None
    return form


#: Format of an identifier with its number, as in `str.format`.
IdentifierForm = Annotated[str, Field(pattern=r"\{number"), AfterValidator(_formats_a_number)]
_IDENTIFIER = "text that contains {number}, such as N{number:06d}"
_PATH = {"patient": "p", "number": 1, "study": 1, "date": "20200101", "series": 1, "uid": "1.2"}


class CodingScheme(StrEnum):
    """Coding scheme of a header."""

    SCT = "SCT"
    SRT = "SRT"


class TransferSyntax(StrEnum):
    """Value representation of a file, little endian."""

    EXPLICIT = "explicit"
    IMPLICIT = "implicit"


class TextEncoding(StrEnum):
    """Encoding of a text table."""

    UTF_8 = "utf-8"
    UTF_8_SIG = "utf-8-sig"
    LATIN_1 = "latin-1"


class TableColumn(StrEnum):
    """Columns that a simulated table can have."""

    PATIENT = "patient"
    SEX = "sex"
    AGE = "age"
    GLAND_MASS = "gland_mass"
    UPTAKE_24H = "uptake_24h"
    ACTIVITY = "activity"
    TRAB = "trab"
    FT4 = "ft4"
    FT3 = "ft3"
    ANTITHYROID_DRUG = "antithyroid_drug"
    WITHDRAWAL_DAYS = "withdrawal_days"
    ORBITOPATHY = "orbitopathy"
    SMOKING = "smoking"
    THERAPY_DATE = "therapy_date"
    OUTCOME = "outcome"
    REMARK = "remark"


class TableUnit(StrEnum):
    """Units in which a simulated table can state a quantity."""

    MBQ = "MBq"
    GBQ = "GBq"
    MCI = "mCi"
    GRAM = "g"
    MILLILITER = "mL"
    PERCENT = "%"
    IU_PER_LITER = "IU/L"
    PMOL_PER_LITER = "pmol/L"
    NG_PER_DECILITER = "ng/dL"
    PG_PER_MILLILITER = "pg/mL"


#: Columns that every simulated table has.
REQUIRED_COLUMNS = (TableColumn.PATIENT, TableColumn.OUTCOME, TableColumn.THERAPY_DATE)
ColumnName = Annotated[str, Field(min_length=1)]
Code = str | int


class SeriesDescriptionsConfig(Block):
    """SeriesDescription by view.

    `all` is for a file of several views; `later`, `iodine` and `syringe` for the other images.
    """

    anterior: str = option("Anterior view.", "ANT", max_length=40)
    posterior: str = option("Posterior view.", "POST", max_length=40)
    left_anterior_oblique: str = option("Left anterior oblique view.", "LAO", max_length=40)
    right_anterior_oblique: str = option("Right anterior oblique view.", "RAO", max_length=40)
    all: str = option("A file of several views.", "THYROID", max_length=40)
    later: str = option("Prefix of the view for a follow-up scan.", "FU", max_length=20)
    iodine: str = option("Whole-body scan of the therapy's iodine.", "WB I-131", max_length=40)
    syringe: str = option("Image of the syringe.", "SYRINGE", max_length=40)


class HeaderConfig(Block):
    """What the center's DICOM headers contain."""

    identifier: IdentifierForm = option(
        "Format of the patient identifier with `{number}`, such as `N{number:06d}`.",
        expected=_IDENTIFIER,
    )
    institution: str = option("InstitutionName.", "Simulated Hospital")
    station: str = option("StationName.", "NM1", max_length=16)
    physician: str = option("ReferringPhysicianName.", "Simulated^Physician")
    study_description: str = option("StudyDescription.", "Thyroid scintigraphy", max_length=64)
    series_descriptions: SeriesDescriptionsConfig = block(SeriesDescriptionsConfig)
    coding: CodingScheme = option(
        "Codes in SNOMED CT (`SCT`) or in the older SNOMED RT (`SRT`).", CodingScheme.SCT
    )
    transfer_syntax: TransferSyntax = option(
        "Explicit or implicit value representation, little endian.", TransferSyntax.EXPLICIT
    )
    omit: tuple[str, ...] = option(
        "Keywords of attributes that are missing in the center's files, at any depth.", ()
    )
    private_group: int = option("Group of the private attributes, an odd number.", 9)
    private_creator: str = option("Creator of the private attributes; empty for none.", "")
    files: str = option(
        "Path of a file in the folder, with `{patient}`, `{number}`, `{study}`, `{date}`, "
        "`{series}` and `{uid}`.",
        "{patient}/{study}/{series:03d}.dcm",
    )

    @field_validator("private_group")
    @classmethod
    def _is_odd(cls, group: int) -> int:
        if group % 2 == 0:
            raise ValueError(
                f"{group} is even, expected an odd number, as for all private attributes"
            )
        return group

    @field_validator("files")
    @classmethod
    def _formats_a_path(cls, form: str) -> str:
        try:
            form.format(**_PATH)
        except (ValueError, LookupError, AttributeError, TypeError):
            known = ", ".join(f"{{{name}}}" for name in _PATH)
            raise ValueError(
                f"{form!r} is not a format of a path, expected text with {known}"
            ) from None
        return form


class OutcomeCodesConfig(Block):
    """Codes of the outcome, the most frequent first."""

    cured: tuple[Code, ...] = option("Codes that mean cured.", min_length=1)
    not_cured: tuple[Code, ...] = option("Codes that mean not cured.", min_length=1)


class TableConfig(Block):
    """The clinical table."""

    file: str = option(
        "Name of the file; `.xlsx` is written as a workbook, the others as text.",
        pattern=r"^[A-Za-z0-9_-]+\.(csv|tsv|txt|xlsx)$",
        expected="letters, digits, underscores and hyphens with .csv, .tsv, .txt or .xlsx",
    )
    delimiter: Literal[",", ";", "\t"] = option("Delimiter of the cells of a text file.", ",")
    encoding: TextEncoding = option("Encoding of a text file.", TextEncoding.UTF_8)
    decimal: Literal[".", ","] = option("Decimal mark of a text file.", ".")
    date_format: str = option("Format of dates in a text file (strftime).", "%Y-%m-%d")
    sheet: str = option("Name of the worksheet.", "Sheet1")
    identifier: IdentifierForm = option(
        "Format of the patient identifier with `{number}`; it may differ from the header's.",
        "{number}",
        expected=_IDENTIFIER,
    )
    columns: dict[TableColumn, ColumnName] = option(
        "Our columns and the center's, in the center's order; others are not exported. `patient`, "
        "`outcome` and `therapy_date` are required."
    )
    codes: dict[TableColumn, dict[str, str | int | float | bool]] = option(
        "For our columns with codes, `{our value: the center's code}`.", {}
    )
    units: dict[TableColumn, TableUnit] = option(
        "For our columns with units, the center's unit if it differs from ours.", {}
    )
    missing: float = option("Probability that a measurement is blank.", 0.03, ge=0, le=1)
    outcome: OutcomeCodesConfig = option("Codes of the outcome, the most frequent first.")

    @field_validator("columns")
    @classmethod
    def _has_what_a_study_needs(cls, columns: dict[TableColumn, str]) -> dict[TableColumn, str]:
        missing = [f"{name.value!r}" for name in REQUIRED_COLUMNS if name not in columns]
        if missing:
            raise ValueError(f"missing {', '.join(missing)}, which has no default: add it")
        return columns
