"""One file a rival; each has `train(workload, epochs) -> Outcome`, or several such functions."""
