"""What the launcher knows before, during and after a run; standard library only, and YAML."""
