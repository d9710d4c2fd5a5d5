"""Trains the iris model on the data that scikit-learn brings along, and writes the bundle beside this file."""
import csv
import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
VERSION = "2026-11-27"
# The measurements of the data, with room for larger flowers. Beyond it is another unit, not a flower.
RANGES = {"sepal_length": (0.1, 20), "sepal_width": (0.1, 20), "petal_length": (0.1, 20), "petal_width": (0.01, 10)}
REASONS = {name: name.replace("_", " ") + " in cm: {value}, usually {usual}" for name in RANGES}
OPSET, IR_VERSION = 18, 10


def train():
    data = load_iris()
    x, y = data.data.astype(np.float32), data.target_names[data.target]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    accuracy = cross_val_score(model, x, y, cv=10).mean()
    return x, y, model.fit(x, y), accuracy


def to_onnx(model):
    made = convert_sklearn(model, initial_types=[("measurements", FloatTensorType([None, len(RANGES)]))],
                           options={"zipmap": False}, target_opset=OPSET,
                           final_types=None)
    made.ir_version = IR_VERSION
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True)


def manifest(model_bytes, labels, y, accuracy):
    columns = "\n".join(
        f'      - {{ name: {name}, range: [{low:g}, {high:g}], reason: "{REASONS[name]}" }}' for name, (low, high) in RANGES.items())
    return f"""# Written by train.py; edit there.
name: iris
version: "{VERSION}"
sha256: "{hashlib.sha256(model_bytes).hexdigest()}"
description: Species of an iris by the size of its sepals and petals.
trained:
  by: models/iris/train.py
  data: the iris data of scikit-learn (Fisher 1936, 150 flowers)
  model: logistic regression on standardised measurements
  metrics: {{ accuracy_10_folds: {accuracy:.4f} }}
inputs:
  - name: measurements
    dtype: float32
    shape: [N, {len(RANGES)}]
    columns:
{columns}
output: {{ label: label, probabilities: probabilities, labels: [{', '.join(labels)}] }}
"""


def golden(model_bytes, labels, x):
    """Every fifth flower, and the corners of the allowed ranges."""
    session = ort.InferenceSession(model_bytes, providers=["CPUExecutionProvider"])
    low, high = np.array(list(RANGES.values()), np.float32).T
    rows = np.vstack([x[::5], low[None], high[None]])
    probabilities = session.run(["probabilities"], {"measurements": rows})[0]
    with (HERE / "golden.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*RANGES, *(f"expected_{label}" for label in labels)])
        for row, expected in zip(rows, probabilities):
            writer.writerow([*(f"{value:.7g}" for value in row), *(f"{value:.9g}" for value in expected)])


def main():
    x, y, model, accuracy = train()
    labels = [str(label) for label in model.classes_]
    model_bytes = to_onnx(model)
    (HERE / "model.onnx").write_bytes(model_bytes)
    (HERE / "model.yaml").write_text(manifest(model_bytes, labels, y, accuracy))
    golden(model_bytes, labels, x)
    print(f"accuracy over 10 folds {accuracy:.4f}")


if __name__ == "__main__":
    main()
