"""Trains the fraud model on payments that are drawn from a seed, with the features that the stream's feature file says in SQL.

Is this payment made by a thief? Six days are drawn; the trees learn from four, the fifth stops them, the sixth says how good they are.
Run `npm run build` first. Writes model.onnx, model.yaml and golden.csv beside this file: see README.md.
"""
import datetime as dt
import subprocess
import tempfile
from pathlib import Path

import duckdb
import lightgbm as lgb
import numpy as np
import onnxruntime as ort
from sklearn.metrics import average_precision_score, roc_auc_score

from bundle import COLUMNS, DERIVED, derived, manifest, to_onnx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SEED = 1
DRAWN = {"--seed": SEED, "--users": 1500, "--payments": 40000, "--days": 6, "--start": "2025-05-26"}
FIRST_DAY = dt.datetime(2025, 5, 26, tzinfo=dt.timezone.utc)
REVIEW, DECLINE = 0.3, 0.8
PARAMETERS = {
    "objective": "binary", "learning_rate": 0.06, "num_leaves": 15, "min_data_in_leaf": 40, "feature_fraction": 0.8,
    "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "seed": SEED, "deterministic": True, "force_row_wise": True,
    "num_threads": 1, "verbosity": -1,
}
MOST_TREES = 150


def run(*command):
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def load(folder):
    """A row per accepted payment: fields, features as of its arrival, attributes, and the label."""
    run("node", ".modules/scripts/fraud/generate.js", "--folder", folder, *(word for pair in DRAWN.items() for word in pair))
    db = duckdb.connect()
    # Without threads rows come in one order, and with it the same trees.
    db.execute("set threads = 1")
    for table in ("transactions", "users", "labels"):
        db.execute(f"create table {table} as from read_csv('{folder}/{table}.csv')")
    days = ("--from", FIRST_DAY.isoformat(), "--to", (FIRST_DAY + dt.timedelta(days=DRAWN["--days"])).isoformat())
    features = run("node", "dist/cli.js", "stream", "sql", "--job", "jobs/fraud/fraud.yaml", "--table", "transactions", *days)
    db.execute(f"create table features as {features}")
    frame = db.execute("""
        select f.*, u.* exclude (user_id, version), l.kind as fraud, epoch_ms("at") as paid_at
        from features f left join (from users qualify version = max(version) over (partition by user_id)) u using (user_id)
        left join labels l using (transaction_id)
        where amount is not null order by "at", transaction_id""").df()
    frame["day"] = (frame["paid_at"] - FIRST_DAY.replace(tzinfo=None)).dt.days
    return frame


def matrix(frame):
    return np.hstack([frame[COLUMNS].astype(float).to_numpy(np.float32), derived(frame)])


def feeds(frame):
    text = {name: frame[[name]].fillna("").astype(str).to_numpy(object) for name in ("category", "country", "home_country")}
    return {"numbers": frame[COLUMNS].astype(float).to_numpy(np.float32), "declined": frame[["declined"]].to_numpy(bool), **text}


def fit(days, label, columns=slice(None)):
    train = lgb.Dataset(matrix(days["train"])[:, columns], label["train"])
    valid = train.create_valid(matrix(days["validation"])[:, columns], label["validation"])
    return lgb.train(PARAMETERS, train, MOST_TREES, [valid], callbacks=[lgb.early_stopping(20, verbose=False)])


def report(frame, scores):
    fraud = frame["fraud"].notna().to_numpy()
    print(f"\n| kind | payments | score >= {REVIEW} | score >= {DECLINE} |\n| --- | ---: | ---: | ---: |")
    for kind in ("card testing", "account take-over", "single fraud"):
        of = (frame["fraud"] == kind).to_numpy()
        print(f"| {kind} | {of.sum():,} | {(scores[of] >= REVIEW).mean():.1%} | {(scores[of] >= DECLINE).mean():.1%} |")
    own = scores[~fraud]
    print(f"| the users' own | {len(own):,} | {(own >= REVIEW).mean():.3%} | {(own >= DECLINE).mean():.3%} |")


def main():
    with tempfile.TemporaryDirectory() as folder:
        frame = load(folder)
    days = {"train": frame[frame["day"] < 4], "validation": frame[frame["day"] == 4], "test": frame[frame["day"] == 5]}
    label = {name: rows["fraud"].notna() for name, rows in days.items()}
    booster = fit(days, label)
    content = to_onnx(booster)

    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    figures, scores = {}, {}
    print(f"{booster.best_iteration} trees, {len(content):,} bytes\n")
    print("| rows | payments | fraud | AUC | average precision |\n| --- | ---: | ---: | ---: | ---: |")
    for name, rows in days.items():
        scores[name] = booster.predict(matrix(rows))
        given = session.run(["probabilities"], feeds(rows))[0][:, 1]
        difference = np.abs(given - scores[name]).max()
        assert difference < 1e-6, f"the graph differs from LightGBM by {difference}"
        auc, precision = roc_auc_score(label[name], scores[name]), average_precision_score(label[name], scores[name])
        figures |= {f"{name}_auc": auc, f"{name}_average_precision": precision}
        print(f"| {name} | {len(rows):,} | {label[name].mean():.2%} | {auc:.4f} | {precision:.4f} |")
    # The same trees for who sees a payment and its user, but not the minutes before it.
    alone = [i for i, name in enumerate([*COLUMNS, *DERIVED]) if not name.endswith(("_5m", "_15m", "_1h", "_last"))]
    blind = average_precision_score(label["test"], fit(days, label, alone).predict(matrix(days["test"])[:, alone]))
    figures["test_average_precision_without_windows"] = blind
    print(f"\nwithout windows, average precision of the test rows: {blind:.4f}")
    report(days["test"], scores["test"])

    (HERE / "model.onnx").write_bytes(content)
    (HERE / "model.yaml").write_text(manifest(content, {name: len(rows) for name, rows in days.items()}, figures))
    with tempfile.TemporaryDirectory() as folder:
        rows = days["validation"][[*COLUMNS, "declined", "category", "country", "home_country"]].copy()
        rows["expected"] = [f"{score:.9f}" for score in scores["validation"]]
        rows.to_csv(f"{folder}/rows.csv", index=False, lineterminator="\n")
        run("node", "dist/cli.js", "model", "reference", HERE, "--csv", f"{folder}/rows.csv", "--expected", "expected", "--write", "--force")


if __name__ == "__main__":
    main()
