"""The same job as a data scientist writes it: pandas, scikit-learn, LightGBM. Prints seconds as JSON."""
import json
import os
import sys
import time

import lightgbm
import pandas
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

start = time.perf_counter()
folder, threads = sys.argv[1], int(sys.argv[2])
events = pandas.read_csv(os.path.join(folder, "events.csv"))
regions = pandas.read_csv(os.path.join(folder, "regions.csv"))
table = events.merge(regions, on="region")
table["click_rate"] = table.clicks / (table.visits + 1.0)
table["spend_per_month"] = table.spend / (table.tenure + 1.0)
table = table.drop(columns=["region", "since"])
for column in ("plan", "channel", "device"):
    table[column] = table[column].astype("category")
features = table.drop(columns=["id", "bought"])
train_x, test_x, train_y, test_y = train_test_split(features, table.bought, test_size=0.2, random_state=1)
before = time.perf_counter()
model = lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, learning_rate=0.1, n_jobs=threads,
                                deterministic=True, force_row_wise=True, verbose=-1)
model.fit(train_x, train_y)
training = time.perf_counter() - before
auc = roc_auc_score(test_y, model.predict_proba(test_x)[:, 1])
scores = pandas.DataFrame({"id": table.id, "probability": model.predict_proba(features)[:, 1]})
scores["prediction"] = (scores.probability >= 0.5).astype(int)
os.makedirs("out", exist_ok=True)
scores.to_parquet("out/scores_pandas.parquet", compression="zstd")
print(json.dumps({"total": time.perf_counter() - start, "training": training, "auc": auc}))
