"""What only the benchmarks of the developers need: steps of training, peak memory, the page of the tables."""
