"""Airflow provider of score-batch: an operator for its command line."""

__version__ = "0.1.0"


def get_provider_info() -> dict:
    """What Airflow shows about the package; see `airflow providers list`."""
    return {
        "package-name": "score-batch-airflow",
        "name": "score-batch",
        "description": "Scores windows of a warehouse with an ONNX model, and publishes exactly once.",
        "versions": [__version__],
        "operators": [{"integration-name": "score-batch", "python-modules": ["score_batch_airflow.operator"]}],
    }
