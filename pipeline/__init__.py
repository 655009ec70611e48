"""What it means: workbooks to rows, rows to agreements, agreements to events, events to reports."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("watch287g")
except PackageNotFoundError:  # run from a folder without installing
    __version__ = "0"
