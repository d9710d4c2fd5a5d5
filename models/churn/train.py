"""Trains the churn model the way it could have been trained on Monday 1997-03-10.

Will a new customer, as known at the end of the week of the first order, place no order in the 28 days after that week?
The features come from jobs/new_users.sql itself, run once per ISO week, so training and serving share one definition.

Writes model.onnx, model.yaml, golden.csv and baseline.csv beside this file and test/fixtures/expected_w11.csv.
"""
import csv
import datetime as dt
import re
from copy import deepcopy
from pathlib import Path

import duckdb
import numpy as np
import onnxruntime as ort
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from bundle import COLUMNS, PRICE_DEFAULT, TRAINED_ON, baseline_rows, golden_rows, manifest, to_onnx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SEED = 19970310
CANDIDATES = [((width, second), alpha) for width, second in [(16, 16), (32, 16), (32, 32)] for alpha in (1e-3, 1e-1, 1.0)]
EPOCHS = 60


def load_weeks(weeks):
    """One row per new customer of each ISO week: the features known at the week's end, and what came after."""
    db = duckdb.connect()
    db.execute("create table orders (customer_id BIGINT, date DATE, cds INTEGER, amount DECIMAL(10,2))")
    db.execute(f"copy orders from '{ROOT / 'data/cdnow/transactions.csv'}' (header)")
    features = re.sub(r":(\w+)", r"$\1", (ROOT / "jobs/new_users.sql").read_text())
    frames = []
    for week in weeks:
        start = dt.date.fromisocalendar(1997, week, 1)
        end = start + dt.timedelta(days=7)
        frame = db.execute(features, {"window_start_date": start, "window_end_date": end}).df()
        came_back = db.execute(
            "select distinct customer_id from orders where date >= $1 and date < $1 + 28", [end]).df()["customer_id"]
        frame["stayed_away"] = ~frame["customer_id"].isin(came_back)
        frame["week"] = week
        frames.append(frame.sort_values("customer_id"))
    return pd.concat(frames, ignore_index=True)


def matrix(frame):
    return frame[COLUMNS].fillna({"price_per_cd": PRICE_DEFAULT}).to_numpy(np.float32)


def fit(x, y, x_val, y_val):
    """The network and the epoch with the lowest validation log loss; accuracy would say nothing at a base rate of 84 %."""
    best = (np.inf, None, "")
    for hidden, alpha in CANDIDATES:
        net = MLPClassifier(hidden, alpha=alpha, batch_size=128, learning_rate_init=1e-3, random_state=SEED)
        for epoch in range(1, EPOCHS + 1):
            net.partial_fit(x, y, classes=[False, True])
            loss = log_loss(y_val, net.predict_proba(x_val)[:, 1])
            if loss < best[0]:
                best = (loss, deepcopy(net), f"hidden layers {hidden}, alpha {alpha}, {epoch} epochs")
    return best[1], best[2]


def decile_table(frame, scores):
    """Decile 1 is the riskiest tenth; equal scores are ordered by the key, as the runner publishes them."""
    table = pd.DataFrame({"score": scores.astype(float), "key": frame["customer_id"], "away": frame["stayed_away"]})
    table = table.assign(rank_score=table["score"].round(6)).sort_values(["rank_score", "key"], ascending=[False, True])
    table["decile"] = np.arange(len(table)) * 10 // len(table) + 1
    lines = ["| decile | customers | mean score | did not come back |", "| ---: | ---: | ---: | ---: |"]
    for decile, rows in table.groupby("decile"):
        lines.append(f"| {decile} | {len(rows)} | {rows['score'].mean():.4f} | {rows['away'].mean():.1%} |")
    return "\n".join(lines)


def main():
    frame = load_weeks(range(1, 12)).astype({"cds": int})
    known = frame[frame["week"] <= 6]
    assert dt.date.fromisocalendar(1997, 6, 1) + dt.timedelta(days=7 + 28) <= TRAINED_ON, "an outcome was not known in time"
    train, validation = train_test_split(known, test_size=0.25, random_state=SEED, stratify=known[["week", "stayed_away"]])
    train, validation = train.sort_index(), validation.sort_index()

    prepare = make_pipeline(FunctionTransformer(np.log1p), StandardScaler())
    x, x_val = prepare.fit_transform(matrix(train)), prepare.transform(matrix(validation))
    net, chosen = fit(x, train["stayed_away"], x_val, validation["stayed_away"])
    line = LogisticRegression().fit(x, train["stayed_away"])

    content = to_onnx(prepare[-1], net)
    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])

    def score(rows):
        return session.run(["probabilities"], {"features": matrix(rows)})[0][:, 1]

    sizes = {name: np.abs(score(rows) - net.predict_proba(prepare.transform(matrix(rows)))[:, 1]).max()
             for name, rows in (("train", train), ("validation", validation))}
    assert max(sizes.values()) < 1e-5, f"the graph differs from scikit-learn: {sizes}"

    print(f"chosen on validation: {chosen}\n")
    print("| rows | customers | base rate | mean score | AUC | Brier | Brier of the base rate | AUC of a logistic regression |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    figures = {}
    parts = {"train": train, "validation": validation} | {f"W{week:02}": frame[frame["week"] == week] for week in range(7, 12)}
    for name, rows in parts.items():
        y, p = rows["stayed_away"], score(rows)
        auc, brier = roc_auc_score(y, p), brier_score_loss(y, p)
        figures[name] = (auc, brier, y.mean())
        plain = roc_auc_score(y, line.predict_proba(prepare.transform(matrix(rows)))[:, 1])
        constant = brier_score_loss(y, np.full(len(y), train["stayed_away"].mean()))
        print(f"| {name} | {len(rows)} | {y.mean():.4f} | {p.mean():.4f} | {auc:.4f} | {brier:.4f} | {constant:.4f} | {plain:.4f} |")
    holdout = parts["W11"]
    print(f"\nW11, the hold-out:\n\n{decile_table(holdout, score(holdout))}")

    golden = golden_rows(known, score(known))
    golden["expected_score"] = [f"{value:.9f}" for value in score(golden)]
    golden.to_csv(HERE / "golden.csv", index=False, lineterminator="\n")
    with open(ROOT / "test/fixtures/expected_w11.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["customer_id", "score"])
        out.writerows([key, f"{value:.9f}"] for key, value in zip(holdout["customer_id"], score(holdout), strict=True))

    (HERE / "model.onnx").write_bytes(content)
    rows = baseline_rows(train, SEED)
    (HERE / "baseline.csv").write_text(rows)
    (HERE / "model.yaml").write_text(manifest(content, rows, chosen, figures, train, validation, score(validation)))


if __name__ == "__main__":
    # More BLAS threads would add up in another order and so give another file.
    with threadpool_limits(1):
        main()
