"""Simulated centers: patients with a known risk, imaged by a model of a gamma camera.

`physiology` draws the patients and their outcomes, `anatomy` gives them a neck, `camera` counts
photons, `objects` writes DICOM, `export` writes the clinical table, `center` puts one hospital's
export together, `truth` sums up what a perfect model could reach. Nothing of the study reads it.
"""
