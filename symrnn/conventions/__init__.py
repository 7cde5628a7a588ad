"""Conventions by name: how functions and arrays of well-known code are called, and how the arrays lie."""

from symrnn.conventions.reading import Convention, Form, cells, convention, forms_of, names

__all__ = ["Convention", "Form", "cells", "convention", "forms_of", "names"]
