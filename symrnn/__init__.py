"""symrnn: backpropagation through time, derived, proved, printed and run."""
