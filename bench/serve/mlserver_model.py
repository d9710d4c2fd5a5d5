"""Writes the iris model of models/iris/train.py into the given folder, in the form that MLServer's scikit-learn runtime loads."""
import json
import sys
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder, http, grpc = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
data = load_iris()
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(data.data.astype(np.float32), data.target)
folder.mkdir(parents=True, exist_ok=True)
joblib.dump(model, folder / "model.joblib")
(folder / "model-settings.json").write_text(json.dumps({
    "name": "iris", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "./model.joblib", "version": "1"}}))
(folder / "settings.json").write_text(json.dumps({
    "host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": grpc + 1, "parallel_workers": 0, "debug": False}))
