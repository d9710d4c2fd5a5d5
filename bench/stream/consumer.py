"""A typical first version: a consumer with windows in dicts, ONNX Runtime, and a producer. No guarantees: offsets are committed
separately from outputs, and windows are empty after a restart. Same features as in jobs/fraud/fraud.features.yaml.

    consumer.py BROKERS GROUP INPUT OUTPUT USERS MODEL MAX_BATCH
"""

import json
import sys
from collections import defaultdict, deque

import numpy as np
import onnxruntime as ort
from confluent_kafka import Consumer, Producer

brokers, group, topic, output, users_topic, model, most = sys.argv[1:8]
HOUR, QUARTER, FIVE = 3_600_000, 900_000, 300_000
CASHED = {"transfers", "gift cards", "electronics"}
NAN = float("nan")

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(model, options)

users = {}
reader = Consumer({"bootstrap.servers": brokers, "group.id": f"{group}-users", "auto.offset.reset": "earliest", "enable.partition.eof": True})
reader.subscribe([users_topic])
ends = None
done = set()
while ends is None or len(done) < ends:
    message = reader.poll(5.0)
    if message is None:
        continue
    ends = len(reader.assignment())
    if message.error():
        done.add(message.partition())
    else:
        users[message.key()] = json.loads(message.value())
reader.close()

consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False, "fetch.wait.max.ms": 20})
consumer.subscribe([topic])
producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
windows = defaultdict(deque)


def features(event):
    t = event["at"]
    window = windows[event["user_id"]]
    window.append((t, event["amount"], event["merchant"], event["category"], event["country"], event["declined"]))
    while window[0][0] < t - HOUR:
        window.popleft()
    n5 = a5 = d5 = s5 = c15 = a1 = n1 = 0
    m5, countries = set(), set()
    smallest5, largest, last_declined, since = None, 0, NAN, NAN
    any15 = False
    for at, amount, merchant, category, country, declined in window:
        if at > t:
            continue
        n1 += 1
        a1 += amount
        largest = max(largest, amount)
        countries.add(country)
        if declined:
            last_declined = amount
        if at >= t - QUARTER and category in CASHED:
            c15 += amount
            any15 = True
        if at >= t - FIVE:
            n5 += 1
            a5 += amount
            m5.add(merchant)
            d5 += declined
            s5 += amount < 500
            smallest5 = amount if smallest5 is None else min(smallest5, amount)
    if len(window) > 1:
        since = t - window[-2][0]
    user = users.get(event["user_id"].encode(), {})
    return (
        event["amount"], n5, a5, len(m5), d5, s5, smallest5, a1 / n1, largest, len(countries), c15 if any15 else NAN, last_declined, since,
        user.get("account_age_days", NAN), user.get("cards", NAN), user.get("usual_amount", NAN),
    )


def column(values, kind):
    return np.array(values, dtype=kind).reshape(-1, 1)


while True:
    messages = [one for one in consumer.consume(int(most), 0.02) if not one.error()]
    if not messages:
        continue
    events = [json.loads(one.value()) for one in messages]
    matrix = np.array([features(event) for event in events], dtype=np.float32)
    inputs = {
        "numbers": matrix,
        "declined": column([event["declined"] for event in events], bool),
        "category": column([event["category"] for event in events], object),
        "country": column([event["country"] for event in events], object),
        "home_country": column([users.get(event["user_id"].encode(), {}).get("home_country", "") for event in events], object),
    }
    scores = session.run(["probabilities"], inputs)[0][:, 1]
    for message, event, score, row in zip(messages, events, scores, matrix):
        value = json.dumps({"id": event["transaction_id"], "score": round(float(score), 6), "features": [None if x != x else x for x in row.tolist()]})
        producer.produce(output, value.encode(), key=message.key())
    producer.poll(0)
    producer.flush()
    consumer.commit(asynchronous=True)
