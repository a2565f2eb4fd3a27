"""Sweeps: an experiment, a grid of values and seeds, every cell trained in a process of its own, none of them twice."""
