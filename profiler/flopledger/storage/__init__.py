"""What is read from and written to disk: files, journals, caches, tables of facts."""
