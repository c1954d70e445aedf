"""One aggregate scan that answers the same questions, written by hand. peer_duckdb.py FILES THREADS"""
import json
import sys
import time

import duckdb

start = time.perf_counter()
db = duckdb.connect()
db.execute(f"SET threads={int(sys.argv[2])}")
row = db.execute(f"""SELECT count(*), count(id) - count(DISTINCT id),
  count(*) FILTER (WHERE id IS NULL), count(*) FILTER (WHERE region IS NULL),
  count(*) FILTER (WHERE age IS NULL), count(*) FILTER (WHERE day IS NULL),
  count(*) FILTER (WHERE email IS NULL),
  count(*) FILTER (WHERE plan NOT IN ('basic', 'plus', 'pro', 'team')),
  count(*) FILTER (WHERE age < 18 OR age > 90), count(*) FILTER (WHERE tenure < 0 OR tenure > 119),
  count(*) FILTER (WHERE visits < 0 OR visits > 399), count(*) FILTER (WHERE clicks < 0 OR clicks > 89),
  count(*) FILTER (WHERE spend < 0 OR spend > 1000 OR isnan(spend)),
  count(*) FILTER (WHERE score < -1 OR score > 1 OR isnan(score)),
  count(*) FILTER (WHERE ratio < 0 OR ratio > 1 OR isnan(ratio)),
  count(*) FILTER (WHERE day < DATE '2024-01-01' OR day > DATE '2025-12-31'),
  count(*) FILTER (WHERE NOT regexp_full_match(region, 'r[0-9]+')),
  count(*) FILTER (WHERE NOT regexp_full_match(email, '[^@ ]+@[^@ ]+')),
  count(*) FILTER (WHERE NOT (clicks <= visits + 90)), max(day)
  FROM read_parquet({json.loads(sys.argv[1])})""").fetchone()
print(json.dumps({"seconds": time.perf_counter() - start, "answers": [str(v) for v in row]}))
