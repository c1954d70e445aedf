#include "model/scorer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cancel.h"
#include "base/thread_pool.h"
#include "evaluate/cheapest.h"
#include "evaluate/deterministic_math.h"
#include "model/member_runtime.h"
#include "model/score_columns.h"

namespace headrace::model {
namespace {

/// Rows scored at once: their encoded form stays in the second-level cache.
constexpr int64_t kBlock = 512;

}  // namespace

struct Scorer::Impl {
  Package package;
  std::vector<MemberRuntime> members;
  data::Schema output;
  std::string prediction_type;
  int outputs = 1;

  /// Calibrated margins of at most kBlock encoded rows; `scratch` holds as many.
  void Margins(const double* rows, int64_t count, double* margins, double* scratch) const {
    const int64_t stride = package.encoder.width();
    const int64_t values = count * outputs;
    std::fill_n(margins, values, 0.0);
    for (const MemberRuntime& member : members) {
      member.Margins(rows, count, stride, scratch);
      for (int64_t i = 0; i < values; ++i) margins[i] += member.weight() * scratch[i];
    }
    const Calibration& c = package.calibration;
    for (int64_t i = 0; i < values; ++i) {
      margins[i] = c.scale * margins[i] + c.offsets[static_cast<size_t>(i % outputs)];
    }
  }

