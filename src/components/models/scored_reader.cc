#include "components/models/scored_reader.h"

#include "base/suggest.h"

namespace headrace::components {
namespace {

/// A struct array that owns its children one by one, so that columns of two batches can be joined
/// without copying: the C data interface lets a child be moved out of its parent.
struct JoinedColumns {
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  const void* no_nulls = nullptr;
};

void ReleaseJoined(ArrowArray* array) {
  auto* columns = static_cast<JoinedColumns*>(array->private_data);
  for (ArrowArray& child : columns->children) {
    if (child.release != nullptr) child.release(&child);
  }
  delete columns;
  array->release = nullptr;
}

ArrowArray MoveChild(ArrowArray* parent, int index) {
  ArrowArray child = *parent->children[index];
  parent->children[index]->release = nullptr;
  return child;
}

class ScoredReader : public data::BatchReader {
 public:
  ScoredReader(std::unique_ptr<data::BatchReader> input,
               std::shared_ptr<const model::Scorer> scorer, std::vector<int> keep, int threads,
               telemetry::NodeProgress* progress)
      : input_(std::move(input)),
        scorer_(std::move(scorer)),
        keep_(std::move(keep)),
        threads_(threads),
        progress_(progress) {}

  Status Start() {
    HR_TRY(scorer_->CheckInput(input_->schema()));
    for (int column : keep_) schema_.columns.push_back(input_->schema().columns[column]);
    for (const auto& column : scorer_->output_schema().columns) schema_.columns.push_back(column);
    return Ok();
  }

  const data::Schema& schema() const override { return schema_; }
  int64_t ExpectedRows() const override { return input_->ExpectedRows(); }

  Result<std::optional<data::Batch>> Next() override {
    HR_ASSIGN(auto batch, input_->Next());
    if (!batch) return std::optional<data::Batch>();
    HR_ASSIGN(auto block, scorer_->ScoreBatch(input_->schema(), *batch, threads_));
    data::Batch scores = scorer_->ToBatch(block);
    auto columns = std::make_unique<JoinedColumns>();
    for (int column : keep_) columns->children.push_back(MoveChild(batch->array.get(), column));
    for (int64_t i = 0; i < scores.array->n_children; ++i) {
      columns->children.push_back(MoveChild(scores.array.get(), static_cast<int>(i)));
    }
    for (ArrowArray& child : columns->children) columns->pointers.push_back(&child);
    ArrowArray joined{};
    joined.length = batch->rows();
    joined.n_buffers = 1;
    joined.buffers = &columns->no_nulls;
    joined.n_children = static_cast<int64_t>(columns->children.size());
    joined.children = columns->pointers.data();
    joined.release = ReleaseJoined;
    joined.private_data = columns.release();
    if (progress_ != nullptr) progress_->Advance(joined.length);
    data::Batch out;
    out.array = data::OwnedArrowArray(joined);
    return std::optional<data::Batch>(std::move(out));
  }

 private:
  std::unique_ptr<data::BatchReader> input_;
  std::shared_ptr<const model::Scorer> scorer_;
  std::vector<int> keep_;
  const int threads_;
  telemetry::NodeProgress* progress_;
  data::Schema schema_;
};

}  // namespace

Result<std::unique_ptr<data::BatchReader>> ScoreRows(std::unique_ptr<data::BatchReader> input,
                                                     std::shared_ptr<const model::Scorer> scorer,
                                                     const std::vector<std::string>& keep,
                                                     int threads,
                                                     telemetry::NodeProgress* progress) {
  const data::Schema& schema = input->schema();
  const data::Schema& outputs = scorer->output_schema();
  std::vector<int> columns;
  if (keep.empty()) {
    for (size_t i = 0; i < schema.size(); ++i) {
      if (outputs.Find(schema.columns[i].name) == nullptr) columns.push_back(static_cast<int>(i));
    }
  }
  for (const auto& name : keep) {
    const int index = schema.IndexOf(name);
    if (index < 0) {
      return UserError("unknown_column", "there is no column '" + name + "' to keep")
          .Subject(name)
          .Candidates(Suggest(name, schema.Names()));
    }
    if (outputs.Find(name) != nullptr) {
      return UserError("duplicate_column",
                       "'" + name + "' in 'keep' is also a column of the scores")
          .Subject(name)
          .Hint("rename it in the node that is scored");
    }
    columns.push_back(index);
  }
  auto reader = std::make_unique<ScoredReader>(std::move(input), std::move(scorer),
                                               std::move(columns), threads, progress);
  HR_TRY(reader->Start());
  return std::unique_ptr<data::BatchReader>(std::move(reader));
}

}  // namespace headrace::components
