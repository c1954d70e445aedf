"""Great Expectations on a pandas table, the same rules but freshness. peer_gx.py FILES"""
import json
import sys
import time

import great_expectations as gx
import pyarrow.parquet

e = gx.expectations
start = time.perf_counter()
frame = pyarrow.parquet.ParquetDataset(json.loads(sys.argv[1])).read().to_pandas()
loaded = time.perf_counter()
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False, "metric_calculations": False}
batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
suite = gx.ExpectationSuite("s")
rules = [e.ExpectColumnValuesToBeUnique(column="id")]
rules += [e.ExpectColumnValuesToNotBeNull(column=c) for c in ("id", "region", "day", "email")]
rules += [e.ExpectColumnValuesToNotBeNull(column="age", mostly=0.99),
          e.ExpectColumnValuesToBeInSet(column="plan", value_set=["basic", "plus", "pro", "team"])]
for column, low, high in (("age", 18, 90), ("tenure", 0, 119), ("visits", 0, 399), ("clicks", 0, 89),
                          ("spend", 0, 1000), ("score", -1, 1), ("ratio", 0, 1)):
    rules.append(e.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high))
import datetime
rules += [e.ExpectColumnValuesToBeBetween(column="day", min_value=datetime.date(2024, 1, 1), max_value=datetime.date(2025, 12, 31)),
          e.ExpectColumnValuesToMatchRegex(column="region", regex="^r[0-9]+$"),
          e.ExpectColumnValuesToMatchRegex(column="email", regex="^[^@ ]+@[^@ ]+$"),
          e.ExpectTableRowCountToBeBetween(min_value=1)]
frame["most_clicks"] = frame["visits"] + 90
rules.append(e.ExpectColumnPairValuesAToBeGreaterThanB(column_A="most_clicks", column_B="clicks", or_equal=True))
for rule in rules:
    suite.add_expectation(rule)
result = batch.get_batch(batch_parameters={"dataframe": frame}).validate(suite)
end = time.perf_counter()
print(json.dumps({"load": loaded - start, "seconds": end - loaded, "passed": result.success,
                  "rules": len(rules)}))