  /// Calls `encode(first, count, rows)` and scores, block by block.
  template <class Encode>
  Result<std::vector<double>> AllMargins(int64_t rows, int threads, const Encode& encode) const {
    std::vector<double> margins(static_cast<size_t>(rows * outputs));
    const int64_t width = package.encoder.width();
    // A task is some blocks with buffers of its own.
    const int64_t blocks = (rows + kBlock - 1) / kBlock;
    const int64_t tasks = std::min<int64_t>(blocks, threads > 1 ? 4 * threads : 1);
    const auto task = [&](int64_t t) -> Status {
      std::vector<double> encoded(static_cast<size_t>(std::min(rows, kBlock) * width));
      std::vector<double> scratch(static_cast<size_t>(std::min(rows, kBlock) * outputs));
      for (int64_t b = blocks * t / tasks; b < blocks * (t + 1) / tasks; ++b) {
        const int64_t first = b * kBlock, count = std::min(kBlock, rows - first);
        HR_ASSIGN(const double* at, encode(first, count, encoded.data()));
        Margins(at, count, margins.data() + first * outputs, scratch.data());
      }
      return Ok();
    };
    if (tasks == 1) {
      HR_TRY(task(0));
    } else if (tasks > 1) {
      HR_TRY(ParallelFor(threads, tasks, CancelToken(), task));
    }
    return margins;
  }
};

Scorer::Scorer() = default;
Scorer::~Scorer() = default;

Result<std::shared_ptr<const Scorer>> Scorer::Make(Package package) {
  auto impl = std::make_unique<Impl>();
  HR_ASSIGN(impl->members, BuildMembers(package));
  for (Member& member : package.members) member.text.clear();
  package.seen = {};
  impl->outputs = package.outputs();
  const bool regression = package.task == Task::kRegression;
  impl->prediction_type = regression ? "DOUBLE" : package.target_type;
  impl->output.columns.push_back({"prediction", impl->prediction_type, false});
  if (package.task == Task::kBinary) {
    impl->output.columns.push_back({"probability", "DOUBLE", false});
  } else if (package.task == Task::kMulticlass) {
    for (const std::string& name : package.classes) {
      impl->output.columns.push_back({"probability_" + name, "DOUBLE", false});
    }
  }
  impl->output.columns.push_back({"model_version", "BIGINT", false});
  if (!regression) {
    // The classes must be values of the target's type: better said now than at the first batch.
    HR_ASSIGN(ArrowArray none, CodedColumn(impl->prediction_type, package.classes, {}));
    none.release(&none);
  }
  impl->package = std::move(package);
  std::shared_ptr<Scorer> out(new Scorer());
  out->impl_ = std::move(impl);
  return std::shared_ptr<const Scorer>(std::move(out));
}

const Package& Scorer::package() const { return impl_->package; }
const data::Schema& Scorer::output_schema() const { return impl_->output; }

Status Scorer::CheckInput(const data::Schema& schema) const {
  HR_TRY(impl_->package.encoder.signature().Bind(schema));
  return Ok();
}

Result<ScoreBlock> Scorer::ScoreBatch(const data::Schema& schema, const data::Batch& batch,
                                      int threads) const {
  const Encoder& encoder = impl_->package.encoder;
  HR_ASSIGN(const std::vector<int> columns, encoder.signature().Bind(schema));
  const auto encode = [&](int64_t first, int64_t count, double* to) -> Result<const double*> {
    HR_TRY(encoder.EncodeInto(schema, batch, columns, first, count, to, encoder.width(), 1));
    return to;
  };
  HR_ASSIGN(std::vector<double> margins, impl_->AllMargins(batch.rows(), threads, encode));
  return FromMargins(std::move(margins), batch.rows());
}

ScoreBlock Scorer::ScoreRows(const double* rows, int64_t count, int threads) const {
  const auto same = [&](int64_t first, int64_t, double*) -> Result<const double*> {
    return rows + first * impl_->package.encoder.width();
  };
  auto margins = impl_->AllMargins(count, threads, same);
  return FromMargins(std::move(*margins), count);  // nothing in it can fail
}

ScoreBlock Scorer::FromMargins(std::vector<double> margins, int64_t rows) const {
  ScoreBlock out;
  out.rows = rows;
  out.outputs = impl_->outputs;
  const auto n = static_cast<size_t>(rows), outputs = static_cast<size_t>(out.outputs);
  switch (impl_->package.task) {
    case Task::kRegression:
      break;
    case Task::kBinary:
      out.probabilities.resize(n);
      out.classes.resize(n);
      evaluate::SigmoidEach(margins, out.probabilities);
      for (size_t i = 0; i < n; ++i) {
        out.classes[i] = out.probabilities[i] >= impl_->package.threshold ? 1 : 0;
      }
      break;
    case Task::kMulticlass:
      out.probabilities.resize(n * outputs);
      out.classes.resize(n);
      for (size_t i = 0; i < n; ++i) {
        const std::span<double> p(out.probabilities.data() + i * outputs, outputs);
        evaluate::Softmax(std::span<const double>(margins.data() + i * outputs, outputs), p);
        out.classes[i] =
            impl_->package.costs.empty()
                ? static_cast<int32_t>(std::max_element(p.begin(), p.end()) - p.begin())
                : evaluate::CheapestClass(p, impl_->package.costs);
      }
      break;
  }
  out.margins = std::move(margins);
  return out;
}

data::Batch Scorer::ToBatch(const ScoreBlock& block) const {
  const auto n = static_cast<size_t>(block.rows), outputs = static_cast<size_t>(block.outputs);
  std::vector<ArrowArray> columns;
  if (impl_->package.task == Task::kRegression) {
    columns.push_back(DoubleColumn(block.margins));
  } else {
    // Make checked that the classes are values of the type.
    columns.push_back(*CodedColumn(impl_->prediction_type, impl_->package.classes, block.classes));
  }
  if (impl_->package.task == Task::kBinary) {
    columns.push_back(DoubleColumn(block.probabilities));
  } else if (impl_->package.task == Task::kMulticlass) {
    for (size_t k = 0; k < outputs; ++k) {
      std::vector<double> column(n);
      for (size_t i = 0; i < n; ++i) column[i] = block.probabilities[i * outputs + k];
      columns.push_back(DoubleColumn(std::move(column)));
    }
  }
  columns.push_back(Int64Column(std::vector<int64_t>(n, impl_->package.version)));
  return BatchOf(std::move(columns), block.rows);
}

}  // namespace headrace::model
