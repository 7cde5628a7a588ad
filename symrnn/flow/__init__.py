"""The flow of information and of gradients through a network, in numbers: products of Jacobians, with their norms."""
