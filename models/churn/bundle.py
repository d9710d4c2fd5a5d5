"""The parts of the churn bundle: its columns, the ONNX graph, the manifest and the golden rows."""
import datetime as dt
import hashlib

import numpy as np
import onnx
import pandas as pd
from onnx import helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import make_pipeline

TRAINED_ON = dt.date(1997, 3, 10)
OPSET, IR_VERSION = 18, 10
PRICE_DEFAULT = 0.0
# Wide enough for any real customer's first week; what lies outside is a broken feature table, not a customer.
RANGES = {
    "orders": (1, 100), "cds": (0, 1000), "amount": (0, 20000), "largest_order": (0, 20000),
    "price_per_cd": (0, 2000), "order_days": (1, 7), "days_since_first": (1, 7), "days_since_last": (1, 7),
}
COLUMNS = list(RANGES)
BASELINE_ROWS = 100
# What a reason says of each feature, for people who know customers and not models. The number may be 1, so no plural follows it.
REASONS = {
    "orders": "orders in the first week: {value}, usually {usual}",
    "cds": "CDs in the first week: {value}, usually {usual}",
    "amount": "dollars spent in the first week: {value}, usually {usual}",
    "largest_order": "dollars of the largest order: {value}, usually {usual}",
    "price_per_cd": "dollars per CD: {value}, usually {usual}",
    "order_days": "days with an order in the first week: {value}, usually {usual}",
    "days_since_first": "days since the first order: {value}, usually {usual}",
    "days_since_last": "days since the last order: {value}, usually {usual}",
}


def to_onnx(scaler, net):
    """log1p, scaler and network as one graph of plain tensor operations, so that it runs on a GPU as well."""
    model = convert_sklearn(
        make_pipeline(scaler, net), initial_types=[("logged", FloatTensorType([None, len(COLUMNS)]))],
        options={"zipmap": False}, target_opset=OPSET, black_op={"Scaler"})
    # Only the propensity is served: walking back from it drops the predicted label and the nodes that only feed it.
    needed, nodes = {"probabilities"}, []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            nodes.insert(0, node)
            needed |= set(node.input)
    # skl2onnx has no converter for a log1p function, so the two nodes are put in front by hand.
    front = [helper.make_node("Add", ["features", "one"], ["shifted"]), helper.make_node("Log", ["shifted"], ["logged"])]
    tensors = [numpy_helper.from_array(np.ones(1, np.float32), "one")]
    tensors += [tensor for tensor in model.graph.initializer if tensor.name in needed]
    io = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", size])
          for name, size in (("features", len(COLUMNS)), ("probabilities", 2))]
    graph = helper.make_graph(front + nodes, "churn-mlp", io[:1], io[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def golden_rows(frame, scores):
    """Rows spread over the score's range and the extremes of every amount, one of them with the price left out."""
    order = np.argsort(scores, kind="stable")
    picked = list(order[np.linspace(0, len(order) - 1, 13).astype(int)])
    picked += [int(frame[name].to_numpy().argmax()) for name in ("orders", "cds", "amount", "largest_order", "price_per_cd")]
    picked.append(int(frame["amount"].to_numpy().argmin()))
    golden = frame.iloc[list(dict.fromkeys(picked))][COLUMNS]
    return pd.concat([golden, golden.tail(1).assign(price_per_cd=np.nan)])


def feature_bins(values):
    """Bins of the values that are not null; for the column that can be null also the share of nulls."""
    text = bins(values.dropna().to_numpy(), 7)
    return f"{text[:-2]}, nulls: {values.isna().mean():.9g} }}" if values.name == "price_per_cd" else text


def baseline_rows(frame, seed):
    """baseline.csv: an even sample of rows, with which reasons compare a customer."""
    picked = np.sort(np.random.default_rng(seed).choice(len(frame), BASELINE_ROWS, replace=False))
    return frame.iloc[picked][COLUMNS].to_csv(index=False, lineterminator="\n")


def bins(values, digits):
    """Decile edges halfway between two observed values: no value lies on an edge, so a rounding never moves one across."""
    seen = np.unique(values)
    at = np.unique(np.searchsorted(seen, np.quantile(values, np.arange(1, 10) / 10, method="higher")))
    at = at[at > 0] if (at > 0).any() else np.array([1])
    edges = [float(f"{(seen[i - 1] + seen[i]) / 2:.{digits}g}") for i in at]
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    shares = [round(float(count) / len(values), 9) for count in counts]
    return f"{{ edges: {edges}, shares: {shares} }}"


def manifest(content, rows, chosen, figures, train, validation, scores):
    """model.yaml; `rows` is the text of baseline.csv, `scores` are those of the validation rows."""
    columns = "\n".join(
        f"      - {{ name: {name}, range: [{low}, {high}]{', nullable: true, default: 0' if name == 'price_per_cd' else ''},"
        f' reason: "{REASONS[name]}" }}'
        for name, (low, high) in RANGES.items())
    references = "\n".join(f"    {name}: {feature_bins(validation[name])}" for name in COLUMNS)
    baseline = ", ".join(f"{name}: {train[name].median():.7g}" for name in COLUMNS)
    later = ", ".join(f"W{week:02}: {figures[f'W{week:02}'][0]:.4f}" for week in range(7, 11))
    return f"""\
# Written by train.py (the text is in bundle.py); edit there.
name: churn-mlp
version: "{TRAINED_ON}"
sha256: "{hashlib.sha256(content).hexdigest()}"
description: >-
  Probability that a new customer, as known at the end of the week of the first order, places no order in the 28 days
  after that week.
trained:
  by: models/churn/train.py
  data: CDNOW transactions (data/cdnow), features of jobs/new_users.sql per ISO week
  label: no order in the 28 days after the window's end
  rows: {{ train: {len(train)}, validation: {len(validation)} }}
  weeks: 1997-W01 to 1997-W06
  through: 1997-W06
  network: {chosen}
  metrics:
    validation_auc: {figures["validation"][0]:.4f}
    validation_brier: {figures["validation"][1]:.4f}
    later_weeks_auc: {{ {later} }}
    holdout_w11_auc: {figures["W11"][0]:.4f}
    holdout_w11_brier: {figures["W11"][1]:.4f}
    base_rate_w11: {figures["W11"][2]:.4f}
inputs:
  - name: features
    dtype: float32
    shape: [N, {len(COLUMNS)}]
    columns:
{columns}
output: {{ name: probabilities, index: 1 }}
# Frozen on the validation rows, which the network was not fitted on. Bin i holds edges[i-1] <= x < edges[i].
reference:
  score: {bins(scores.astype(float).round(6), 9)}
  features:
{references}
baseline: {{ {baseline} }}
# Rows that the network was fitted on; reasons compare a customer with them.
baseline_rows: {{ file: baseline.csv, sha256: "{hashlib.sha256(rows.encode()).hexdigest()}" }}
golden: {{ file: golden.csv, tolerance: 1e-6 }}
"""
