"""Judges: each verifies a derivation in its own way and says what it compared and where it is blind."""
