# thyrocast: will the first radioiodine therapy of Graves' disease succeed?
# The workflow is in workflow/Snakefile; this file lets `snakemake` find it in a clone.


include: "workflow/Snakefile"


# Snakemake (9.27) takes no default target from an included file.
workflow.default_target = "all"
