"""The archive of real workbooks, which lies beside the repository and is not copied into it.

Tests that need it skip where it is missing, and say so.
"""

from pathlib import Path

import pytest

ARCHIVE = Path(__file__).parents[2] / "shared" / "archive"

needs_archive = pytest.mark.skipif(
    not ARCHIVE.is_dir(), reason="needs the archive of real workbooks, ../shared/archive"
)


def archived_workbooks(part: int = 0, parts: int = 1) -> list[Path]:
    """The distinct real workbooks, by content; or every `parts`-th of them, so that tests can share them out."""
    return sorted((ARCHIVE / "workbooks").glob("*.xlsx"))[part::parts]
