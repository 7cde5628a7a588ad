"""The reference is complete: every public name, every rule, every command."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

import symrnn
from symrnn.parsing import COMMANDS
from symrnn.rewrite import collected, reuse_named_value, use_relation
from symrnn.vjp import RULES

DOCS = Path(__file__).parent.parent / "docs"


def generator():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_names_is_up_to_date():
    assert (DOCS / "reference" / "names.md").read_text(encoding="utf-8") == generator().page(), "run python docs/generate.py"


def test_the_pictures_are_up_to_date():
    pictures = generator().pictures()
    assert {path.name for path in (DOCS / "images").iterdir()} == set(pictures)
    assert [name for name, svg in pictures.items() if (DOCS / "images" / name).read_text(encoding="utf-8") != svg] == [], "run python docs/generate.py"


@pytest.mark.parametrize("name", symrnn.__all__)
def test_every_public_name_has_a_section(name):
    assert f"\n## `{name}" in (DOCS / "reference" / "names.md").read_text(encoding="utf-8")


def test_every_public_name_stands_in_the_overview():
    page = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    assert [name for name in symrnn.__all__ if not re.search(rf"\b{name}\b", page)] == []


@pytest.mark.parametrize("rule", sorted({rule.name for rule in RULES.values()}))
def test_every_rule_has_a_proof(rule):
    lines = [line for line in (DOCS / "explanation" / "rules.md").read_text(encoding="utf-8").splitlines() if f"| `{rule}` |" in line]
    assert len(lines) == 1
    statement, proof = (part.strip() for part in lines[0].split("|")[2:4])
    assert statement
    assert proof


@pytest.mark.parametrize("function", [collected, reuse_named_value, use_relation])
def test_rewriting_rules_are_explained(function):
    assert f"`{function.__name__}`" in (DOCS / "explanation" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_section(command):
    assert f"symrnn {command} --help" in (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
