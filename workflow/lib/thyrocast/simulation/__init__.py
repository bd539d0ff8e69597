"""Simulated centers: patients with a known risk, imaged by a model of a gamma camera.

`physiology` draws the patients and their outcomes, `anatomy` gives them a neck, `camera` counts
photons, `people` and `scanning` put patients and their scans together, `objects` writes DICOM,
`export` writes the clinical table, `center` writes one hospital's export, `truth` computes what a
perfect model could reach. No rule of a study reads the truth.

`bodies`, `scene` and `phantoms` draw endless images with their truth for the training of networks, over
wider ranges than any patient or camera, without DICOM.
"""
