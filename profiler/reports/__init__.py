"""Reports: one format a file, each render(result) -> str."""
