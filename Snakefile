# thyrocast: will the first radioiodine therapy of Graves' disease succeed?
# The workflow is in workflow/Snakefile; this file lets `snakemake` find it in a clone.


include: "workflow/Snakefile"
