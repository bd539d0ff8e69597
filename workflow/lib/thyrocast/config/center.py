"""Config of a center: what its files, columns, codes and units mean."""

from enum import StrEnum
from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, field_validator, model_validator

from thyrocast.config.base import Block, Fault, FaultsError, FilePath, block, folded_once, option
from thyrocast.config.eligibility import EligibilityConfig
from thyrocast.config.outcome import OutcomeConfig
from thyrocast.config.table import DateOrder, Encoding, HiddenRows, Layout, Quantity
from thyrocast.config.views import ViewsConfig
from thyrocast.contract.names import ALL_SPLITS, AntithyroidDrug, Role, Sex, Smoking, YesNo
from thyrocast.contract.text import fold

Ours = TypeVar("Ours", Sex, AntithyroidDrug, YesNo, Smoking)
#: Maps a center's codes of a column to ours; null means "not known".
Codes = Annotated[dict[str, Ours | None], AfterValidator(folded_once(fold))]


class PersonFact(StrEnum):
    """What shows that the images of one identifier are those of one person."""

    BIRTH_DATE = "birth_date"
    SEX = "sex"
    NAME = "name"
    ISSUER = "issuer"
    STUDY = "study"


class ViewFallback(StrEnum):
    """View that is assumed for a static frame if the header does not state one."""

    ANTERIOR = "anterior"
    NONE = "none"


class RadionuclideFallback(StrEnum):
    """Radionuclide that is assumed for a scan if the header does not name one."""

    TC99M = "tc99m"
    NONE = "none"


class ColumnsConfig(Block):
    """Names of the columns in the center's table, by our names.

    `patient` is the identifier that is also in the DICOM headers. Omit columns that the center
    does not have.
    """

    patient: str = option("Patient identifier, as in the DICOM PatientID.")
    visit: str | None = option(
        "With `layout: long`, the visit of a row (`redcap_event_name`).", None
    )
    outcome: str | None = option("Outcome, for the outcome rule `given`.", None)
    therapy_date: str | None = option("Date of the first iodine-131 therapy.", None)
    birth_date: str | None = option(
        "Birth date, from which the age is computed if there is no age column.", None
    )
    sex: str | None = option("Sex; our codes are `female`, `male`, `other`.", None)
    age: str | None = option("Age at therapy.", None, unit="years")
    gland_mass: str | None = option(
        "Mass of the thyroid (ultrasound or palpation).", None, unit="g"
    )
    uptake_24h: str | None = option("Iodine uptake 24 h after a tracer dose.", None, unit="percent")
    activity: str | None = option("Administered iodine-131 activity.", None, unit="MBq")
    trab: str | None = option("TSH-receptor antibodies.", None, unit="IU/L")
    ft4: str | None = option("Free thyroxine.", None, unit="pmol/L")
    ft3: str | None = option("Free triiodothyronine.", None, unit="pmol/L")
    antithyroid_drug: str | None = option(
        "Antithyroid drug before therapy; our codes are `none`, `methimazole`, `carbimazole`, "
        "`propylthiouracil`, `other`.",
        None,
    )
    withdrawal_days: str | None = option("Days from the last drug to therapy.", None, unit="days")
    tc_activity: str | None = option(
        "Injected technetium-99m activity of the scintigram; used before that of the DICOM header.",
        None,
        unit="MBq",
    )
    injection_time: str | None = option(
        "Time of day of this injection (`10:30`, also after a date); used before that of the header.",
        None,
    )
    orbitopathy: str | None = option("Orbitopathy; our codes are `yes` and `no`.", None)
    smoking: str | None = option("Smoking; our codes are `never`, `former`, `current`.", None)


class CodesConfig(Block):
    """For each of our columns with codes, the center's codes and what they mean.

    Example: `{sex: {w: female, m: male}}`. Case does not matter; our own codes, and `yes`/`no` as
    1/0 and true/false, are understood without being listed; null means "not known". Codes that
    YAML reads as something else (`yes`, `no`, `on`, `off`) need quotes.
    """

    sex: Codes[Sex] = option("The center's codes for sex, and ours.", {})
    antithyroid_drug: Codes[AntithyroidDrug] = option(
        "The center's codes for antithyroid drugs, and ours.", {}
    )
    orbitopathy: Codes[YesNo] = option("The center's codes for orbitopathy, and ours.", {})
    smoking: Codes[Smoking] = option("The center's codes for smoking, and ours.", {})
    levothyroxine: Codes[YesNo] = option(
        "The center's codes for levothyroxine at a visit, and ours (`yes`, `no`).", {}
    )


