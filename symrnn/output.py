"""Files are written whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from symrnn.errors import OutputError


def write_whole(path: str | Path, text: str | bytes, *, force: bool = False) -> None:
    """Write UTF-8 text or bytes to a file, by way of a temporary file beside it that takes its place when it is complete.

    Args:
        path: Where to write; a link is followed, and a device or a pipe is written to as it is.
        text: The content.
        force: Whether a file that exists may be replaced.

    Raises:
        OutputError: The file exists and ``force`` is false, or the path cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(as_bytes(text))
            return
        if target.exists() and not target.is_dir() and not force:
            raise OutputError(f"{path} exists; use --force to replace it, or choose another name")
        replace_whole(target, text)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None


def check_writable(path: str | Path, *, force: bool = False) -> None:
    """Check that a file can be written, before the work that it is for.

    Args:
        path: Where to write.
        force: Whether a file that exists may be replaced.

    Raises:
        OutputError: No such folder, a folder in place of a file, or the file exists and ``force`` is false.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise OutputError(f"cannot write {path}: no such folder: {target.parent}; make it first")
    if target.is_dir():
        raise OutputError(f"cannot write {path}: it is a directory; add the name of a file")
    if target.is_file() and not force:
        raise OutputError(f"{path} exists; use --force to replace it, or choose another name")


def as_bytes(text: str | bytes) -> bytes:
    """Encode text."""
    return text.encode() if isinstance(text, str) else text


def replace_whole(target: Path, text: str | bytes) -> None:
    """Put a complete file in the place of ``target``, with the permissions of the one that was there."""
    if target.is_dir():
        raise OutputError(f"cannot write {target}: it is a directory; add the name of a file")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"cannot write {target}: permission denied")
    draft = target.with_name(f".symrnn-{os.getpid()}.tmp")
    try:
        with draft.open("xb") as stream:
            stream.write(as_bytes(text))
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
