"""The agreements -> GeoJSON (RFC 7946): a point an agreement, in the middle of its county.

Where no one county is known, as for agencies of a state, it is the middle of the state, and the property `location`
says so; where not even the state is known, there is no point. Many agreements share a point.
"""

import json
from collections.abc import Sequence

from pipeline.publish.exports.reading import Row
from pipeline.publish.exports.tables import AGREEMENTS

PROPERTIES = (
    *("agreement_id", "agency_id", "agency", "agency_type", "state", "state_name", "state_fips", "county_name"),
    *("county_fips", "support_model", "signed_on", "first_listed_on", "last_published_on", "moa_url", "location"),
)


def render(rows: Sequence[Row]) -> bytes:
    """The rows of `AGREEMENTS` -> a FeatureCollection, a feature a line; ASCII only, the same for the same rows."""
    names = [column.name for column in AGREEMENTS.columns]
    features = [_feature(dict(zip(names, row, strict=True))) for row in rows]
    inside = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    return f'{{"type":"FeatureCollection","features":[\n{inside}\n]}}\n'.encode("ascii")


def _feature(values: dict[str, object]) -> dict[str, object]:
    place = [values["longitude"], values["latitude"]]
    return {
        "type": "Feature",
        "id": values["agreement_id"],
        "geometry": None if None in place else {"type": "Point", "coordinates": place},
        "properties": {name: values[name] for name in PROPERTIES},
    }
