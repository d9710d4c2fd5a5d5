"""Reads events of OpenLineage, one per line, into the classes of the official client, which are generated from the published
schemas: every property must be one of its class and of its type, every required one must be there, and what the client writes
again must be the same. Prints the number of events and of facets."""

import enum
import importlib
import json
import pkgutil
import sys
import types
import typing

import attr
from openlineage.client import event_v2, generated
from openlineage.client.serde import Serde

FACETS = {}
for module in pkgutil.iter_modules(generated.__path__):
    loaded = importlib.import_module(f"openlineage.client.generated.{module.name}")
    for value in vars(loaded).values():
        if isinstance(value, type) and attr.has(value) and hasattr(value, "_get_schema"):
            FACETS[value._get_schema()] = value

SCORE_BATCH = "pkg:npm/score-batch@"
counts = {"events": 0, "facets": 0}


def build(hint, value, at):
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if value is None:
            raise TypeError(f"{at} is null")
        problems = []
        for option in options:
            try:
                return build(option, value, at)
            except TypeError as error:
                problems.append(str(error))
        raise TypeError("; ".join(problems))
    if origin in (list, tuple):
        if not isinstance(value, list):
            raise TypeError(f"{at} is not a list")
        return [build(typing.get_args(hint)[0], one, f"{at}[{i}]") for i, one in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise TypeError(f"{at} is not an object")
        return {key: build(typing.get_args(hint)[1], one, f"{at}.{key}") for key, one in value.items()}
    if hint in (typing.Any, object):
        return value
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if isinstance(hint, type) and attr.has(hint):
        return construct(hint, value, at)
    wanted = (int, float) if hint is float else hint
    if not isinstance(value, wanted) or (hint is not bool and isinstance(value, bool)):
        raise TypeError(f"{at} is {value!r}, not {hint}")
    return value


def facets_of(value, at):
    built = {}
    for name, facet in value.items():
        url = facet["_schemaURL"]
        counts["facets"] += 1
        if url.startswith(SCORE_BATCH):
            continue
        if url not in FACETS:
            raise TypeError(f"{at}.{name}: the client has no {url}")
        built[name] = construct(FACETS[url], facet, f"{at}.{name}")
    return built


def construct(cls, value, at):
    if not isinstance(value, dict):
        raise TypeError(f"{at} is not an object")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in attr.fields(cls)}
    given = {}
    for key, one in value.items():
        if key not in fields:
            raise TypeError(f"{at}.{key} is not known to {cls.__name__}")
        if key in ("schemaURL", "_schemaURL"):
            continue
        alias = fields[key].alias
        is_facets = key in ("facets", "inputFacets", "outputFacets")
        given[alias] = facets_of(one, f"{at}.{key}") if is_facets else build(hints[key], one, f"{at}.{key}")
    made = cls(**given)
    for key in ("schemaURL", "_schemaURL"):
        if key in value and getattr(made, key) != value[key]:
            raise TypeError(f"{at} is of {value[key]}, and the client's of {getattr(made, key)}")
    return made


def plain(value):
    """Without our facet, and without what is null or empty: the client writes some of these, and leaves others out."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: plain(one) for key, one in value.items() if key != "scoreBatch_run"}
    return {key: one for key, one in kept.items() if one not in (None, {}, [])}


for line in sys.stdin:
    event = json.loads(line)
    made = construct(event_v2.RunEvent, event, "event")
    again = plain(json.loads(Serde.to_json(made)))
    if again != plain(event):
        raise SystemExit(f"the client writes another event:\n{json.dumps(again)}\n{json.dumps(plain(event))}")
    counts["events"] += 1
print(json.dumps(counts))
