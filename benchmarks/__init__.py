"""Other ways to train the same networks, side by side: `python -m benchmarks` runs all and writes the tables."""
