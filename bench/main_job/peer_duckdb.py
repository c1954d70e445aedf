"""The leanest hand-written form: DuckDB for everything but the trees, LightGBM's C API underneath
(lightgbm.Dataset and Booster on float64 columns). Keeps what Headrace keeps: the tables as Parquet."""
import json
import os
import sys
import time

import duckdb
import lightgbm
import numpy

start = time.perf_counter()
folder, threads = sys.argv[1], int(sys.argv[2])
os.makedirs("out", exist_ok=True)
db = duckdb.connect()
db.execute(f"SET threads={threads}")
for name in ("events", "regions"):
    db.execute(f"COPY (SELECT * FROM read_csv('{folder}/{name}.csv')) TO 'out/{name}.parquet' (COMPRESSION zstd)")
db.execute("""COPY (SELECT e.id, e.plan, e.channel, e.device, e.age, e.tenure, e.visits, e.clicks, e.spend,
  e.score_a, e.score_b, e.score_c, e.score_d, e.ratio, e.balance, e.calls, e.errors,
  e.clicks / (e.visits + 1.0) AS click_rate, e.spend / (e.tenure + 1.0) AS spend_per_month,
  r.population, r.wealth, e.bought
  FROM 'out/events.parquet' e JOIN 'out/regions.parquet' r ON r.region = e.region)
  TO 'out/features.parquet' (COMPRESSION zstd)""")
columns = db.execute("""SELECT id, dense_rank() OVER (ORDER BY plan) - 1 AS plan, dense_rank() OVER (ORDER BY channel) - 1 AS channel,
  dense_rank() OVER (ORDER BY device) - 1 AS device, * EXCLUDE (id, plan, channel, device)
  FROM 'out/features.parquet' ORDER BY id""").fetchnumpy()
ids, label = columns.pop("id"), columns.pop("bought")
matrix = numpy.column_stack([numpy.ma.filled(numpy.ma.asarray(c, dtype="float64"), numpy.nan) for c in columns.values()])
del columns
test = numpy.random.default_rng(1).random(len(ids)) < 0.2
before = time.perf_counter()
data = lightgbm.Dataset(matrix[~test], label[~test], categorical_feature=[0, 1, 2], params={"verbose": -1})
model = lightgbm.train({"objective": "binary", "num_leaves": 31, "learning_rate": 0.1, "num_threads": threads,
                        "deterministic": True, "force_row_wise": True, "verbose": -1}, data, 100)
training = time.perf_counter() - before
probability = model.predict(matrix, num_threads=threads)
order = numpy.argsort(probability[test], kind="stable")
truth = label[test][order]
ranks = numpy.arange(1, len(truth) + 1)
auc = (ranks[truth == 1].sum() - truth.sum() * (truth.sum() + 1) / 2) / (truth.sum() * (len(truth) - truth.sum()))
prediction = (probability >= 0.5).astype("int8")
scores = {"id": ids, "probability": probability, "prediction": prediction}
db.execute("COPY (SELECT * FROM scores) TO 'out/scores_duckdb.parquet' (COMPRESSION zstd)")
print(json.dumps({"total": time.perf_counter() - start, "training": training, "auc": float(auc)}))
