"""Sweeps: networks counted at many input sizes, on processes or on a Dask cluster."""
