#include "data/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "data/quote.h"

namespace headrace::data {
namespace {

// A sketch can't forget: when so large a share of the rows has gone, all are looked at again.
constexpr double kForgetAfter = 0.05;
constexpr size_t kClassFull = 8;  // files of a size, and the ratio of two sizes

/// One merge. Temporary tables:
///   hr_merge_new    the new rows
///   hr_merge_same   keys whose new row is the old one
///   hr_merge_fresh  the new rows without those
///   hr_merge_gone   keys whose old rows go; `deleted` = without a new row
class Merger {
 public:
  Merger(SnapshotWriter& writer, DuckConnection& connection, const MergeRequest& request)
      : writer_(writer),
        connection_(connection),
        request_(request),
        keys_(QuoteIdentifiers(request.key)),
        names_(QuoteIdentifiers(request.old.schema.Names())) {}
  ~Merger() { Drop(); }
  Merger(const Merger&) = delete;

  Result<MergeResult> Run();

 private:
  struct File {
    SnapshotFile file;
    int64_t replaced = 0, removed = 0;  // rows of it that go
    bool rewritten = false;
  };

  void Drop();
  Status Execute(const std::string& sql) {
    HR_TRY(connection_.Execute(sql, {}, Plain()));
    return Ok();
  }
  Result<int64_t> Count(const std::string& relation);
  Status Stage();
  Status CheckKeys();
  Status FindSame();
  Status FindGone();
  Status CountGone(const std::string& sql, bool removed);
  std::string Read(const std::vector<size_t>& files) const;
  std::vector<size_t> AllFiles() const;
  std::vector<size_t> Rewritten() const;
  std::string GoneRows() const;
  std::string Survivors() const;
  Result<bool> Unchanged();
  void JoinSmallFiles(int64_t fresh);
  Result<Snapshot> Keep(const Snapshot& again);
  QueryOptions Plain() const { return {request_.query.cancel, request_.query.progress, 0}; }

