"""Makes bench/text and bench/slow: their predictions mean nothing. Writes model.onnx, model.yaml and golden.csv.

    python3 -m venv .bench/models && .bench/models/bin/pip install onnx==1.23.2 onnxruntime==1.30.0 numpy==2.4.6
    .bench/models/bin/python bench/make_models.py

- text: the numbers of bench/mlp and two text features with categories, one-hot as skl2onnx writes it, one hidden layer of 64.
- slow: a network of ten hidden layers of 512, about 20,000 rows per second on one core. The graph computes
  its weights from integers, so that the file is small; ONNX Runtime does this once, when it opens the model.
"""

import csv
import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession

BENCH = Path(__file__).resolve().parent
OPSETS = [helper.make_opsetid("", 19), helper.make_opsetid("ai.onnx.ml", 3)]
IR_VERSION = 10
NUMBERS = [f"f{k}" for k in range(20)]
# Maximum values of the generated users.
SIZES = [100, 1000, 24, 365, 50, 12, 7, 5000, 60, 10, 1, 10, 100, 1000, 1, 5, 20, 200, 2, 1]
COUNTRIES = ["US", "GB", "DE", "FR", "IN", "BR", "JP", "ES", "IT", "CA", "AU", "MX"]
PLANS = ["free", "basic", "pro", "team", "enterprise"]
HIDDEN = 64
WIDTH, LAYERS = 512, 10
GOLDEN_ROWS = 12


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.array(values, kind), name)


def value(name, kind, width):
    return helper.make_tensor_value_info(name, kind, ["N", width])


