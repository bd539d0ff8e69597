"""What Snakemake needs while it parses the workflow; fast imports only."""
