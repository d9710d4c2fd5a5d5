"""The parts of the fraud bundle: its columns, the ONNX graph and the manifest."""
import hashlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

VERSION = "2025-06-01"
OPSETS = [helper.make_opsetid("", 19), helper.make_opsetid("ai.onnx.ml", 3)]
IR_VERSION = 10
CENTS = 100_000_000
# Number → its range. A value outside is in another unit, or of a broken table. A null of one that may be null becomes NaN, for which
# the trees have a branch.
NUMBERS = {
    "amount": (0, CENTS),
    "payments_5m": (1, 100_000),
    "amount_5m": (0, 100_000 * CENTS),
    "merchants_5m": (1, 10_000),
    "declined_5m": (0, 100_000),
    "small_5m": (0, 100_000),
    "smallest_5m": (0, CENTS),
    "mean_amount_1h": (0, CENTS),
    "largest_1h": (0, CENTS),
    "countries_1h": (1, 300),
}
# Of users without a row, or without such a payment in the window.
NULLABLE = {
    "cashed_15m": (0, 100_000 * CENTS),
    "last_declined_1h": (0, CENTS),
    "since_last": (0, 3_600_000),
    "account_age_days": (0, 40_000),
    "cards": (0, 100),
    "usual_amount": (1, CENTS),
}
COLUMNS = [*NUMBERS, *NULLABLE]
CATEGORIES = [
    "groceries", "restaurants", "transport", "fuel", "clothing", "travel", "electronics", "gaming", "subscriptions", "gift cards",
    "transfers",
]
# What the graph makes of the columns, so that training and serving cannot differ in it.
DERIVED = ["kind", "declined", "abroad", "times_usual"]
REASONS = {
    "amount": "a payment of {value} cents, usually {usual}",
    "payments_5m": "payments in five minutes: {value}, usually {usual}",
    "amount_5m": "cents in five minutes: {value}, usually {usual}",
    "merchants_5m": "merchants in five minutes: {value}, usually {usual}",
    "declined_5m": "declined payments in five minutes: {value}, usually {usual}",
    "small_5m": "payments below 5.00 in five minutes: {value}, usually {usual}",
    "countries_1h": "countries in an hour: {value}, usually {usual}",
}


def derived(frame):
    """The same four columns as the graph's, as float32, for training."""
    code = {name: i for i, name in enumerate(CATEGORIES)}
    home = frame["home_country"]
    usual = frame["usual_amount"].astype(float).to_numpy(np.float32)
    return np.column_stack([
        frame["category"].map(code).fillna(-1).to_numpy(np.float32),
        frame["declined"].to_numpy(np.float32),
        np.where(home.isna(), np.nan, (frame["country"] != home)).astype(np.float32),
        frame["amount"].to_numpy(np.float32) / usual,
    ])


def to_onnx(booster):
    """The columns as they come, what is derived from them, and the trees, as one graph."""
    width = len(COLUMNS) + len(DERIVED)
    trees = convert_lightgbm(booster, name="trees", initial_types=[("matrix", FloatTensorType([None, width]))], zipmap=False,
                             target_opset=15).graph
    # Only the probabilities are served: walking back from them drops the label and the nodes that only feed it.
    needed, tail = {"probabilities"}, []
    for node in reversed(trees.node):
        if needed & set(node.output):
            tail.insert(0, node)
            needed |= set(node.input)
    node = helper.make_node
    front = [
        node("LabelEncoder", ["category"], ["kind"], domain="ai.onnx.ml", keys_strings=CATEGORIES,
             values_floats=[float(i) for i in range(len(CATEGORIES))], default_float=-1.0),
        node("Cast", ["declined"], ["declined_number"], to=TensorProto.FLOAT),
        node("Equal", ["country", "home_country"], ["at_home"]),
        node("Not", ["at_home"], ["away"]),
        node("Cast", ["away"], ["away_number"], to=TensorProto.FLOAT),
        node("Equal", ["home_country", "no_country"], ["homeless"]),
        node("Where", ["homeless", "nan", "away_number"], ["abroad"]),
        node("Gather", ["numbers", "amount_at"], ["amount"], axis=1),
        node("Gather", ["numbers", "usual_at"], ["usual_amount"], axis=1),
        node("Div", ["amount", "usual_amount"], ["times_usual"]),
        node("Concat", ["numbers", "kind", "declined_number", "abroad", "times_usual"], ["matrix"], axis=1),
    ]
    tensors = [
        helper.make_tensor("no_country", TensorProto.STRING, [1], [b""]),
        numpy_helper.from_array(np.array([np.nan], np.float32), "nan"),
        numpy_helper.from_array(np.array([COLUMNS.index("amount")], np.int64), "amount_at"),
        numpy_helper.from_array(np.array([COLUMNS.index("usual_amount")], np.int64), "usual_at"),
        *(tensor for tensor in trees.initializer if tensor.name in needed),
    ]
    value = helper.make_tensor_value_info
    inputs = [value("numbers", TensorProto.FLOAT, ["N", len(COLUMNS)]), value("declined", TensorProto.BOOL, ["N", 1])]
    inputs += [value(name, TensorProto.STRING, ["N", 1]) for name in ("category", "country", "home_country")]
    graph = helper.make_graph(front + tail, "fraud", inputs, [value("probabilities", TensorProto.FLOAT, ["N", 2])], tensors)
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def manifest(content, rows, figures):
    """model.yaml without what `score-batch model reference` adds."""
    def column(name, low, high, null):
        reason = f', reason: "{REASONS[name]}"' if name in REASONS else ""
        return f"      - {{ name: {name}, range: [{low}, {high}]{', nullable: true' if null else ''}{reason} }}"
    columns = [column(name, *bounds, False) for name, bounds in NUMBERS.items()]
    columns += [column(name, *bounds, True) for name, bounds in NULLABLE.items()]
    metrics = ", ".join(f"{name}: {value:.4f}" for name, value in figures.items())
    newline = "\n"
    return f"""\
# Written by train.py (the text is in bundle.py); edit there. `score-batch model reference` adds the reference.
name: fraud-lgbm
version: "{VERSION}"
sha256: "{hashlib.sha256(content).hexdigest()}"
description: Probability that a payment is fraud, by the user's last minutes. Trained on generated payments, for the demo only.
trained:
  by: models/fraud/train.py
  data: payments drawn by scripts/fraud, features of jobs/fraud/fraud.features.yaml
  label: the payment was made by a thief
  rows: {{ {', '.join(f'{name}: {count}' for name, count in rows.items())} }}
  through: 2025-05-30
  metrics: {{ {metrics} }}
inputs:
  - name: numbers
    dtype: float32
    shape: [N, {len(COLUMNS)}]
    columns:
{newline.join(columns)}
  - {{ name: declined, dtype: bool, shape: [N, 1], columns: [{{ name: declined }}] }}
  # The graph asks whether both countries are the same, whichever they are; trees have a branch for new kinds of merchants.
  - {{ name: category, dtype: string, shape: [N, 1], columns: [{{ name: category, categories: [{', '.join(CATEGORIES)}], unknown: allow }}] }}
  - {{ name: country, dtype: string, shape: [N, 1], columns: [{{ name: country, unknown: allow }}] }}
  - {{ name: home_country, dtype: string, shape: [N, 1], columns: [{{ name: home_country, unknown: allow, nullable: true, default: "" }}] }}
output: {{ name: probabilities, index: 1 }}
golden: {{ file: golden.csv, tolerance: 1e-6 }}
"""
