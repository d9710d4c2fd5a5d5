"""What MLflow's own Python client does and sees: mlflow_client.py STEP '{"name": …}' prints one line of JSON."""

import json
import sys

import mlflow
import numpy as np
import onnx
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

client = mlflow.MlflowClient()


def read(name: str, alias: str, rows: list[list[float]]) -> dict:
    """A version as its clients load it."""
    uri = f"models:/{name}@{alias}"
    version = client.get_model_version_by_alias(name, alias)
    model = mlflow.pyfunc.load_model(uri)
    folder = mlflow.artifacts.download_artifacts(uri)
    with open(f"{folder}/golden.csv") as file:
        golden = len(file.readlines()) - 1
    [spec] = model.metadata.signature.inputs.inputs
    answer = model.predict({spec.name: np.array(rows, dtype=np.float32)})
    return {
        "version": version.version,
        "tags": version.tags,
        "run": client.get_run(version.run_id).info.status,
        "inputs": json.loads(model.metadata.signature.inputs.to_json()),
        "outputs": json.loads(model.metadata.signature.outputs.to_json()),
        "metadata": model.metadata.metadata,
        "golden": golden,
        "predicted": [float(value) for value in next(iter(answer.values())).ravel()],
        "onnx": onnx.checker.check_model(mlflow.onnx.load_model(uri)) is None,
    }


def log(name: str, alias: str, file: str, columns: list[str], beside: str | None = None) -> dict:
    """A model as a notebook logs it; then the files of a bundle beside it, if there is a folder with them."""
    signature = ModelSignature(
        inputs=Schema([ColSpec("float", column, required=i == 0) for i, column in enumerate(columns)]),
        outputs=Schema([ColSpec("float", "score")]),
    )
    model = onnx.load(file)
    # Else weights go to a file of their own, which no digest of the model file covers.
    with mlflow.start_run():
        info = mlflow.onnx.log_model(model, name="model", signature=signature, save_as_external_data=False)
    if beside is not None:
        client.log_model_artifacts(info.model_id, beside)
    version = mlflow.register_model(info.model_uri, name)
    client.set_registered_model_alias(name, alias, version.version)
    return {"version": version.version, "source": version.source}


print(json.dumps({"read": read, "log": log}[sys.argv[1]](**json.loads(sys.argv[2]))))
