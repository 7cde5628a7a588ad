"""Derivations, and derivations with an error planted in one line."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.derivation import hessian_vector_network
from symrnn.networks import network


@cache
def derived(name="rnn", **options):
    return derive(network(cell(name), **options))


@cache
def second_order(name="rnn", **options):
    return derive(hessian_vector_network(derived(name, **options)))


def with_lines(derivation, name, change):
    """Return the derivation with the lines of one adjoint replaced by ``change(lines)``."""
    chosen = derivation.adjoint(name)
    changed = replace(chosen, lines=tuple(change(list(chosen.lines))))
    return replace(derivation, adjoints=tuple(changed if a is chosen else a for a in derivation.adjoints))


def with_formula(derivation, name, number, change):
    """Return the derivation with the right side of one line replaced by ``change(rhs)``."""

    def changed(lines):
        line = lines[number]
        lines[number] = replace(line, rhs=change(line.rhs))
        assert lines[number].rhs != line.rhs
        return lines

    return with_lines(derivation, name, changed)


def without(derivation, name):
    chosen = derivation.adjoint(name)
    return replace(derivation, adjoints=tuple(a for a in derivation.adjoints if a is not chosen))
