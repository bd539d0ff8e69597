"""Running a study: SLURM, the check before a run, recovery, failures and provenance.

Used at run time by Snakemake's handlers and by commands; the only job that imports it writes the
provenance.
"""
