"""Where a map is in the plane of the camera, so that it can be laid over the native frame."""

import pandas as pd


def placed(cohort: pd.DataFrame, size: int, cells: int) -> pd.DataFrame:
    """Return the place of each patient's map.

    A standardized image is the square around the centroid of the gland, with the head up; it is moved and scaled, never
    turned (`thyrocast.image.framing`).

    Parameters
    ----------
    cohort : DataFrame
        n rows of `COHORT`.
    size
        Pixels per side of a standardized image.
    cells
        Cells per side of a map, which covers the whole image.

    Returns
    -------
    DataFrame
        Columns `map_left_mm`, `map_top_mm` and `cell_mm` of `contract.splits.GRADCAM`; missing for pinholes.
    """
    side = cohort["image_pixel_mm"].astype(float) * size
    return pd.DataFrame(
        {
            "map_left_mm": cohort["centroid_x_mm"].astype(float) - side / 2,
            "map_top_mm": cohort["centroid_y_mm"].astype(float) - side / 2,
            "cell_mm": side / cells,
        }
    )
