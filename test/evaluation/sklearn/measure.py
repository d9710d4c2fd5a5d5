"""Cases of scores and outcomes with what scikit-learn says of them, as JSON: counts by distinct score in millionths."""
import argparse
import json

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score


def cases(seed):
    random = np.random.default_rng(seed)
    for users in (2, 3, 10, 500, 3_000):
        for distinct in (1, 4, 60, 1_000_001):
            for base in (0.05, 0.5, 0.85):
                millionths = random.choice(1_000_001, size=min(distinct, 5_000), replace=False)[random.integers(0, min(distinct, 5_000), users)]
                # Outcomes that lean on the score, around a base rate.
                outcome = random.random(users) < np.clip(base + (millionths / 1e6 - 0.5) / 2, 0.01, 0.99)
                if outcome.all() or not outcome.any():
                    outcome[0] = not outcome[0]
                yield f"{users} users, up to {distinct} scores, base {base}", millionths, outcome


def measured(name, millionths, outcome):
    scores, at = np.unique(millionths, return_inverse=True)
    positives = np.bincount(at, weights=outcome, minlength=len(scores))
    score = millionths / 1e6
    return {
        "name": name,
        "scores": scores.tolist(),
        "positives": positives.astype(int).tolist(),
        "negatives": (np.bincount(at, minlength=len(scores)) - positives).astype(int).tolist(),
        "roc_auc_score": roc_auc_score(outcome, score),
        "average_precision_score": average_precision_score(outcome, score),
        "brier_score_loss": brier_score_loss(outcome, score),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--most", type=int, default=3_000, help="leave out cases with more users")
    flags = parser.parse_args()
    found = [measured(*case) for case in cases(flags.seed) if len(case[1]) <= flags.most]
    print("[" + ",\n".join(json.dumps(case) for case in found) + "]")
