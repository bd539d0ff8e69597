"""Running a study: SLURM, diagnosis, recovery, failures and provenance; jobs import none of it."""
