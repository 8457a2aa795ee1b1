"""The report: one page, its chapters, tables and pictures."""
