"""Columns with what the network that was pretrained on simulated scintigrams reads from an image.

No outcome took part in its training. What needs lengths is missing for a pinhole, whose image has no mm.
"""

from thyrocast.contract.table import number

#: What it reads.
READINGS = (
    number("p_mass", "Mass of the gland, as the pretrained network reads it.", "g", missing=True),
    number("p_mass_right", "The same of the right lobe.", "g", missing=True),
    number("p_mass_left", "The same of the left lobe.", "g", missing=True),
    number("p_uptake", "Technetium uptake, read from the contrast of gland and body.", "percent", missing=True),
    number("p_heterogeneity", "Coefficient of variation of the concentration in the gland.", missing=True),
    number("p_asymmetry", "(right - left) / (right + left) uptake of the lobes.", missing=True),
    number("p_contrast", "Concentration in the gland over that in the body.", missing=True),
    number("p_hot", "Probability of a hot nodule.", missing=True),
    number("p_cold", "Probability of a cold nodule.", missing=True),
)  # fmt: skip
#: Predictors of the model `simulated`: few, since each coefficient must be learned from patients.
READING_PREDICTORS = ("p_mass", "p_uptake", "p_heterogeneity", "p_contrast")
#: How certain it is.
READING_SDS = (
    number("p_mass_sd", "Standard deviation of `p_mass`.", "g", missing=True),
    number("p_uptake_sd", "Standard deviation of `p_uptake`.", "percent", missing=True),
    number("p_heterogeneity_sd", "Standard deviation of `p_heterogeneity`.", missing=True),
)
