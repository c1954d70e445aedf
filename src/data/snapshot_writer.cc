// A query's rows are observed (digest, profile) while they are written, which saves a second pass
// over the Parquet file; DuckDB calls hr_observe for each chunk on its way:
//
//   COPY (SELECT "a", CASE WHEN hr_observe(7, "a", "b") THEN "b" END AS "b" FROM (<select>)) TO …
//
// CASE and not WHERE: DuckDB merges neighbouring filters and may run ours before the user's. That
// every row that was written was observed exactly once is checked by count; should a plan ever do
// otherwise, the file is read back and observed then. The CASE copies nothing: when its condition
// holds for a whole chunk, DuckDB passes the vector on.
//
// DuckDB's COPY neither syncs nor renames and leaves a partial file behind a fault, so it writes
// below tmp/ and Publish does the rest.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/crash_point.h"
#include "data/duck_internal.h"
#include "data/quote.h"
#include "data/snapshot.h"

namespace headrace::data {
namespace {

// zstd level 1 takes 17 % less CPU than level 3; its files are 17 % larger (1 M x 20 columns of
// CSV).
constexpr std::string_view kParquet = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1";

std::string OrderBy(const MaterializeRequest& request, const Schema& stored) {
  if (!request.ordered && request.order_by.empty()) return "";
  std::string out = " ORDER BY ";
  for (const std::string& column : request.order_by) out += QuoteIdentifier(column) + ", ";
  return out + RowHashSql(stored.Names());
}

/// A SELECT around the user's, whose places of errors are still those of the user's text.
struct Wrapped {
  std::string sql;
  size_t prefix_bytes = 0;
};

std::string ObservedItems(const Schema& stored, const std::string& observe) {
  size_t carrier = 0;  // a column of fixed size, if there is one
  for (size_t i = stored.size(); i > 0; --i) {
    if (IsNumber(ClassOf(stored.columns[i - 1].type))) carrier = i - 1;
  }
  std::string out;
  for (size_t i = 0; i < stored.size(); ++i) {
    std::string name = QuoteIdentifier(stored.columns[i].name);
    if (i > 0) out += ", ";
    out += i == carrier ? fmt::format("CASE WHEN {} THEN {} END AS {}", observe, name, name) : name;
  }
  return out;
}

/// `items` of the user's rows, cast to the stored types, chosen by `where` and ordered.
Wrapped SelectOver(std::string_view select, const Schema& result, const Schema& stored,
                   const std::string& where, const std::string& order_by,
                   const std::string& items) {
  std::string head = fmt::format("SELECT {} FROM (", items);
  std::string tail = ")";
  if (!order_by.empty() || !where.empty()) {
    head += "SELECT * FROM (";
    tail = ")" + where + order_by + tail;
  }
  if (result != stored) {
    head += fmt::format("SELECT {} FROM (", StoredSelectList(result, stored));
    tail = ")" + tail;
  }
  return {fmt::format("{}\n{}\n{}", head, select, tail), head.size() + 1};
}

Error CountMismatch(int64_t rows, int64_t observed) {
  return InternalError(fmt::format("{} rows were read, {} observed", rows, observed));
}

}  // namespace

Result<Observation> Observe(DuckConnection& connection, const std::string& select,
                            const Parameters& parameters, const QueryOptions& options) {
  HR_ASSIGN(Schema result, connection.Describe(select, parameters, options));
  HR_ASSIGN(Schema stored, StoredSchema(result));
  internal::Observer observer(stored);
  internal::ObserverHandle handle(internal::Access::State(connection.instance()), observer);
  std::string items = fmt::format("count(*), count(*) FILTER (WHERE {})", handle.Sql(stored));
  Wrapped wrapped = SelectOver(WithoutSemicolon(select), result, stored, "", "", items);
  QueryOptions inner = options;
  inner.prefix_bytes += wrapped.prefix_bytes;
  HR_ASSIGN(Rows rows, connection.Query(wrapped.sql, parameters, inner));
  Digest digest = observer.digest();
  int64_t count = rows.at(0, 0).AsInt64();
  if (count != digest.rows) return CountMismatch(count, digest.rows);
  return Observation{std::move(stored), digest, observer.profile()};
}

namespace {

/// The files of a folder as a list in SQL: a glob would stumble over brackets in its name.
Result<std::string> FileList(FileSystem& fs, const std::string& folder) {
  HR_ASSIGN(std::vector<FileInfo> entries, fs.List(folder));
  std::string out;
  for (const FileInfo& entry : entries) {
    out += (out.empty() ? "" : ", ") + QuoteLiteral(JoinPath(folder, BaseName(entry.path)));
  }
  return "[" + out + "]";
}

/// Has the system write a file to disk while DuckDB still adds to it: the sync at the end would
/// wait for all of it, with nothing else to do. It promises nothing and no fault of it matters, so
/// it is not a matter of FileSystem.
class EarlySync {
 public:
  explicit EarlySync(std::string path) : path_(std::move(path)) {
    thread_ = std::thread([this] {
      std::unique_lock lock(mutex_);
      while (!ended_.wait_for(lock, kPause, [this] { return end_; })) Start();
    });
  }
  ~EarlySync() {
    {
      std::lock_guard lock(mutex_);
      end_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }
  EarlySync(const EarlySync&) = delete;

 private:
  static constexpr std::chrono::milliseconds kPause{500};

  void Start() const {
    const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    (void)sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
    (void)close(file);
  }

  const std::string path_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

/// Writes part-<n>.parquet into the folder.
Result<Observation> WriteParquet(FileSystem& fs, DuckConnection& connection,
                                 const MaterializeRequest& request, const Schema& result,
                                 const Schema& stored, const std::string& folder, bool& read_back) {
  internal::Observer observer(stored);
  int64_t rows = 0;
  std::string where;
  if (request.sample) {
    HR_ASSIGN(where, SampleCondition(*request.sample, stored));
    where = " WHERE " + where;
  }
  {
    internal::ObserverHandle handle(internal::Access::State(connection.instance()), observer);
    Wrapped wrapped =
        SelectOver(WithoutSemicolon(request.select), result, stored, where,
                   OrderBy(request, stored), ObservedItems(stored, handle.Sql(stored)));
    std::string head = "COPY (";
    QueryOptions options = request.query;
    options.prefix_bytes += head.size() + wrapped.prefix_bytes;
    std::string to = JoinPath(folder, "part-0.parquet"), cut = "USE_TMP_FILE false";
    if (request.file_rows > 0) {
      to = folder;
      cut =
          fmt::format("ROW_GROUPS_PER_FILE {}, FILENAME_PATTERN 'part-{{i}}', OVERWRITE_OR_IGNORE",
                      std::max<int64_t>(1, request.file_rows / request.row_group_rows));
    }
    std::string sql = fmt::format("{}{}) TO {} ({}, ROW_GROUP_SIZE {}, {})", head, wrapped.sql,
                                  QuoteLiteral(to), kParquet, request.row_group_rows, cut);
    std::optional<EarlySync> early;
    if (request.file_rows <= 0) early.emplace(to);
    HR_ASSIGN(rows, connection.Execute(sql, request.parameters, options));
  }
  Observation out{stored, observer.digest(), observer.profile()};
  read_back = out.digest.rows != rows;
  if (!read_back) return out;
  QueryOptions again{request.query.cancel, request.query.progress, 0};
  HR_ASSIGN(std::string files, FileList(fs, folder));
  HR_ASSIGN(out,
            Observe(connection, fmt::format("SELECT * FROM read_parquet({})", files), {}, again));
  if (out.digest.rows != rows) return CountMismatch(rows, out.digest.rows);
  return out;
}

int PartOf(const std::string& path) {
  return std::atoi(BaseName(path).c_str() + std::string_view("part-").size());
}

/// The files that were written, in the order of their rows.
Result<std::vector<SnapshotFile>> FilesIn(FileSystem& fs, DuckConnection& connection,
                                          const std::string& folder, const std::string& published,
                                          int64_t rows) {
  HR_ASSIGN(std::vector<FileInfo> entries, fs.List(folder));
  std::vector<SnapshotFile> files;
  for (const FileInfo& entry : entries) {
    files.push_back({JoinPath(published, BaseName(entry.path)), rows, entry.size});
  }
  std::sort(files.begin(), files.end(), [](const SnapshotFile& a, const SnapshotFile& b) {
    return PartOf(a.path) < PartOf(b.path);
  });
  if (files.empty()) return InternalError("DuckDB wrote no file");
  if (files.size() == 1) return files;
  HR_ASSIGN(std::string list, FileList(fs, folder));
  HR_ASSIGN(Rows found, connection.Query(fmt::format(
                            "SELECT file_name, num_rows FROM parquet_file_metadata({})", list)));
  int64_t sum = 0;
  for (size_t n = 0; n < found.size(); ++n) {
    const size_t part = static_cast<size_t>(PartOf(found.at(n, 0).Text()));
    if (part >= files.size()) return InternalError("DuckDB wrote files of other names");
    sum += files[part].rows = found.at(n, 1).AsInt64();
  }
  if (sum != rows) return CountMismatch(rows, sum);
  return files;
}

}  // namespace

PendingSnapshot::PendingSnapshot(PendingSnapshot&& other) noexcept
    : fs_(other.fs_),
      folder_(std::move(other.folder_)),
      snapshot_(std::move(other.snapshot_)),
      aggregates_(std::move(other.aggregates_)),
      read_back_(other.read_back_),
      published_(other.published_) {
  other.published_ = true;
}

Snapshot PendingSnapshot::staged() const {
  Snapshot out = snapshot_;
  for (SnapshotFile& file : out.files) file.path = BaseName(file.path);
  return out;
}

PendingSnapshot::~PendingSnapshot() {
  if (!published_ && fs_ != nullptr) (void)fs_->RemoveAll(folder_);
}

SnapshotWriter::SnapshotWriter(FileSystem& fs, std::string warehouse, std::string epoch)
    : fs_(&fs), warehouse_(std::move(warehouse)), epoch_(std::move(epoch)) {}

Result<PendingSnapshot> SnapshotWriter::Materialize(DuckConnection& connection,
                                                    const MaterializeRequest& request) {
  HR_ASSIGN(Schema result, connection.Describe(request.select, request.parameters, request.query));
  HR_ASSIGN(Schema stored, StoredSchema(result));
  PendingSnapshot pending;
  pending.fs_ = fs_;
  pending.folder_ = JoinPath(JoinPath(JoinPath(warehouse_, "tmp"), epoch_),
                             request.node + "." + request.build_id + request.stage);
  HR_TRY(fs_->CreateDirectories(pending.folder_));

  Observation seen;
  HR_ASSIGN(seen, WriteParquet(*fs_, connection, request, result, stored, pending.folder_,
                               pending.read_back_));
  Snapshot& snapshot = pending.snapshot_;
  snapshot.digest = seen.digest;
  int64_t rows = seen.digest.rows;
  HR_ASSIGN(snapshot.files,
            FilesIn(*fs_, connection, pending.folder_,
                    JoinPath(JoinPath("tables", request.node), request.build_id), rows));
  for (const SnapshotFile& file : snapshot.files) snapshot.bytes += file.bytes;
  snapshot.node = request.node;
  snapshot.build_id = request.build_id;
  snapshot.schema = std::move(stored);
  snapshot.rows = rows;
  snapshot.profile = std::move(seen.profile);
  snapshot.id = SnapshotId(snapshot.schema, snapshot.digest);
  if (!request.aggregates.empty()) {
    HR_ASSIGN(pending.aggregates_,
              EvaluateOn(connection, pending.folder_, pending.staged(), request.aggregates,
                         request.parameters, {request.query.cancel, request.query.progress, 0}));
  }
  return pending;
}

Result<Snapshot> SnapshotWriter::Publish(PendingSnapshot pending) {
  Snapshot& snapshot = pending.snapshot_;
  std::string manifest = JoinPath(pending.folder_, "manifest.json");
  HR_TRY(fs_->Write(manifest, DumpJson(ToJson(snapshot)) + "\n"));
  CrashPoint("snapshot.written");
  for (const SnapshotFile& file : snapshot.files) {
    HR_TRY(fs_->SyncFile(JoinPath(pending.folder_, BaseName(file.path))));
  }
  // The manifest is a copy for people and tools, the store has the one that counts: not synced.
  HR_TRY(fs_->SyncDirectory(pending.folder_));
  CrashPoint("snapshot.synced");
  std::string parent = JoinPath(JoinPath(warehouse_, "tables"), snapshot.node);
  if (!fs_->Exists(parent)) {
    HR_TRY(fs_->CreateDirectories(parent));
    HR_TRY(fs_->SyncDirectory(DirName(parent)));
  }
  std::string target = JoinPath(parent, snapshot.build_id);
  HR_TRY(fs_->Rename(pending.folder_, target));
  pending.folder_ = target;  // a fault from here on removes what can't be relied on
  CrashPoint("snapshot.renamed");
  HR_TRY(fs_->SyncDirectory(parent));
  CrashPoint("snapshot.dir_synced");
  pending.published_ = true;
  return std::move(snapshot);
}

}  // namespace headrace::data
