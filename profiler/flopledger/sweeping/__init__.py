"""Networks counted at many input sizes, on processes or a Dask cluster, and their laws."""
