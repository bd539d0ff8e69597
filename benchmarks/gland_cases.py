"""Patients, cameras and cases of the benchmark of the gland finder; the training reads none of them."""

from dataclasses import dataclass

#: (pixel in mm, rows, columns) of cameras; the last one is a large rectangular field.
CAMERAS = (
    (1.95, 128, 128), (2.21, 128, 128), (2.40, 128, 128), (3.20, 64, 64), (3.90, 64, 64),
    (1.10, 256, 256), (1.65, 256, 256), (4.42, 128, 96), (2.95, 128, 128), (4.80, 112, 80),
)  # fmt: skip
SET = {
    "length_to_width": (1.7, 2.7),
    "depth_to_width": (0.8, 1.25),
    "upper_to_lower": (0.55, 0.95),
    "bend_mm": (-4.0, 5.0),
    "gap_mm": (0.0, 8.0),
    "lobe_angle_deg": (0.0, 18.0),
    "right_share": (0.42, 0.62),
    "uptake_median": 0.07, "uptake_spread": 0.7, "uptake_range": (0.02, 0.40),
    "depth_of_front_mm": (8.0, 20.0),
    "blood_liters": (12.0, 22.0),
    "neck_half_width_mm": (52.0, 72.0),
    "shoulders_mm": (62.0, 95.0), "chin_mm": (52.0, 80.0),
    "salivary_dose": (0.0015, 0.008),
    "fwhm_mm": (8.0, 13.0),
    "tail_share": (0.03, 0.10), "tail_mm": (10.0, 16.0),
    "scatter": (0.15, 0.35), "scatter_mm": (16.0, 30.0),
    "image_counts": (60_000, 900_000),
    "place_sd_mm": (13.0, 14.0),
}  # fmt: skip


@dataclass
class Case:
    """What differs from an ordinary patient."""

    name: str
    n: int
    mass: tuple[float, float] = (12.0, 70.0)
    uptake: tuple[float, float] | None = None
    fwhm: tuple[float, float] | None = None
    counts: tuple[float, float] | None = None
    special: str = ""
    thyroid: bool = True


CASES = (
    Case("5 g", 50, (5, 5)),
    Case("10 g", 50, (10, 10)),
    Case("20 g", 50, (20, 20)),
    Case("40 g", 50, (40, 40)),
    Case("80 g", 50, (80, 80)),
    Case("150 g", 50, (150, 150)),
    Case("uneven uptake", 60, (20, 160), special="uneven"),
    Case("150 g uneven at 3 %", 20, (150, 150), (0.03, 0.03), special="uneven"),
    Case("retrosternal", 50, (50, 150), special="retrosternal"),
    Case("suppressed lobe", 40, special="suppressed"),
    Case("hemiagenesis", 50, (8, 40), special="hemiagenesis"),
    Case("lingual", 40, (4, 14), (0.01, 0.10), special="lingual"),
    Case("uptake .2-.5 %", 30, (12, 30), (0.002, 0.005)),
    Case("uptake .5-.8 %", 60, (12, 30), (0.005, 0.008), counts=(20_000, 900_000)),
    Case("uptake 40-60 %", 30, (25, 100), (0.40, 0.60), counts=(20_000, 900_000)),
    Case("18 mm", 40, fwhm=(18, 18)),
    Case("chest contamination", 40, special="chest"),
    Case("stomach, low uptake", 40, uptake=(0.006, 0.015), special="stomach"),
    Case("spot beside a lobe", 40, special="spot"),
    Case("salivary glands", 30, uptake=(0.01, 0.03), special="salivary"),
    Case("pinhole", 25, special="pinhole"),
    Case("clipped", 25, special="clipped"),
    Case("syringe", 25, special="syringe", thyroid=False),
    Case("flood", 20, special="flood", thyroid=False),
    Case("other organs", 35, special="organs", thyroid=False),
    Case("no thyroid", 20, special="absent", thyroid=False),
)
