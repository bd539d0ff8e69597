"""Columns of cohort.csv by origin."""

# The columns of cohort.csv, by where they come from.
CLINICAL = (
    "sex",
    "age",
    "gland_mass",
    "uptake_24h",
    "activity",
    "trab",
    "ft4",
    "ft3",
    "antithyroid_drug",
    "withdrawal_days",
    "orbitopathy",
    "smoking",
)
ACQUISITION = (
    "vendor",
    "camera",
    "collimator",
    "matrix",
    "pixel_mm",
    "duration_s",
    "tc_activity_mbq",
    "delay_min",
    "view_by",
    "saturation",
    "centroid_x_mm",
    "centroid_y_mm",
    "simulated",
)
QUANTITIES = (
    "q_counts",
    "q_rate",
    "q_uptake",
    "q_area_right",
    "q_area_left",
    "q_mass",
    "q_asymmetry",
    "q_heterogeneity",
    "q_to_background",
    "q_to_salivary",
    "q_snr",
)
