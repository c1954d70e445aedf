#pragma once
// The model package: what a training run leaves, what is scored and exported. A folder:
//   model.json      everything but the members' own texts; carries the digests of the other files
//   members/<n>.txt each member in its library's own format (LightGBM text, linear JSON, …)
//   profile.json    reference statistics of the training rows
//   evaluation.json curves, calibration, influence, slices for the report (may be absent)
//   rows.bin        which rows the model has seen, with its out-of-fold or test scores for them
//   card.md         for people
//   MLmodel         for MLflow tools
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/hash.h"
#include "base/result.h"
#include "model/encoder.h"

namespace headrace::model {

enum class Task { kBinary, kMulticlass, kRegression };
const char* Name(Task task);  ///< "binary", "multiclass", "regression"

/// One model of the ensemble. Margins are averaged with the weights (sum 1).
struct Member {
  std::string name;  ///< unique in the package, e.g. "lightgbm_2"
  std::string kind;  ///< lightgbm | linear | baseline
  double weight = 1;
  std::string text;  ///< the member in its own format
};

/// calibrated margin of output k = scale * margin + offsets[k].
struct Calibration {
  double scale = 1;
  std::vector<double> offsets;  ///< one per output
};

/// A metric with its 95 % bounds.
struct MetricValue {
  double value = 0, low = 0, high = 0;
  int64_t rows = 0;  ///< that gave the number
};

/// What the model knew of each labelled row, sorted by id. `scores` holds calibrated margins that
/// were computed without the row (out of fold, or on the test set): rows × outputs; NaN = none.
struct SeenRows {
  struct Row {
    uint64_t id = 0;       ///< hash of the key, or of the content
    uint64_t content = 0;  ///< hash of `columns` and target
    bool trained = false;  ///< false: only ever in the test set
  };
  std::vector<Row> rows;
  int outputs = 0;
  std::vector<double> scores;
  /// Of the table it learned from, in the order in which they were hashed: later tables may have
  /// more columns. `key` empty: rows are known by their columns.
  std::vector<std::string> columns, key;

  /// Index into rows of an id, or -1.
  int64_t Find(uint64_t id) const;
};

/// A whole package in memory. Plain data.
struct Package {
  static constexpr int kFormat = 1;

  std::string model;    ///< name of the node
  int64_t version = 0;  ///< given by the store; not part of the content hash
  Task task = Task::kBinary;
  std::string target;
  std::string target_type;  ///< DuckDB type of the prediction
  /// Texts of the classes in the order of outputs; binary: negative, positive. Empty: regression.
  std::vector<std::string> classes;
  Encoder encoder;  ///< with the signature
  std::vector<Member> members;
  Calibration calibration;
  double threshold = 0.5;  ///< binary: prediction is positive from here on
  /// classes × classes, by actual class, then predicted; empty: none. Several classes: the
  /// prediction is the class of least expected cost.
  std::vector<double> costs;

  std::string metric;                          ///< the one that chose the model
  std::map<std::string, MetricValue> metrics;  ///< on the test or out-of-fold rows
  std::string split;                           ///< one sentence: which rows gave the numbers
  std::string report = "{}";  ///< JSON object: split, leaderboard, gates, findings, trials
  /// JSON object: what charts show, aggregates only (learn/evaluation_summary.cc). "" = none.
  std::string evaluation;
  std::string profile = "{}";                      ///< JSON object: reference statistics per column
  std::string data_fingerprint, code_fingerprint;  ///< given by the pipeline; may be empty
  int64_t training_rows = 0;
  int64_t seed = 0;
  std::string created;  ///< time of the run as text, given by the pipeline; may be empty
  SeenRows seen;

  /// Number of margins a row has: 1, or the number of classes when there are more than two.
  int outputs() const;
};

/// Identity of what the package computes: task, classes, encoder, members (a library's text without
/// its parameters block, so thread counts can't matter), weights, calibration, threshold.
Hash128 ContentHash(const Package& package);

/// The files of a package, path inside the folder → bytes. Deterministic.
std::map<std::string, std::string> PackageFiles(const Package& package);

/// Writes to `temporary` (created; must be on the file system of `directory`), syncs every file and
/// folder, renames to `directory` and syncs its parent. Crash points model.written, model.synced,
/// model.renamed, model.dir_synced. An existing `directory` is an error "already_there".
Status WritePackage(FileSystem& fs, const Package& package, const std::string& temporary,
                    const std::string& directory);

/// Reads and checks all of it: sizes, digests, JSON, encoder, members' structure (by building
/// them), weights. Errors "damaged_model" (with the reason) and "newer_format".
Result<Package> ReadPackage(FileSystem& fs, const std::string& directory);

}  // namespace headrace::model
