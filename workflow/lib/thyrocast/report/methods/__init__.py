"""The generated methods section, with equations and references, and the checklist."""
