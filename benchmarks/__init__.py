"""Measurements against what people use today; each is ``python -m benchmarks.NAME`` from the top of the repository."""
