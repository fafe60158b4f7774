"""Measurements of speed, as commands: `python -m properties.benchmarks NAME`. They are never part of a test."""