class UnitsConfig(Block):
    """Units of the center's columns that differ from ours.

    Examples: `ft4: ng/dL`, `activity: mCi`, `age: months`. Molar and mass
    concentrations of thyroid hormones are converted by the molar mass.
    """

    age: str = option("Unit of the age.", "years")
    gland_mass: str = option("Unit of the gland's mass (mL is converted at 1 g/mL).", "g")
    uptake_24h: str = option("Unit of the uptake (`fraction` for 0-1).", "percent")
    activity: str = option("Unit of the activity.", "MBq")
    tc_activity: str = option("Unit of the injected technetium-99m activity.", "MBq")
    trab: str = option("Unit of the antibodies.", "IU/L")
    ft4: str = option("Unit of free thyroxine.", "pmol/L")
    ft3: str = option("Unit of free triiodothyronine.", "pmol/L")
    withdrawal_days: str = option("Unit of the time from the last drug to therapy.", "days")
    tsh: str = option("Unit of TSH at visits.", "mIU/L")


class IdentifiersConfig(Block):
    """How identifiers of the table and of the DICOM headers are normalized.

    Normalized identifiers match only if they are equal; similar identifiers do not match.
    """

    strip_prefix: str = option("Prefix that is removed.", "")
    zero_pad: int = option(
        "Length to which numeric identifiers are padded with leading zeros; 0 for no padding.",
        0,
        unit="digits",
        ge=0,
        le=64,
    )
    strip_zeros: bool = option("Whether leading zeros of numeric identifiers are removed.", False)
    compare: tuple[PersonFact, ...] = option(
        "What must not contradict itself among the images of one identifier, nor the table "
        "(`birth_date`, which includes the age in the header, `sex`, `name`); a patient for whom it does is excluded. "
        "`issuer` is that of the identifier; `study` means that no other patient has images of the same study or with "
        "the same SOPInstanceUID. Missing values contradict nothing. Omit what the headers do not contain truly, "
        "for example because they are de-identified.",
        tuple(PersonFact),
    )


class FallbacksConfig(Block):
    """Values that are used if they are missing in a header.

    No other values are assumed. The log counts scans whose pixel size, duration, injected activity,
    sensitivity, radionuclide or view come from here.
    """

    pixel_mm: float | None = option(
        "Pixel size if the header has none (neither PixelSpacing nor a field of view), or an "
        "implausible one, and of a secondary capture, PNG or TIFF. It is valid for one matrix: if "
        "such files have several, they are excluded unless `pixel_mm_by_matrix` has the others.",
        None,
        unit="mm",
        gt=0,
        le=20,
    )
    pixel_mm_by_matrix: dict[Annotated[int, Field(ge=16)], Annotated[float, Field(gt=0, le=20)]] = (
        option(
            "Pixel sizes as for `pixel_mm`, by the number of columns of the matrix: "
            "`{64: 8.8, 128: 4.4}`.",
            {},
            unit="mm",
        )
    )
    duration_s: float | None = option(
        "Frame duration if ActualFrameDuration is empty.", None, unit="s", gt=0
    )
    tc_activity_mbq: float | None = option(
        "Injected pertechnetate activity if RadionuclideTotalDose is empty or zero.",
        None,
        unit="MBq",
        gt=0,
    )
    sensitivity: float | None = option(
        "Sensitivity of the camera with its collimator; gives the technetium uptake if there is "
        "an injected activity but no image of the syringe.",
        None,
        unit="counts/s per MBq",
        gt=0,
    )
    view: ViewFallback = option(
        "`anterior` takes a static frame as anterior if code, orientation and description do not "
        "name a view, nor several; `none` excludes it.",
        ViewFallback.NONE,
    )
    radionuclide: RadionuclideFallback = option(
        "`tc99m` takes a scan as pertechnetate if neither radionuclide, half-life nor energy "
        "window identifies it; `none` excludes it.",
        RadionuclideFallback.TC99M,
    )


class AcceptConfig(Block):
    """Kinds of files, and values, that are not accepted unless they are listed here."""

    lossy: bool = option("Images that were compressed with loss.", False)
    secondary_capture: bool = option(
        "Gray-scale secondary captures of an anterior scintigram; need `fallbacks.pixel_mm`.",
        False,
    )
    exports: bool = option(
        "Gray-scale PNG and TIFF files whose name (up to the first `__`, or without its suffix) "
        "is the patient's identifier; need `fallbacks.pixel_mm`.",
        False,
    )
    pinhole: bool = option(
        "Images of a pinhole collimator. Their pixel size depends on the distance of the gland, so "
        "they are scaled by the size of the gland, and have neither areas nor mass.",
        False,
    )
    unusual_values: tuple[Quantity, ...] = option(
        "Quantities of the table whose values are unusual for their unit, but right (`ft4`). "
        "Without it the run stops and asks for `units` if another unit fits better.",
        (),
    )


