"""The check of a SLURM cluster before the first run: problems are reported before they cost time.

::

    make doctor                                    # the study of config/config.yaml
    python workflow/scripts/doctor.py --profile slurm [--configfile ...]

Plans the study (a dry run) and asks the scheduler whether each kind of job could run, in its first
and in its last attempt (``sbatch --test-only``). One short real job per partition checks a node.
Changes nothing. Exits with status 1 if something must be corrected first.
"""
