"""Documents as files: a page, slides, Markdown, LaTeX, PDF, Word, a notebook and PowerPoint."""

from __future__ import annotations

from symrnn.lecture.formats.files import FORMATS, Format, format_of, write

__all__ = ["FORMATS", "Format", "format_of", "write"]
