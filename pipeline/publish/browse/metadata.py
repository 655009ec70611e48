"""The dictionary and the recipes as Datasette's metadata."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from markupsafe import escape

from db.schema import dictionary
from pipeline.publish.browse.recipes import Recipe, recipes

NAME = "history"
"""What the database is called in addresses, whatever its file is called."""

PLUGIN = "watch287g"

SHOWN = ("state", "county", "finding", "decision", "dictionary")
"""The tables that stand beside the views; the views say what the others hold."""

WITHHELD = ("saying", "message", "notice", "affair")
"""The tables that nobody can ask for: who is told what."""

FACETS = {
    "event_log": ["kind", "status", "state", "support_model"],
    "current_agreements": ["state", "support_model", "agency_type", "county_basis"],
    "current_applications": ["state", "support_model"],
    "listing_history": ["list", "state", "support_model"],
    "agencies": ["state", "agency_type", "models_now"],
    "publication_log": ["list", "verdict", "dated_by"],
    "check_log": ["outcome", "trigger"],
    "finding": ["code"],
    "decision": ["rule", "review"],
}

NEWEST_FIRST = {
    "event_log": "sequence",
    "publication_log": "sequence",
    "check_log": "started_at",
    "sighting_log": "seen_at",
}


Values = Mapping[str, Mapping[str, str]]
"""Recipe -> parameter -> the value with which it opens."""


def metadata(link_hosts: Collection[str], values: Values, hosts: Collection[str] | None = None) -> dict[str, Any]:
    """What Datasette shows about the history, and how; `hosts` are the names it may be asked by, None is any."""
    told = {"link_hosts": list(link_hosts), "values": values, "hosts": None if hosts is None else sorted(hosts)}
    return {
        "title": "287(g) agreements",
        "description": "Which police agencies have signed up to do immigration enforcement for ICE, and which have"
        " left: ICE's lists of 287(g) agreements since the first that this history has, each with its evidence.",
        "license": "public domain (CC0 1.0)",
        "license_url": "https://creativecommons.org/publicdomain/zero/1.0/",
        "source": "ICE, Delegation of Immigration Authority Section 287(g)",
        "source_url": "https://www.ice.gov/identify-and-arrest/287g",
        "extra_css_urls": ["/watch287g/browse.css"],
        "plugins": {PLUGIN: told},
        "databases": {
            NAME: {
                "description": "Ask the views: their columns stay from version to version.",
                "tables": {name: _table(name) for name in dictionary()},
                "queries": {recipe.name: _query(recipe, values.get(recipe.name, {})) for recipe in recipes()},
            }
        },
    }


def _table(name: str) -> dict[str, Any]:
    described = dictionary()[name]
    told: dict[str, Any] = {"description": described.comment, "columns": dict(described.columns)}
    if name in FACETS:
        told["facets"] = FACETS[name]
    if name in NEWEST_FIRST:
        told["sort_desc"] = NEWEST_FIRST[name]
    if name == "agencies":
        told |= {"fts_table": "agency_search", "fts_pk": "sequence", "sort": "agency_id"}
    if name in WITHHELD:
        told |= {"allow": False}
    return told | {"hidden": name not in SHOWN and not is_view(name)}


def is_view(name: str) -> bool:
    """Whether the dictionary's entry of that name is a public view; they come first."""
    names = list(dictionary())
    return names.index(name) <= names.index("sighting_log")


def _query(recipe: Recipe, values: Mapping[str, str]) -> dict[str, Any]:
    about = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(recipe.about)))
    example = ", ".join(f"{name} = {value}" for name, value in values.items())
    link = f'<p>For example <a href="{escape(address(recipe, values))}">{escape(example)}</a>.</p>' if example else ""
    return {
        "sql": recipe.sql,
        "title": recipe.title,
        "hide_sql": True,
        "description_html": f"<p>{about}</p>{link}" if about else link,
        "params": list(recipe.parameters),
    }


def address(recipe: Recipe, values: Mapping[str, str]) -> str:
    """Where Datasette answers the recipe with these values."""
    asked = f"?{urlencode(values)}" if values else ""
    return f"/{NAME}/{recipe.name}{asked}"