  SnapshotWriter& writer_;
  DuckConnection& connection_;
  const MergeRequest& request_;
  const std::string keys_, names_;
  std::vector<File> files_;
  std::vector<size_t> candidates_;  // files that hold keys of new or deleted rows
  std::string new_rows_;            // relation of the rows to write
  MergeResult result_;
};

void Merger::Drop() {
  (void)connection_.Execute(
      "DROP TABLE IF EXISTS hr_merge_new; DROP TABLE IF EXISTS hr_merge_same; DROP TABLE IF EXISTS "
      "hr_merge_fresh; DROP TABLE IF EXISTS hr_merge_gone");
}

Result<int64_t> Merger::Count(const std::string& relation) {
  HR_ASSIGN(Rows rows, connection_.Query("SELECT count(*) FROM " + relation, {}, Plain()));
  return rows.at(0, 0).AsInt64();
}

std::string Merger::Read(const std::vector<size_t>& files) const {
  std::string list;
  for (size_t n : files) {
    list += (list.empty() ? "" : ", ") +
            QuoteLiteral(JoinPath(writer_.warehouse(), files_[n].file.path));
  }
  return fmt::format("read_parquet([{}], filename = 'hr_merge_file')", list);
}

std::vector<size_t> Merger::AllFiles() const {
  std::vector<size_t> all(files_.size());
  for (size_t n = 0; n < all.size(); ++n) all[n] = n;
  return all;
}

std::vector<size_t> Merger::Rewritten() const {
  std::vector<size_t> out;
  for (size_t n = 0; n < files_.size(); ++n) {
    if (files_[n].rewritten) out.push_back(n);
  }
  return out;
}

/// The new rows, of the stored types, where they can be read again and again.
Status Merger::Stage() {
  HR_ASSIGN(Schema result,
            connection_.Describe(request_.rows, request_.parameters, request_.query));
  HR_ASSIGN(Schema stored, StoredSchema(result));
  bool same = stored.size() == request_.old.schema.size();
  for (size_t n = 0; same && n < stored.size(); ++n) {
    const Column& a = stored.columns[n];
    const Column& b = request_.old.schema.columns[n];
    same = a.name == b.name && a.type == b.type;
  }
  if (!same) {
    Error error = InternalError("rows to merge have other columns than the table");
    error.code = "schema_mismatch";
    return error;
  }
  std::string select(WithoutSemicolon(request_.rows));
  if (result != stored) {
    select = fmt::format("SELECT {} FROM (\n{}\n)", StoredSelectList(result, stored), select);
  }
  if (request_.repeatable && request_.parameters.empty()) {
    new_rows_ = "(" + select + ")";
    return Ok();
  }
  QueryOptions options = request_.query;
  const std::string head = "CREATE TEMP TABLE hr_merge_new AS ";
  options.prefix_bytes += head.size() + select.find(WithoutSemicolon(request_.rows));
  HR_TRY(connection_.Execute(head + select, request_.parameters, options));
  new_rows_ = "hr_merge_new";
  return Ok();
}

Status Merger::CheckKeys() {
  std::string missing, row = keys_;
  for (const std::string& key : request_.key) {
    missing += (missing.empty() ? "" : " OR ") + QuoteIdentifier(key) + " IS NULL";
  }
  if (request_.key.size() > 1) row = "ROW(" + row + ")";
  HR_ASSIGN(Rows rows,
            connection_.Query(fmt::format("SELECT count(*) FILTER (WHERE {}), count(*) - "
                                          "count(DISTINCT {}) FROM {}",
                                          missing, row, new_rows_),
                              {}, Plain()));
  if (rows.at(0, 0).AsInt64() > 0) {
    return DataError("null_key",
                     fmt::format("the key ({}) is NULL in {} of the new rows",
                                 fmt::join(request_.key, ", "), rows.at(0, 0).AsInt64()));
  }
  if (rows.at(0, 1).AsInt64() > 0) {
    return DataError("repeated_key",
                     fmt::format("the key ({}) stands more than once in the new rows: {} too many",
                                 fmt::join(request_.key, ", "), rows.at(0, 1).AsInt64()));
  }
  return Ok();
}

/// Rows that are there as they are need no rewriting.
Status Merger::FindSame() {
  std::string keys = fmt::format("SELECT {} FROM {}", keys_, new_rows_);
  if (!request_.deleted.empty()) {
    keys += fmt::format(" UNION ALL SELECT {} FROM ({}) AS d({})", keys_,
                        WithoutSemicolon(request_.deleted), keys_);
  }
  HR_ASSIGN(Rows hit, connection_.Query(
                          fmt::format("SELECT DISTINCT hr_merge_file FROM {} AS o SEMI JOIN ({}) "
                                      "AS n USING ({})",
                                      Read(AllFiles()), keys, keys_),
                          {}, Plain()));
  std::map<std::string, size_t> index;
  for (size_t n = 0; n < files_.size(); ++n) {
    index[JoinPath(writer_.warehouse(), files_[n].file.path)] = n;
  }
  for (size_t n = 0; n < hit.size(); ++n) {
    auto found = index.find(hit.at(n, 0).Text());
    if (found == index.end()) return InternalError("a row came from no file of the snapshot");
    candidates_.push_back(found->second);
  }
  std::sort(candidates_.begin(), candidates_.end());
  // A row that `replace` takes away must be written again, even if it is the same.
  if (candidates_.empty() || !request_.replace.empty()) return Ok();
  std::string same;
  for (const std::string& key : request_.key) {
    const std::string name = QuoteIdentifier(key);
    same += fmt::format("{}n.{} = o.{}", same.empty() ? "" : " AND ", name, name);
  }
  std::string mine, theirs;
  for (const Column& column : request_.old.schema.columns) {
    const std::string name = QuoteIdentifier(column.name);
    mine += (mine.empty() ? "n." : ", n.") + name;
    theirs += (theirs.empty() ? "o." : ", o.") + name;
  }
  std::string key_list;
  for (const std::string& key : request_.key) {
    key_list += (key_list.empty() ? "n." : ", n.") + QuoteIdentifier(key);
  }
  HR_TRY(
      Execute(fmt::format("CREATE TEMP TABLE hr_merge_same AS SELECT {} FROM {} AS o JOIN {} AS "
                          "n ON {} WHERE hr_row_hash({}) = hr_row_hash({})",
                          key_list, Read(candidates_), new_rows_, same, mine, theirs)));
  HR_ASSIGN(result_.unchanged, Count("hr_merge_same"));
  if (result_.unchanged == 0) return Ok();
  HR_TRY(
      Execute(fmt::format("CREATE TEMP TABLE hr_merge_fresh AS SELECT {} FROM {} ANTI JOIN "
                          "hr_merge_same USING ({})",
                          names_, new_rows_, keys_)));
  new_rows_ = "hr_merge_fresh";
  return Ok();
}

/// Counts rows that go, for each file.
Status Merger::CountGone(const std::string& sql, bool removed) {
  HR_ASSIGN(Rows rows, connection_.Query(sql, {}, Plain()));
  for (size_t n = 0; n < rows.size(); ++n) {
    const std::string path = rows.at(n, 0).Text();
    for (File& file : files_) {
      if (JoinPath(writer_.warehouse(), file.file.path) != path) continue;
      const int64_t count = rows.at(n, 1).AsInt64();
      (removed ? file.removed : file.replaced) += count;
      (removed ? result_.removed : result_.replaced) += count;
      file.rewritten = true;
    }
  }
  return Ok();
}

Status Merger::FindGone() {
  if (!request_.key.empty() && !candidates_.empty()) {
    std::string gone = fmt::format("SELECT {}, false AS deleted FROM {}", keys_, new_rows_);
    if (!request_.deleted.empty()) {
      // A key whose new row is the old one is no longer among the new rows, and yet not deleted.
      const std::string kept =
          result_.unchanged > 0 ? fmt::format(" ANTI JOIN hr_merge_same USING ({})", keys_) : "";
      gone += fmt::format(
          " UNION ALL SELECT DISTINCT {0}, true FROM (SELECT {0} FROM ({1}) AS d({0})) ANTI JOIN "
          "(SELECT {0} FROM {2}) USING ({0}){3}",
          keys_, WithoutSemicolon(request_.deleted), new_rows_, kept);
    }
    HR_TRY(Execute("CREATE TEMP TABLE hr_merge_gone AS " + gone));
    for (bool removed : {false, true}) {
      HR_TRY(CountGone(
          fmt::format("SELECT hr_merge_file, count(*) FROM {} AS o SEMI JOIN (SELECT {} FROM "
                      "hr_merge_gone WHERE deleted = {}) USING ({}) GROUP BY 1",
                      Read(candidates_), keys_, removed, keys_),
          removed));
    }
  }
  if (!request_.replace.empty()) {
    std::string rest;
    if (!request_.key.empty() && !candidates_.empty()) {
      rest = fmt::format(" ANTI JOIN hr_merge_gone USING ({})", keys_);
    }
    HR_TRY(CountGone(fmt::format("SELECT hr_merge_file, count(*) FROM (SELECT * FROM {}{}) WHERE "
                                 "(\n{}\n) GROUP BY 1",
                                 Read(AllFiles()), rest, request_.replace),
                     true));
  }
  return Ok();
}

/// Rows of the rewritten files that go. Counted before, but read again: they are few or written
/// again anyway.
std::string Merger::GoneRows() const {
  const std::string read = Read(Rewritten());
  std::string sql;
  const bool keyed = !request_.key.empty() && !candidates_.empty();
  if (keyed) {
    sql = fmt::format("SELECT {} FROM {} SEMI JOIN hr_merge_gone USING ({})", names_, read, keys_);
  }
  if (!request_.replace.empty()) {
    sql += fmt::format("{}SELECT {} FROM (SELECT * FROM {}{}) WHERE (\n{}\n)",
                       keyed ? " UNION ALL " : "", names_, read,
                       keyed ? fmt::format(" ANTI JOIN hr_merge_gone USING ({})", keys_) : "",
                       request_.replace);
  }
  return sql;
}

std::string Merger::Survivors() const {
  std::string from = Read(Rewritten());
  if (!request_.key.empty() && !candidates_.empty()) {
    from = fmt::format("(SELECT * FROM {} ANTI JOIN hr_merge_gone USING ({}))", from, keys_);
  }
  std::string sql = fmt::format("SELECT {} FROM {}", names_, from);
  if (!request_.replace.empty()) {
    sql += fmt::format(" WHERE NOT coalesce((\n{}\n), false)", request_.replace);
  }
  return sql;
}

/// A rebuilt interval often gives the rows that were there.
Result<bool> Merger::Unchanged() {
  const bool none_gone = result_.replaced + result_.removed == 0;
  if (result_.added == 0 && none_gone) return true;
  if (request_.replace.empty() || none_gone) return false;
  HR_ASSIGN(Observation gone, Observe(connection_, GoneRows(), {}, Plain()));
  HR_ASSIGN(Observation fresh,
            Observe(connection_, fmt::format("SELECT {} FROM {}", names_, new_rows_), {}, Plain()));
  return gone.digest == fresh.digest;
}

/// The files that stay, as a snapshot of their own: to be combined with what was written.
Result<Snapshot> Merger::Keep(const Snapshot& again) {
  Snapshot kept = request_.old;
  kept.files.clear();
  kept.bytes = 0;
  std::vector<size_t> indexes;
  for (size_t n = 0; n < files_.size(); ++n) {
    if (files_[n].rewritten) continue;
    indexes.push_back(n);
    kept.files.push_back(files_[n].file);
    kept.bytes += files_[n].file.bytes;
  }
  const std::string rewritten = fmt::format("SELECT {} FROM {}", names_, Read(Rewritten()));
  if (!Rewritten().empty()) {
    HR_ASSIGN(Observation taken, Observe(connection_, rewritten, {}, Plain()));
    kept.digest -= taken.digest;
    kept.rows -= taken.digest.rows;
    RemainingProfile rest = ProfileWithout(request_.old.profile, taken.profile, again.profile,
                                           result_.replaced + result_.removed);
    kept.profile = std::move(rest.profile);
    const bool forget = static_cast<double>(kept.profile.removed) >
                        kForgetAfter * static_cast<double>(kept.rows + again.rows);
    if (forget || kept.rows <= request_.exact_profile_rows) {
      rest.stale = request_.old.schema.Names();
      kept.profile.removed = 0;
    }
    if (!rest.stale.empty()) {
      HR_ASSIGN(Observation seen, Observe(connection_,
                                          fmt::format("SELECT {} FROM {}",
                                                      QuoteIdentifiers(rest.stale), Read(indexes)),
                                          {}, Plain()));
      for (ColumnProfile& column : kept.profile.columns) {
        if (const ColumnProfile* anew = seen.profile.Find(column.name)) column = *anew;
      }
    }
  }
  kept.id = SnapshotId(kept.schema, kept.digest);
  return kept;
}

void Merger::JoinSmallFiles(int64_t fresh) {
  int64_t again = fresh;
  std::vector<SnapshotFile> rest;
  std::vector<size_t> rest_index;
  for (size_t n = 0; n < files_.size(); ++n) {
    const File& file = files_[n];
    if (file.rewritten) {
      again += file.file.rows - file.replaced - file.removed;
    } else {
      rest.push_back(file.file);
      rest_index.push_back(n);
    }
  }
  for (size_t n : FilesToJoin(rest, again, request_.file_rows)) {
    files_[rest_index[n]].rewritten = true;
  }
}

Result<MergeResult> Merger::Run() {
  Drop();
  for (const SnapshotFile& file : request_.old.files) files_.push_back({file});
  HR_TRY(Stage());
  if (!request_.key.empty()) {
    HR_TRY(CheckKeys());
    HR_TRY(FindSame());
  }
  HR_TRY(FindGone());
  HR_ASSIGN(int64_t fresh, Count(new_rows_));
  result_.added = fresh - result_.replaced;
  HR_ASSIGN(bool unchanged, Unchanged());
  if (unchanged) {
    result_.changed = false;
    result_.unchanged += result_.removed;
    result_.added = result_.removed = 0;
    for (File& file : files_) file.rewritten = false;
    new_rows_ = fmt::format("(SELECT * FROM {} WHERE false)", new_rows_);
  } else {
    JoinSmallFiles(fresh);
  }
  MaterializeRequest write;
  write.node = request_.node;
  write.build_id = request_.build_id;
  write.stage = ".merge";
  write.file_rows = request_.cut_rows;
  write.row_group_rows =
      std::min(write.row_group_rows, std::max<int64_t>(2048, request_.file_rows));
  write.query = Plain();
  write.select = fmt::format("SELECT {} FROM {}", names_, new_rows_);
  if (!Rewritten().empty()) write.select = Survivors() + " UNION ALL " + write.select;
  result_.files_rewritten = static_cast<int64_t>(Rewritten().size());
  result_.files_kept = static_cast<int64_t>(files_.size()) - result_.files_rewritten;
  if (result_.files_kept == 0) write.aggregates = request_.aggregates;
  HR_ASSIGN(PendingSnapshot pending, writer_.Materialize(connection_, write));
  if (result_.files_kept > 0) {
    HR_ASSIGN(result_.kept, Keep(pending.snapshot()));
  }
  result_.pending.emplace(std::move(pending));
  return std::move(result_);
}

}  // namespace

Result<MergeResult> Merge(SnapshotWriter& writer, DuckConnection& connection,
                          const MergeRequest& request) {
  return Merger(writer, connection, request).Run();
}

Result<Snapshot> Combine(const Snapshot& kept, Snapshot fresh) {
  fresh.digest += kept.digest;
  fresh.rows += kept.rows;
  fresh.bytes += kept.bytes;
  fresh.files.insert(fresh.files.begin(), kept.files.begin(), kept.files.end());
  Profile profile = kept.profile;
  HR_TRY(profile.Merge(fresh.profile));
  fresh.profile = std::move(profile);
  fresh.id = SnapshotId(fresh.schema, fresh.digest);
  return fresh;
}

std::vector<size_t> FilesToJoin(const std::vector<SnapshotFile>& files, int64_t rows,
                                int64_t file_rows) {
  // Class 0: up to 1/8^k of a whole file for some k, and so on up; whole files have none.
  const auto class_of = [&](int64_t count) {
    int size_class = 0;
    for (int64_t size = file_rows; count * 2 <= size && size > 1; size /= kClassFull) ++size_class;
    return size_class;  // 0 = a whole file; the higher the smaller
  };
  std::map<int, size_t, std::greater<>> counts;
  for (const SnapshotFile& file : files) ++counts[class_of(file.rows)];
  ++counts[class_of(rows)];
  int join = 0;  // files of this class and smaller ones
  for (const auto& [size_class, count] : counts) {
    if (size_class == 0) break;
    if (count >= kClassFull) join = size_class;
  }
  std::vector<size_t> out;
  for (size_t n = 0; n < files.size(); ++n) {
    if (join > 0 && class_of(files[n].rows) >= join) out.push_back(n);
  }
  return out;
}

}  // namespace headrace::data