class CenterConfig(Block):
    """One contributing hospital.

    Where its DICOM export and its clinical table are, the names of its columns, codes and units,
    and how its outcome is decided.
    """

    name: str = option(
        "Short name, unique in the study; part of pseudonyms, tables and the report.",
        pattern="^[a-z0-9][a-z0-9_]{0,31}$",
        expected="1 to 32 lower-case letters, digits and underscores, a letter or digit first",
    )
    role: Role = option(
        "`development` (models are trained on it), `external` (only predicted and scored) or "
        "`prospective` (no outcomes yet, only predicted)."
    )
    dicom: FilePath = option(
        "Folder with the center's export; every file in it is read, with any name.",
        min_length=1,
    )
    clinical: FilePath = option(
        "The center's clinical table (CSV, TSV or XLSX), one row per patient, or per visit with "
        "`layout: long`.",
        min_length=1,
    )
    sheet: str | None = option(
        "Worksheet of the clinical table; by default the visible one that has the columns of the config, or the first one "
        "if none has them. If several have them, the run stops.",
        None,
    )
    layout: Layout = option(
        "`wide` (one row per patient) or `long` (one row per visit, as REDCap exports it; "
        "`columns.visit` names the column of the visit).",
        Layout.WIDE,
    )
    baseline_visit: str | None = option(
        "With `layout: long`, the cell of `columns.visit` in the rows with the values before therapy.",
        None,
    )
    hidden_rows: HiddenRows | None = option(
        "What happens with hidden rows of the worksheet, such as those that a filter hides: they are "
        "read like the others (`read`) or left out (`skip`). Without this key, hidden rows stop the "
        "run.",
        None,
    )
    encoding: Encoding | None = option(
        "Encoding of a text table that is not Unicode, as some versions of Excel save CSV: "
        "`cp1254` (Turkish), `cp1250` (Central European), `cp1251` (Cyrillic), `cp932` "
        "(Japanese), `gbk` (Chinese); `cp1252` by default. UTF-8 and UTF-16 are recognized.",
        None,
    )
    columns: ColumnsConfig = option(" ".join((ColumnsConfig.__doc__ or "").split()))
    codes: CodesConfig = block(CodesConfig)
    units: UnitsConfig = block(UnitsConfig)
    missing: tuple[str, ...] = option(
        'Texts of cells that mean "not known", in addition to empty cells (`k.A.`, `"999"`).', ()
    )
    date_order: DateOrder | None = option(
        "Order of day, month and year in dates of the table that are not ISO (`2024-05-31` is "
        "always understood). By default the dates of a column show it; the run stops if they do "
        "not, or if they contradict this key.",
        None,
    )
    eligibility: EligibilityConfig | None = option(
        " ".join((EligibilityConfig.__doc__ or "").split()), None
    )
    outcome: OutcomeConfig | None = option(" ".join((OutcomeConfig.__doc__ or "").split()), None)
    identifiers: IdentifiersConfig = block(IdentifiersConfig)
    views: ViewsConfig = block(ViewsConfig)
    fallbacks: FallbacksConfig = block(FallbacksConfig)
    accept: AcceptConfig = block(AcceptConfig)

    @field_validator("name")
    @classmethod
    def _is_no_reserved_name(cls, name: str) -> str:
        if name == ALL_SPLITS:
            raise ValueError("`all` means all splits together, expected another name")
        return name

    @model_validator(mode="after")
    def _outcome_can_be_decided(self) -> Self:
        if self.role is Role.PROSPECTIVE:
            return self
        if self.outcome is None:
            text = "missing, expected an outcome rule: add it, or make the center prospective"
            raise FaultsError([(("outcome",), text)])
        faults = self.outcome.faults(self.columns.outcome, self.columns.therapy_date)
        if faults:
            raise FaultsError(faults)
        return self

    @model_validator(mode="after")
    def _visits_fit_the_layout(self) -> Self:
        faults: list[Fault] = []
        visits = self.outcome.visits if self.outcome else ()
        named = self.baseline_visit is not None or any(visit.visit for visit in visits)
        if self.layout is Layout.WIDE and (named or self.columns.visit):
            text = "is wide (one row per patient), but a visit of the rows is named: set it to long"
            faults.append((("layout",), text))
        elif named and self.columns.visit is None:
            text = "missing, expected the column of the visit"
            faults.append((("columns", "visit"), text))
        if faults:
            raise FaultsError(faults)
        return self

    @model_validator(mode="after")
    def _eligibility_can_be_judged(self) -> Self:
        if self.eligibility is None:
            return self
        faults, columns = self.eligibility.faults(), self.columns
        dated = columns.birth_date is not None and columns.therapy_date is not None
        if self.eligibility.age is not None and columns.age is None and not dated:
            text = "missing, expected the age (or `birth_date` and `therapy_date`), for eligibility.age"
            faults.append((("columns", "age"), text))
        if faults:
            raise FaultsError(faults)
        return self

    def picture_faults(self) -> list[Fault]:
        """Return the keys that accept pictures although the config has no pixel size for them."""
        if self.fallbacks.pixel_mm or self.fallbacks.pixel_mm_by_matrix:
            return []
        text = "is true, expected with fallbacks.pixel_mm: such a picture states no pixel size"
        keys = ("secondary_capture", "exports")
        return [(("accept", key), text) for key in keys if getattr(self.accept, key)]

    def named_columns(self) -> dict[str, str]:
        """Return the names of the columns that the config requires, by their config keys."""
        columns = sorted(self.columns.plain().items())
        named = {f"columns.{ours}": theirs for ours, theirs in columns if theirs is not None}
        if self.eligibility is not None:
            named |= self.eligibility.named_columns()
        if self.outcome is None:
            return named
        return named | self.outcome.named_columns()
