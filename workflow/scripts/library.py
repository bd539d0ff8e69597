"""Make the package importable for an entry script, in any environment.

Snakemake clears PYTHONPATH for jobs with a conda environment, but adds the folder of the script to
the module search path; every entry script therefore imports this module first.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