def head(hidden):
    """Maps a layer to two probabilities."""
    return [
        helper.make_node("Gemm", [hidden, "last_weights", "last_bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]


def build(nodes, constants, inputs):
    graph = helper.make_graph(nodes, "bench", inputs, [value("probabilities", TensorProto.FLOAT, 2)], constants)
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model


def scaled():
    return helper.make_node("Mul", ["features", "scales"], ["scaled"]), constant("scales", [1 / size for size in SIZES])


def text(random):
    scale, scales = scaled()
    width = len(NUMBERS) + len(COUNTRIES) + len(PLANS)
    nodes = [scale]
    for name, categories in [("country", COUNTRIES), ("plan", PLANS)]:
        nodes += [
            helper.make_node("OneHotEncoder", [name], [f"{name}_encoded"], domain="ai.onnx.ml", cats_strings=categories, zeros=1),
            helper.make_node("Reshape", [f"{name}_encoded", f"{name}_shape"], [f"{name}_flat"]),
        ]
    nodes += [
        helper.make_node("Concat", ["scaled", "country_flat", "plan_flat"], ["all"], axis=1),
        helper.make_node("Gemm", ["all", "weights", "bias"], ["sums"]),
        helper.make_node("Relu", ["sums"], ["hidden"]),
        *head("hidden"),
    ]
    constants = [
        scales,
        constant("country_shape", [-1, len(COUNTRIES)], np.int64),
        constant("plan_shape", [-1, len(PLANS)], np.int64),
        constant("weights", random.normal(0, 0.5, (width, HIDDEN))),
        constant("bias", random.normal(0, 0.1, HIDDEN)),
        constant("last_weights", random.normal(0, 0.3, (HIDDEN, 2))),
        constant("last_bias", [0, 0]),
    ]
    inputs = [value("features", TensorProto.FLOAT, len(NUMBERS))]
    inputs += [value(name, TensorProto.STRING, 1) for name in ["country", "plan"]]
    return build(nodes, constants, inputs)


def slow(random):
    scale, scales = scaled()
    nodes, hidden = [scale], "scaled"
    constants = [
        scales,
        constant("zero", 0, np.int64),
        constant("one", 1, np.int64),
        constant("prime", 10_007, np.int64),
        constant("middle", 5_003),
        # With uniform weights in this range, a layer keeps the scale of its inputs.
        constant("unit", np.sqrt(6 / WIDTH) / 5_003),
        constant("last_weights", random.normal(0, 0.2, (WIDTH, 2))),
        constant("last_bias", [0, 0]),
    ]
    for layer in range(LAYERS):
        rows = len(NUMBERS) if layer == 0 else WIDTH
        constants += [
            constant(f"count{layer}", rows * WIDTH, np.int64),
            constant(f"step{layer}", 7_919 + 2 * layer, np.int64),
            constant(f"shape{layer}", [rows, WIDTH], np.int64),
        ]
        # Integers that look random: (i * (i + step)) modulo a prime.
        nodes += [
            helper.make_node("Range", ["zero", f"count{layer}", "one"], [f"i{layer}"]),
            helper.make_node("Add", [f"i{layer}", f"step{layer}"], [f"moved{layer}"]),
            helper.make_node("Mul", [f"i{layer}", f"moved{layer}"], [f"product{layer}"]),
            helper.make_node("Mod", [f"product{layer}", "prime"], [f"rest{layer}"]),
            helper.make_node("Cast", [f"rest{layer}"], [f"whole{layer}"], to=TensorProto.FLOAT),
            helper.make_node("Sub", [f"whole{layer}", "middle"], [f"centred{layer}"]),
            helper.make_node("Mul", [f"centred{layer}", "unit"], [f"flat{layer}"]),
            helper.make_node("Reshape", [f"flat{layer}", f"shape{layer}"], [f"weights{layer}"]),
            helper.make_node("MatMul", [hidden, f"weights{layer}"], [f"sums{layer}"]),
            helper.make_node("Relu", [f"sums{layer}"], [f"hidden{layer}"]),
        ]
        hidden = f"hidden{layer}"
    return build(nodes + head(hidden), constants, [value("features", TensorProto.FLOAT, len(NUMBERS))])


def bundle(name, model, texts, description, random):
    folder = BENCH / name
    folder.mkdir(exist_ok=True)
    content = model.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    columns = [f"      - {{ name: {number}, nullable: true, default: -1 }}" for number in NUMBERS]
    inputs = ["  - name: features", "    dtype: float32", f"    shape: [N, {len(NUMBERS)}]", "    columns:", *columns]
    for text_name, categories in texts.items():
        listed = ", ".join(categories)
        inputs += [
            f"  - name: {text_name}",
            "    dtype: string",
            "    shape: [N, 1]",
            "    columns:",
            f"      - {{ name: {text_name}, categories: [{listed}], unknown: quarantine }}",
        ]
    lines = [
        "# Written by make_models.py; edit there.",
        f"name: bench-{name}",
        "version: v1",
        f"sha256: {hashlib.sha256(content).hexdigest()}",
        f"description: {description} For measuring only; what it predicts means nothing.",
        "inputs:",
        *inputs,
        "output: { name: probabilities, index: 1 }",
        "",
    ]
    (folder / "model.yaml").write_text("\n".join(lines))
    numbers = np.round(random.random((GOLDEN_ROWS, len(NUMBERS))) * SIZES, 3).astype(np.float32)
    numbers[random.random(numbers.shape) < 0.05] = -1
    chosen = {text_name: random.choice(categories, (GOLDEN_ROWS, 1)) for text_name, categories in texts.items()}
    feeds = {"features": numbers} | {text_name: words.astype(object) for text_name, words in chosen.items()}
    (probabilities,) = InferenceSession(content).run(["probabilities"], feeds)
    with (folder / "golden.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*NUMBERS, *texts, "expected_score"])
        for row, (values, (_, score)) in enumerate(zip(numbers, probabilities)):
            shown = ["" if number == -1 else str(number) for number in values]
            writer.writerow([*shown, *[words[row, 0] for words in chosen.values()], f"{score:.9f}"])
    print(name, len(content), "bytes, scores", probabilities[:, 1])


random = np.random.default_rng(12)
bundle("text", text(random), {"country": COUNTRIES, "plan": PLANS}, "20 numbers and two text features.", random)
bundle("slow", slow(random), {}, "About 20,000 rows per second on one core, over 20 numbers.", random)
