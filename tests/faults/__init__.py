"""Every row of the list of faults that this program has to stand, each with its number in the test's name."""
