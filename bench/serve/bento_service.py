"""The iris model behind BentoML: each request separately, or with adaptive batching (BATCHABLE=1)."""
import os

import bentoml
import numpy as np
import onnxruntime as ort

BATCHABLE = os.environ.get("BATCHABLE") == "1"


@bentoml.service(workers=1)
class Iris:
    def __init__(self):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])

    @bentoml.api(batchable=BATCHABLE)
    def classify(self, rows: np.ndarray) -> np.ndarray:
        return self.session.run(["probabilities"], {"measurements": np.asarray(rows, np.float32)})[0]
