"""The sections of a lecture: each a function of its subject that returns blocks."""
