#pragma once
// What all actions share: which rows are acted on, once per key, with an intent in the store before
// each send and its result after it. How one row is sent is a Sender's.
//
// Sends are at least once, with a key. For a block of rows: intents are recorded (one synced
// transaction), the rows are sent one after the other, the results are recorded. Killed in between,
// the intents without a result are sent again by the next run under the same idempotency key, so at
// most kBlock rows are ever repeated by one kill. A block costs two commits (about 4 ms) against
// some milliseconds for each send: larger blocks would save little and repeat more.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"
#include "sql/select.h"

namespace headrace::components {

/// Fields of every action.
struct OutboxOptions {
  std::string from;
  std::string where;
  std::vector<std::string> once_per;
  std::optional<spec::Duration> again_after;
};
/// Their table, to stand in front of an action's own fields; T derives from OutboxOptions.
template <class T>
std::vector<spec::Field> OutboxFields() {
  std::string T::*from = &OutboxOptions::from;
  std::string T::*where = &OutboxOptions::where;
  std::vector<std::string> T::*once_per = &OutboxOptions::once_per;
  std::optional<spec::Duration> T::*again_after = &OutboxOptions::again_after;
  return {spec::Field("from", from, "Node whose rows are acted on.").Node(),
          spec::Field("where", where, "Only rows for which this SQL condition holds.")
              .SqlExpression()
              .Optional(),
          spec::Field("once_per", once_per,
                      "Columns of the key: each value is acted on once. Not given: the whole row.")
              .Column()
              .Optional(),
          spec::Field("again_after", again_after,
                      "After so long a key may be acted on again; not given: never.")};
}

/// One row to be sent.
struct OutboxRow {
  std::string key, json;
};

/// What a send came to. Words of the receiver in `detail` are cut short.
struct Sent {
  bool ok = true;
  std::string detail;
  /// Nobody can be reached now: the rows behind this one would fail alike and are not tried.
  bool unreachable = false;
};

/// Sends rows during one build. Not thread-safe.
class Sender {
 public:
  virtual ~Sender() = default;
  /// An error stops the build (cancelled, a program that is not there); the row stays in doubt.
  virtual Result<Sent> Send(const OutboxRow& row, const std::string& idempotency_key) = 0;
};

class OutboxAction : public pipeline::Component {
 public:
  std::vector<pipeline::InputRef> Inputs() const override { return {{outbox().from, "from"}}; }
  bool HasTable() const override { return false; }
  std::optional<data::Schema> Lint(const pipeline::LintContext& context) const override;
  Result<pipeline::Probe> ProbeOutside(const pipeline::ProbeContext& context) const override;
  Result<pipeline::Outcome> Build(pipeline::BuildContext& context) const override;

 protected:
  explicit OutboxAction(const spec::NodeSpec& node) : name_(node.name) {}
  const std::string& name() const { return name_; }

  virtual const OutboxOptions& outbox() const = 0;
  virtual Result<std::unique_ptr<Sender>> OpenSender(pipeline::BuildContext& context) const = 0;
  virtual void LintMore(const pipeline::LintContext& context, const data::Schema* input) const;
  /// SQL expression over the row `r` that gives what is sent, as JSON.
  virtual std::string BodySql() const { return "CAST(to_json(r) AS VARCHAR)"; }
  virtual std::string FieldOfFailure() const = 0;  ///< where errors of sending point to
  virtual std::string KeyName() const = 0;         ///< under which the receiver sees the key

 private:
  struct Tally {
    int64_t sent = 0, failed = 0, already = 0;
    Timestamp due = 0;  ///< when the first key may be acted on again; 0 = none
    bool unreachable = false;
    std::string first_failure;
  };
  struct Selected {
    std::vector<OutboxRow> rows;
    int64_t without_key = 0, doubles = 0;
  };
  sql::SqlText WhereText(const pipeline::Node& node) const;
  std::string SelectText(const std::string& relation) const;
  Result<data::Parameters> WhereParameters(const pipeline::BuildContext& context) const;
  Result<Selected> Select(pipeline::BuildContext& context) const;
  Status SendBlock(pipeline::BuildContext& context, Sender& sender,
                   const std::vector<OutboxRow>& block, Tally& tally) const;
  void AddNotes(const pipeline::BuildContext& context, const Selected& selected, int64_t would_send,
                pipeline::Outcome& outcome) const;
  int64_t AgainMicros() const { return outbox().again_after ? outbox().again_after->micros : 0; }

  const std::string name_;
};

/// Adds an error for each column that `schema` lacks.
void LintColumns(const pipeline::LintContext& context, const data::Schema& schema,
                 const std::string& input, const std::vector<std::string>& columns,
                 const std::string& field);

}  // namespace headrace::components
