"""Benchmarks that a developer runs by hand: accuracy, speed and growth. See docs/benchmarks.md."""
