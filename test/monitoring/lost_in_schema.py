"""Reads a dashboard into the types that Grafana generates from its schema, and prints what they do not know of it."""

import json
import sys

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard


def lost(given, kept, path):
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key not in kept:
                yield f"{path}/{key}"
            else:
                yield from lost(value, kept[key], f"{path}/{key}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for at, (one, other) in enumerate(zip(given, kept)):
            yield from lost(one, other, f"{path}/{at}")
    elif given != kept:
        yield path


plugins.register_default_plugins()
dashboard = json.load(sys.stdin)
known = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))
print(json.dumps(sorted(lost(dashboard, known, ""))))
