"""A repo of Feast with rows to score: what `get_historical_features` makes of them, and an online store.

Arguments: an empty folder, and how many rows.
"""

import datetime as dt
import os
import pathlib
import random
import sys

import pandas as pd
import pyarrow.parquet as pq
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.repo_operations import registry_dump
from feast.types import Bool, Float32, Float64, Int64, String

folder, rows = sys.argv[1], int(sys.argv[2])
os.chdir(folder)
os.makedirs("data")
with open("feature_store.yaml", "w") as file:
    file.write(
        "project: shop\nprovider: local\nregistry: registry.db\noffline_store: { type: duckdb }\n"
        "online_store: { type: sqlite, path: online.db }\nentity_key_serialization_version: 3\n"
    )

draw = random.Random(1)
DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)
TTL = 30 * DAY
# In a day that has ended.
NOW = dt.datetime.now(dt.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(hours=1)
START = NOW - 200 * DAY
users = [f"user {i}" for i in range(400)]
big = 2**53


def maybe(value):
    return None if draw.random() < 0.1 else value


profiles = []
for user in users:
    for _ in range(draw.randrange(1, 12)):
        at = START + draw.randrange(0, 199 * 86_400) * SECOND
        # Rows of the same time, made at other times, of which one is not known; that is older than any.
        for copy in range(draw.choice([1, 1, 1, 2, 3])):
            loaded = at + (copy + 1) * dt.timedelta(hours=draw.choice([1, 5])) + copy * SECOND
            profiles.append(
                {
                    "user": user,
                    "at": at,
                    "loaded": None if copy == 2 else loaded,
                    "plan": maybe(draw.choice(["free", "pro", "team"])),
                    "n_logins": draw.randrange(0, 50),
                    "active": draw.random() < 0.5,
                    "spend": maybe(draw.random() * 100),
                    "points": big + draw.randrange(0, 1000),
                }
            )
draw.shuffle(profiles)
profiles = pd.DataFrame(profiles).astype({"spend": "float32", "loaded": "datetime64[us, UTC]", "at": "datetime64[us, UTC]"})
profiles.to_parquet("data/profiles.parquet")

shops = pd.DataFrame(
    [
        {"shop": shop, "since": START + draw.randrange(0, 199 * 86_400) * SECOND + n * dt.timedelta(microseconds=1), "size": maybe(draw.random() * 1000)}
        for shop in range(50)
        for n in range(draw.randrange(1, 8))
    ]
).astype({"since": "datetime64[us, UTC]"})
shops.to_parquet("data/shops.parquet")

edges = [-SECOND, dt.timedelta(microseconds=-1), dt.timedelta(0), dt.timedelta(microseconds=1), SECOND]
entities = {}
while len(entities) < rows:
    known = profiles.iloc[draw.randrange(0, len(profiles))]
    at = START + draw.randrange(0, 199 * 86_400) * SECOND
    user = draw.choice(users + ["nobody"])
    if draw.random() < 0.5:
        # At the ends of what is known: as it begins, and as the TTL ends.
        user, at = known["user"], known["at"].to_pydatetime() + draw.choice([dt.timedelta(0), TTL]) + draw.choice(edges)
    shop, home = draw.randrange(0, 55), draw.randrange(0, 55)
    entities[user, shop, home, at] = {"user_id": user, "shop_id": shop, "home_shop": home, "event_timestamp": at}
entities = pd.DataFrame(list(entities.values())).astype({"event_timestamp": "datetime64[us, UTC]"})
entities.to_parquet("data/entities.parquet")

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.STRING)
shop = Entity(name="shop", join_keys=["shop_id"], value_type=ValueType.INT64)
profile = FeatureView(
    name="profile",
    entities=[user],
    ttl=TTL,
    schema=[
        Field(name="plan", dtype=String),
        Field(name="logins", dtype=Int64),
        Field(name="active", dtype=Bool),
        Field(name="spend", dtype=Float32),
        Field(name="points", dtype=Int64),
    ],
    source=FileSource(
        name="profiles",
        path="data/profiles.parquet",
        timestamp_field="at",
        created_timestamp_column="loaded",
        field_mapping={"user": "user_id", "n_logins": "logins"},
    ),
)
place = FeatureView(
    name="place",
    entities=[shop],
    ttl=dt.timedelta(0),
    schema=[Field(name="size", dtype=Float64)],
    source=FileSource(name="shops", path="data/shops.parquet", timestamp_field="since", field_mapping={"shop": "shop_id"}),
)
history = FeatureService(
    name="history",
    # Feast cannot compare services that have a view both with and without an alias.
    features=[profile, place.with_name("place_here"), place.with_name("home").with_join_key_map({"shop_id": "home_shop"})],
)
mixed = FeatureService(name="mixed_v1", features=[profile[["plan", "logins", "active", "points"]]])

store = FeatureStore(".")
everything = FeatureService(name="all_v1", features=[profile])
store.apply([user, shop, profile, place, history, mixed, everything])
retrieved = store.get_historical_features(entity_df=entities, features=history, full_feature_names=True).to_arrow()
# Not by pandas, which makes integers with nulls to floats.
pq.write_table(retrieved, "data/retrieved.parquet")
# The rows of a window that has just ended: everyone, as of now, when the online store is filled.
latest = pd.DataFrame({"user_id": users + ["nobody"], "event_timestamp": NOW}).astype({"event_timestamp": "datetime64[us, UTC]"})
latest.to_parquet("data/latest.parquet")
store.materialize(START - DAY, NOW)
# What `feast registry-dump` prints.
with open("registry.json", "w") as file:
    file.write(registry_dump(store.config, pathlib.Path(".")))
print(NOW.isoformat())
