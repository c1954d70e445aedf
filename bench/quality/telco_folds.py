"""Mean AUC of the product on saved folds: for every fold a project whose labelled rows are the other
folds, scored on the fold itself.

    telco_folds.py DATA.csv FOLDS.csv [TARGET POSITIVE DROP]
"""
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("HEADRACE_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
HEADRACE = os.path.join(os.path.abspath(BUILD), "headrace")


def auc(truth, score):
    order = sorted(range(len(score)), key=lambda i: score[i])
    ranks, i = [0.0] * len(score), 0
    while i < len(order):
        j = i
        while j + 1 < len(order) and score[order[j + 1]] == score[order[i]]:
            j += 1
        for k in range(i, j + 1):
            ranks[order[k]] = (i + j) / 2 + 1
        i = j + 1
    positive = sum(truth)
    total = sum(r for r, t in zip(ranks, truth) if t)
    return (total - positive * (positive + 1) / 2) / (positive * (len(truth) - positive))


def main(data, folds, target="Churn", positive="Yes", drop="customerID"):
    with open(data) as file:
        rows = list(csv.DictReader(file))
    with open(folds) as file:
        fold = [int(r["fold"]) for r in csv.DictReader(file)]
    scores = []
    for k in sorted(set(fold)):
        folder = tempfile.mkdtemp()
        os.makedirs(os.path.join(folder, "pipeline"))
        names = [n for n in rows[0] if n not in (target, drop)]
        for name, keep in (("train", lambda f: f != k), ("test", lambda f: f == k)):
            with open(os.path.join(folder, name + ".csv"), "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["row_id"] + names + ([target] if name == "train" else []))
                for i, (row, f) in enumerate(zip(rows, fold)):
                    if keep(f):
                        writer.writerow([i] + [row[n].strip() for n in names] +
                                        ([row[target]] if name == "train" else []))
            with open(os.path.join(folder, "pipeline", name + ".yml"), "w") as file:
                file.write(f"source: csv\npath: {name}.csv\n")
        with open(os.path.join(folder, "headrace.yml"), "w") as file:
            file.write("project: folds\n")
        with open(os.path.join(folder, "pipeline", "m.yml"), "w") as file:
            file.write(f"model: classification\nfrom: train\ntarget: {target}\npositive: \"{positive}\"\nkey: row_id\n")
        with open(os.path.join(folder, "pipeline", "scores.yml"), "w") as file:
            file.write("predict: m\nfrom: test\nkeep: [row_id]\n")
        with open(os.path.join(folder, "pipeline", "out.yml"), "w") as file:
            file.write("sink: csv\nfrom: scores\npath: out.csv\n")
        subprocess.run([HEADRACE, "run", "--quiet"], cwd=folder, check=True)
        with open(os.path.join(folder, "out.csv")) as file:
            out = list(csv.DictReader(file))
        scores.append(auc([rows[int(r["row_id"])][target] == positive for r in out],
                          [float(r["probability"]) for r in out]))
        print(f"fold {k}: {scores[-1]:.5f}", flush=True)
        shutil.rmtree(folder)
    print(f"mean {sum(scores) / len(scores):.5f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
