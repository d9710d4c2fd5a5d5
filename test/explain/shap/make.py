"""Makes tree models, and what shap says of them: a folder per model with model.onnx and expected.json.

The values are those of `shap.TreeExplainer(model, data=background, feature_perturbation="interventional", model_output="raw")`.
They must agree with the definition, a sum over all sets of features of what the library itself predicts. Where shap misses
it, as with scikit-learn's HistGradientBoosting and missing values, expected.json has the values of the definition.

    python -m venv .shap-venv && .shap-venv/bin/pip install -r test/explain/shap/shap-requirements.txt
    .shap-venv/bin/python test/explain/shap/make.py

`--seed` makes other models of other data, `--out` writes them elsewhere.
"""
import argparse
import json
import math
import warnings
from pathlib import Path

import lightgbm as lgb
import numpy as np
import shap
import xgboost as xgb
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.ensemble import (
    ExtraTreesClassifier, GradientBoostingClassifier, GradientBoostingRegressor, HistGradientBoostingClassifier,
    HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor)
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
TRAINING, WIDTH, BACKGROUND, EXPLAINED = 300, 5, 20, 8
TOLERANCE = 1e-6


def by_definition(raw, background, rows):
    """Shapley values from the mean prediction for each set of features that keep the row's values."""
    weight = [math.factorial(size) * math.factorial(WIDTH - size - 1) / math.factorial(WIDTH) for size in range(WIDTH)]
    kept = np.array([[bits >> j & 1 for j in range(WIDTH)] for bits in range(2 ** WIDTH)], bool)
    values = np.zeros((len(rows), WIDTH))
    for i, row in enumerate(rows):
        mixed = np.where(kept[:, None, :], row, background)
        worth = raw(mixed.reshape(-1, WIDTH)).reshape(len(kept), -1).mean(axis=1)
        for j in range(WIDTH):
            for bits in np.flatnonzero(~kept[:, j]):
                values[i, j] += weight[kept[bits].sum()] * (worth[bits | 1 << j] - worth[bits])
    return values


def by_shap(model, background, rows, index):
    """None if shap itself finds that its values do not add up."""
    explainer = shap.TreeExplainer(model, data=background, feature_perturbation="interventional", model_output="raw")
    try:
        values = np.asarray(explainer.shap_values(rows))
    except shap.utils._exceptions.ExplainerError:
        return None
    return values[..., index] if values.ndim == 3 else values


def main(seed, out):
    random = np.random.default_rng(seed)
    full = random.normal(size=(TRAINING, WIDTH)).astype(np.float32)
    full[:, 3] = random.integers(0, 6, TRAINING)
    gaps = np.where(random.random(full.shape) < 0.2, np.float32(np.nan), full)
    signal = full[:, 0] + 0.5 * full[:, 1] * full[:, 2] + np.where(full[:, 3] % 2 == 0, 0.4, -0.4)
    signal = signal + random.normal(size=TRAINING) * 0.3
    two, three = (signal > 0).astype(int), np.digitize(signal, [-0.5, 0.5])

    def write(name, model, data, target, convert, raw, index=0):
        model.fit(data, target)
        background, rows = data[:BACKGROUND], data[-EXPLAINED:]
        exact = by_definition(lambda x: raw(model, x), background, rows)
        values = by_shap(model, background, rows, index)
        agrees = values is not None and np.abs(values - exact).max() < TOLERANCE
        assert agrees or name.startswith("hist"), f"shap misses the definition for {name}"
        content = convert(model, data)
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(content.SerializeToString())
        numbers = lambda table, digits: [[None if np.isnan(x) else float(f"{x:.{digits}g}") for x in row] for row in table]
        (folder / "expected.json").write_text(json.dumps({
            "by": "shap" if agrees else "definition",
            "input": content.graph.input[0].name,
            "dtype": "float64" if content.graph.input[0].type.tensor_type.elem_type == 11 else "float32",
            "output": {"name": content.graph.output[-1].name, "index": index},
            "background": numbers(background, 9 if background.dtype == np.float32 else 17),
            "rows": numbers(rows, 9 if rows.dtype == np.float32 else 17),
            "values": numbers(values if agrees else exact, 12),
        }) + "\n")
        print(f"{name}: {'shap' if agrees else 'definition'}")

    types = [("features", FloatTensorType([None, WIDTH]))]
    lightgbm = lambda model, data: convert_lightgbm(model, initial_types=types, zipmap=False)
    xgboost = lambda model, data: convert_xgboost(model, initial_types=types)
    sklearn = lambda model, data: to_onnx(
        model, data[:1], options={"zipmap": False} if hasattr(model, "predict_proba") else None)
    small = {"n_estimators": 8, "num_leaves": 8, "verbose": -1, "random_state": seed}
    few = {"n_estimators": 8, "max_depth": 3, "random_state": seed}
    forest = {"n_estimators": 6, "max_depth": 5, "random_state": seed}
    hist = {"max_iter": 8, "max_leaf_nodes": 8, "random_state": seed}
    predict = lambda model, x: model.predict(x)
    decide = lambda model, x: model.decision_function(x)
    margin = lambda model, x: model.predict(x, output_margin=True)
    score = lambda model, x: model.predict(x, raw_score=True)
    second = lambda model, x: model.predict_proba(x)[:, 1]

    write("lightgbm", lgb.LGBMClassifier(**small), gaps, two, lightgbm, score, 1)
    write("lightgbm-multiclass", lgb.LGBMClassifier(**small), gaps, three, lightgbm, lambda m, x: score(m, x)[:, 2], 2)
    write("lightgbm-regressor", lgb.LGBMRegressor(**small), gaps, signal, lightgbm, predict)
    write("xgboost", xgb.XGBClassifier(**few), gaps, two, xgboost, margin, 1)
    write("xgboost-regressor", xgb.XGBRegressor(**few), gaps, signal, xgboost, predict)
    write("forest", RandomForestClassifier(**forest), full, two, sklearn, second, 1)
    write("forest-multiclass", RandomForestClassifier(**forest), full, three, sklearn, second, 1)
    write("forest-regressor", RandomForestRegressor(**forest), full, signal, sklearn, predict)
    write("forest-double", RandomForestClassifier(**forest), full.astype(np.float64), two, sklearn, second, 1)
    write("extra-trees", ExtraTreesClassifier(**forest), full, two, sklearn, second, 1)
    write("tree", DecisionTreeClassifier(max_depth=6, random_state=seed), full, two, sklearn, second, 1)
    write("boosting", GradientBoostingClassifier(n_estimators=8, random_state=seed), full, two, sklearn, decide, 1)
    write("boosting-regressor", GradientBoostingRegressor(n_estimators=8, random_state=seed), full, signal, sklearn, predict)
    write("hist-boosting", HistGradientBoostingClassifier(**hist), full, two, sklearn, decide, 1)
    write("hist-boosting-missing", HistGradientBoostingClassifier(**hist), gaps, two, sklearn, decide, 1)
    write("hist-boosting-regressor", HistGradientBoostingRegressor(**hist), gaps, signal, sklearn, predict)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    arguments = parser.parse_args()
    main(arguments.seed, arguments.out)
