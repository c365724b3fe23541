"""What `edgequake-obs run` puts first on a program's `PYTHONPATH`: this folder, for the `sitecustomize` in it."""
