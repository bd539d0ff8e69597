"""What Snakemake needs when it parses the workflow; only imports that are fast."""
