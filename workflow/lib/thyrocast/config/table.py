"""Names in the config of a center's table: encodings, layouts, orders of dates, quantities."""

from enum import StrEnum


class Encoding(StrEnum):
    """Encodings of a text table that is not Unicode."""

    CP1250 = "cp1250"
    CP1251 = "cp1251"
    CP1252 = "cp1252"
    CP1253 = "cp1253"
    CP1254 = "cp1254"
    CP1257 = "cp1257"
    CP932 = "cp932"
    CP949 = "cp949"
    GBK = "gbk"
    BIG5 = "big5"


class DateOrder(StrEnum):
    """Order of day, month and year."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


class Layout(StrEnum):
    """Whether a table has one row per patient or one per visit."""

    WIDE = "wide"
    LONG = "long"


class HiddenRows(StrEnum):
    """What happens with hidden rows of a worksheet."""

    READ = "read"
    SKIP = "skip"


class Quantity(StrEnum):
    """Quantities of a clinical table that have a unit."""

    AGE = "age"
    GLAND_MASS = "gland_mass"
    UPTAKE_24H = "uptake_24h"
    ACTIVITY = "activity"
    TRAB = "trab"
    FT4 = "ft4"
    FT3 = "ft3"
    WITHDRAWAL_DAYS = "withdrawal_days"
    TSH = "tsh"
