"""Names of the cohort's columns by origin."""

from thyrocast.contract import cohort, readings

CLINICAL = tuple(column.name for column in cohort.CLINICAL)
ACQUISITION = tuple(column.name for column in cohort.ACQUISITION)
QUALITY = tuple(column.name for column in cohort.QUALITY)
QUANTITIES = tuple(column.name for column in cohort.QUANTITIES)
READINGS = tuple(column.name for column in readings.READINGS)
READING_PREDICTORS = readings.READING_PREDICTORS
READING_SDS = tuple(column.name for column in readings.READING_SDS)
