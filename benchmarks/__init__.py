"""Benchmarks that a developer runs by hand; what they found: docs/reference/benchmarks.md."""
