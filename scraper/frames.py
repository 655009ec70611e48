"""Fetched values on their way from the crawl's process: a line of JSON, then the body it announces.

A body does not fit into JSON, and a frame must be recognised as incomplete when the process is killed while writing it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import IO, Any

from scraper.fetched import Fetched, Link, Result, Target, Totals


def write_frame(stream: IO[bytes], fetched: Fetched) -> None:
    """Append one value and flush, so that it survives whatever happens to the writer next."""
    head = asdict(replace(fetched, body=b"")) | {
        "body": len(fetched.body),
        "fetched_at": fetched.fetched_at.isoformat(),
    }
    stream.write(json.dumps(head).encode() + b"\n" + fetched.body)
    stream.flush()


def read_frames(stream: IO[bytes]) -> Iterator[Fetched]:
    """The values in the order they were written, up to the first that is incomplete."""
    while line := stream.readline():
        if not line.endswith(b"\n"):
            return
        head = json.loads(line)
        body = stream.read(head["body"])
        if len(body) < head["body"]:
            return
        yield _fetched(head, body)


def link_from(values: dict[str, Any]) -> Link:
    """A Link from its fields as JSON has them."""
    return Link(**values)


def _fetched(head: dict[str, Any], body: bytes) -> Fetched:
    return Fetched(
        **head
        | {
            "target": Target(head["target"]),
            "result": Result(head["result"]),
            "fetched_at": datetime.fromisoformat(head["fetched_at"]),
            "body": body,
            "link": link_from(head["link"]) if head["link"] else None,
            "links": tuple(link_from(link) for link in head["links"]),
            "totals": Totals(**head["totals"]) if head["totals"] else None,
        }
    )
