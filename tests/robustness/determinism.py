"""Joins and aggregates of doubles under `deterministic: true`: runs with 1 and 2 threads give
byte-equal snapshots, model and scores. Without it: byte-equal model and scores on the same snapshot.

    determinism.py ROWS RUNS
"""
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile

from harness import HEADRACE, Tally, environment


def write_project(root, rows):
    os.makedirs(os.path.join(root, "pipeline"))
    rng = random.Random(5)
    groups = max(500, rows // 40)
    with open(os.path.join(root, "facts.csv"), "w") as file:
        file.write("id,customer,amount,weight,kind\n")
        for i in range(rows):
            file.write(f"{i},{rng.randrange(groups)},{rng.random() * 1e6:.9g},{rng.gauss(0, 1):.17g},"
                       f"{rng.choice('abcde')}\n")
    with open(os.path.join(root, "customers.csv"), "w") as file:
        file.write("customer,region,bias\n")
        for i in range(groups):
            file.write(f"{i},r{i % 7},{rng.gauss(0, 1):.9g}\n")
    files = {
        "headrace.yml": "project: determinism\n",
        "pipeline/facts.yml": "source: csv\npath: facts.csv\n",
        "pipeline/customers.yml": "source: csv\npath: customers.csv\n",
        "pipeline/features.sql":
            "SELECT c.customer, c.region, any_value(c.bias) AS bias, sum(f.amount) AS total,\n"
            "  avg(f.weight) AS mean, stddev(f.amount) AS spread, corr(f.amount, f.weight) AS link,\n"
            "  count(*) AS n, sum(f.weight) + any_value(c.bias) * 3 > 0 AS label\n"
            "FROM facts f JOIN customers c ON c.customer = f.customer GROUP BY c.customer, c.region\n",
        "pipeline/features.yml": "deterministic: true\n",
        "pipeline/m.yml": "model: classification\nfrom: features\ntarget: label\nkey: customer\n"
                          "budget: {trials: 3}\nseed: 3\n",
        "pipeline/scores.yml": "predict: m\nfrom: features\nkeep: [customer]\ndeterministic: true\n",
    }
    for path, text in files.items():
        with open(os.path.join(root, path), "w") as file:
            file.write(text)


def run(root, *arguments):
    done = subprocess.run([HEADRACE, *arguments], cwd=root, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def digests(root, parts):
    """Part → digest of its files' bytes, names of builds left out."""
    found = {}
    for part in parts:
        files = []
        for folder, _, names in os.walk(os.path.join(root, ".headrace", "dev", part)):
            for name in sorted(names):
                # Times and ids stand in manifest, card and model.json beside the content.
                if name.endswith((".parquet", ".txt", ".bin")):
                    with open(os.path.join(folder, name), "rb") as file:
                        files.append((name, hashlib.sha256(file.read()).hexdigest()))
        found[part] = sorted(files)
        assert files, f"{part} has no files"
    return found


def main(rows, runs):
    tally = Tally()
    folder = tempfile.mkdtemp(prefix="headrace-")
    base = os.path.join(folder, "base")
    write_project(base, rows)
    first = None
    for number in range(runs):
        root = os.path.join(folder, f"run{number}")
        shutil.copytree(base, root)
        run(root, "run", "--quiet", "--threads", str(1 + number % 2))
        found = digests(root, ["tables/features", "models/m", "tables/scores"])
        if first is None:
            first = found
        tally.check(f"run {number + 1} with {1 + number % 2} threads",
                    [f"{part} differs" for part in first if found[part] != first[part]])
        shutil.rmtree(root)
    # The same snapshot, trained and scored again and again.
    root = os.path.join(folder, "same")
    shutil.copytree(base, root)
    os.remove(os.path.join(root, "pipeline", "features.yml"))
    run(root, "run", "--quiet", "--threads", "2", "+features")
    again = None
    for number in range(runs):
        copy = os.path.join(folder, "copy")
        shutil.copytree(root, copy)
        run(copy, "run", "--quiet", "--threads", str(1 + number % 2), "m", "scores")
        found = digests(copy, ["models/m", "tables/scores"])
        if again is None:
            again = found
        tally.check(f"same snapshot, training {number + 1} with {1 + number % 2} threads",
                    [f"{part} differs" for part in again if found[part] != again[part]])
        shutil.rmtree(copy)
    shutil.rmtree(folder)
    tally.end()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
