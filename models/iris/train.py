"""Trains the iris model on the data that scikit-learn brings along, and writes the bundle beside this file: see README.md."""
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
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
VERSION = "2026-11-27"
FOLDS, SEED = 10, 1936
# The measurements of the data, with room for larger flowers. Beyond it is another unit, not a flower.
RANGES = {"sepal_length": (0.1, 20), "sepal_width": (0.1, 20), "petal_length": (0.1, 20), "petal_width": (0.01, 10)}
OPSET, IR_VERSION = 18, 10


def to_onnx(model):
    """The pipeline as a graph of ai.onnx.ml whose classifier names the classes."""
    # Without a name the graph gets a random one, and the file another digest each time.
    made = convert_sklearn(model, "iris", initial_types=[("measurements", FloatTensorType([None, len(RANGES)]))],
                           options={"zipmap": False}, target_opset=OPSET)
    made.ir_version = IR_VERSION
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True)


def manifest(content, labels, figures):
    """model.yaml."""
    columns = "\n".join(
        f'      - {{ name: {name}, range: [{low:g}, {high:g}], reason: "{name.replace("_", " ")} in cm: {{value}}, usually {{usual}}" }}'
        for name, (low, high) in RANGES.items())
    metrics = ", ".join(f"{name}_{FOLDS}_folds: {value:.4f}" for name, value in figures.items())
    return f"""\
# Written by train.py; edit there.
name: iris
version: "{VERSION}"
sha256: "{hashlib.sha256(content).hexdigest()}"
description: Species of an iris by the size of its sepals and petals.
trained:
  by: models/iris/train.py
  data: the iris data of scikit-learn (Fisher 1936, 150 flowers)
  model: logistic regression on standardised measurements
  metrics: {{ {metrics} }}
inputs:
  - name: measurements
    dtype: float32
    shape: [N, {len(RANGES)}]
    columns:
{columns}
output: {{ label: label, probabilities: probabilities, labels: [{', '.join(labels)}] }}
"""


def golden(model, labels, x):
    """golden.csv: every fifth flower and the corners of the allowed ranges, with what scikit-learn itself gives them."""
    low, high = np.array(list(RANGES.values()), np.float32).T
    rows = np.vstack([x[::5], low[None], high[None]])
    with (HERE / "golden.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([*RANGES, *(f"expected_{label}" for label in labels)])
        for row, expected in zip(rows, model.predict_proba(rows.astype(np.float64)), strict=True):
            out.writerow([*(f"{value:.7g}" for value in row), *(f"{value:.9g}" for value in expected)])


def main():
    data = load_iris()
    x, y = data.data.astype(np.float32), data.target_names[data.target]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    held_out = cross_val_predict(model, x, y, cv=folds, method="predict_proba")
    model.fit(x, y)
    labels = [str(label) for label in model.classes_]
    content = to_onnx(model)

    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    given_labels, given = session.run(["label", "probabilities"], {"measurements": x})
    difference = np.abs(given - model.predict_proba(x)).max()
    assert difference < 1e-6, f"the graph differs from scikit-learn by {difference}"
    assert list(given_labels) == list(model.predict(x)), "the graph gives other labels than scikit-learn"

    guessed = np.array(labels)[held_out.argmax(axis=1)]
    figures = {"accuracy": (guessed == y).mean(), "log_loss": log_loss(y, held_out, labels=labels)}
    (HERE / "model.onnx").write_bytes(content)
    (HERE / "model.yaml").write_text(manifest(content, labels, figures))
    golden(model, labels, x)
    print(f"{FOLDS} folds: " + ", ".join(f"{name} {value:.4f}" for name, value in figures.items()))
    print(f"rows are true, columns guessed, in the order {', '.join(labels)}")
    print(confusion_matrix(y, guessed, labels=labels))


if __name__ == "__main__":
    main()
