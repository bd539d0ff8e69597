"""Centers' tables: cells become dates, numbers and codes, with the evidence for how they were read.

Imported by the launcher: standard library only, except for the config and openpyxl in a workbook.
"""
