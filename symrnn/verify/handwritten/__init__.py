"""Gradients written by hand, held against the derivative of the forward pass that was written with them."""
