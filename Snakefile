# thyrocast: will the first radioiodine therapy of Graves' disease succeed?
# The workflow is in workflow/Snakefile; this file lets `snakemake` find it in a clone.


include: "workflow/Snakefile"


# An included file cannot set the default target (Snakemake 9.27 restores the including file's).
workflow.default_target = "all"
