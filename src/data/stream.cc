// Results as batches. DuckDB delivers chunks of 2,048 rows; learners and scorers want tens of
// thousands, so chunks are copied into growing Arrow arrays.
#include <fmt/format.h>

#include "data/arrow_builder.h"
#include "data/duck_internal.h"

namespace headrace::data {
namespace {

class StreamReader : public BatchReader {
 public:
  StreamReader(DuckConnection connection, std::string sql, StreamOptions options)
      : connection_(std::move(connection)), sql_(std::move(sql)), options_(std::move(options)) {}
  ~StreamReader() override {
    interrupt_.reset();
    if (result_ != nullptr) result_.reset();
  }

  Status Start(const Parameters& parameters) {
    internal::ConnectionState& state = internal::Access::State(connection_);
    HR_TRY(statement_.Prepare(state, sql_, options_.query));
    if (statement_.type() != DUCKDB_STATEMENT_TYPE_SELECT) {
      return UserError("not_a_select", "a SELECT is expected, this is another statement");
    }
    HR_TRY(statement_.Bind(parameters));
    HR_ASSIGN(internal::ResultOwner owner,
              internal::Run(state, statement_, sql_, options_.query, true));
    result_ = std::make_unique<internal::ResultOwner>(std::move(owner));
    schema_ = internal::SchemaOf(result_->result);
    for (const Column& column : schema_.columns) {
      HR_ASSIGN(TypeTree type, ParseType(column.type));
      plans_.push_back(internal::MakePlan(type));
      if (plans_.back().kind != internal::Kind::kNone) continue;
      StoredType stored = StoredTypeOf(column.type, column.name);
      std::string hint = stored.action == StoredType::Action::kCast
                             ? fmt::format("CAST(… AS {})", stored.type)
                             : stored.hint;
      return UserError("column_types",
                       fmt::format("column '{}' of type {} can't be read in batches", column.name,
                                   column.type))
          .Hint("write " + hint);
    }
    for (const internal::TypePlan& plan : plans_) builders_.emplace_back(plan);
    duckdb_connection raw = state.connection;
    interrupt_ = options_.query.cancel.OnCancel([raw] { duckdb_interrupt(raw); });
    return Ok();
  }

  const Schema& schema() const override { return schema_; }

  Result<std::optional<Batch>> Next() override {
    int64_t rows = 0;
    while (!finished_ && rows < options_.batch_rows && Bytes() < options_.batch_bytes) {
      HR_TRY(options_.query.cancel.Check());
      duckdb_data_chunk chunk = duckdb_fetch_chunk(result_->result);
      if (chunk == nullptr) {
        finished_ = true;
        HR_TRY(AtEnd());
        interrupt_.reset();
        result_.reset();  // what a sort or join holds: consumers finish their work after the end
        break;
      }
      idx_t count = duckdb_data_chunk_get_size(chunk);
      for (size_t i = 0; i < builders_.size(); ++i) {
        internal::FlatVector vector(plans_[i], duckdb_data_chunk_get_vector(chunk, i), count);
        builders_[i].Append(vector.view(), 0, count);
      }
      rows += static_cast<int64_t>(count);
      duckdb_destroy_data_chunk(&chunk);
    }
    if (rows == 0) return std::optional<Batch>();
    std::vector<ArrowArray> columns;
    for (internal::ArrowBuilder& builder : builders_) columns.push_back(builder.Finish());
    return std::optional<Batch>(internal::MakeBatch(std::move(columns), rows));
  }

 private:
  // A missing chunk is the end or an error.
  Status AtEnd() {
    const char* error = duckdb_result_error(&result_->result);
    if (error == nullptr || *error == 0) return options_.query.cancel.Check();
    return internal::MakeError(internal::Access::State(connection_), error, sql_, options_.query,
                               true);
  }
  int64_t Bytes() const {
    int64_t total = 0;
    for (const internal::ArrowBuilder& builder : builders_) total += builder.bytes();
    return total;
  }

  DuckConnection connection_;
  std::string sql_;
  StreamOptions options_;
  Schema schema_;
  std::vector<internal::TypePlan> plans_;
  std::vector<internal::ArrowBuilder> builders_;
  internal::Statement statement_;
  std::unique_ptr<internal::ResultOwner> result_;
  std::shared_ptr<void> interrupt_;
  bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<BatchReader>> DuckInstance::Stream(const std::string& sql,
                                                          const Parameters& parameters,
                                                          const StreamOptions& options) {
  HR_ASSIGN(DuckConnection connection, Connect());
  auto reader = std::make_unique<StreamReader>(std::move(connection), sql, options);
  HR_TRY(reader->Start(parameters));
  return std::unique_ptr<BatchReader>(std::move(reader));
}

}  // namespace headrace::data
