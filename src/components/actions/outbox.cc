#include "components/actions/outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/suggest.h"
#include "data/quote.h"
#include "pipeline/build_context.h"
#include "pipeline/project.h"
#include "sql/expression.h"

namespace headrace::components {
namespace {

constexpr size_t kBlock = 8;

}  // namespace

void LintColumns(const pipeline::LintContext& context, const data::Schema& schema,
                 const std::string& input, const std::vector<std::string>& columns,
                 const std::string& field) {
  for (const auto& column : columns) {
    if (schema.Find(column) != nullptr) continue;
    context.diagnostics->Add(
        UserError("unknown_column", "'" + input + "' has no column '" + column + "'")
            .At(context.node->spec.PlaceOf(field))
            .Node(context.node->name)
            .Subject(column)
            .Candidates(Suggest(column, schema.Names())));
  }
}

void OutboxAction::LintMore(const pipeline::LintContext&, const data::Schema*) const {}

std::optional<data::Schema> OutboxAction::Lint(const pipeline::LintContext& context) const {
  const OutboxOptions& options = outbox();
  const pipeline::Node& node = *context.node;
  const data::Schema* schema = context.schema_of(options.from);
  if (schema != nullptr) {
    LintColumns(context, *schema, options.from, options.once_per, "once_per");
  }
  if (options.again_after && options.again_after->months > 0) {
    context.diagnostics->Add(
        UserError("bad_option", "'again_after' in months or years has no fixed length")
            .At(node.spec.PlaceOf("again_after"))
            .Node(name_)
            .Hint("write it in days: 30 days"));
  }
  LintMore(context, schema);
  if (options.where.empty() || context.parser == nullptr) return std::nullopt;
  const sql::SqlText text = WhereText(node);
  sql::SelectRules rules;
  for (const auto& [name, value] : context.project->params()) rules.parameters.push_back(name);
  auto parsed = sql::ParseExpression(*context.parser, text, rules);
  for (const Error& fault : parsed.faults) context.diagnostics->Add(fault);
  if (parsed.ok() && schema != nullptr && context.catalog != nullptr) {
    Status status =
        sql::CheckBoolean(*context.catalog, text, *schema, context.project->Parameters(0));
    if (!status.ok()) context.diagnostics->Add(status.error());
  }
  return std::nullopt;
}

Result<pipeline::Probe> OutboxAction::ProbeOutside(const pipeline::ProbeContext& context) const {
  pipeline::Probe probe;
  // What was only recorded as a dry run is sent when the target begins to send.
  probe.identity = context.sends ? "send" : "dry run";
  if (context.state == nullptr || context.store == nullptr || !context.sends) return probe;
  for (auto status : {store::SendStatus::kFailed, store::SendStatus::kIntent}) {
    HR_ASSIGN(auto open, context.store->ListSends(context.target, name_, status, 1));
    if (!open.empty()) {
      probe.changed = status == store::SendStatus::kFailed ? "some sends failed last time"
                                                           : "some sends have no result";
      return probe;
    }
  }
  if (context.state->cursor) {
    HR_ASSIGN(Json cursor, ParseJson(*context.state->cursor, "cursor"));
    const int64_t due = cursor.value("due", int64_t{0});
    if (due > 0 && context.now >= due) probe.changed = "again_after is over for some keys";
  }
  return probe;
}

sql::SqlText OutboxAction::WhereText(const pipeline::Node& node) const {
  sql::SqlText text;
  text.text = outbox().where;
  text.file = node.file;
  text.node = name_;
  text.origin = node.spec.PlaceOf("where");
  return text;
}

std::string OutboxAction::SelectText(const std::string& relation) const {
  const std::vector<std::string>& once_per = outbox().once_per;
  std::string key;
  if (once_per.size() == 1) {
    key = "CAST(r." + data::QuoteIdentifier(once_per.front()) + " AS VARCHAR)";
  } else if (!once_per.empty()) {
    std::string nulls;
    key = "CAST(to_json([";
    for (size_t i = 0; i < once_per.size(); ++i) {
      const std::string column = "r." + data::QuoteIdentifier(once_per[i]);
      key += (i > 0 ? ", " : "") + ("CAST(" + column + " AS VARCHAR)");
      nulls += (i > 0 ? " OR " : "") + column + " IS NULL";
    }
    key += "]) AS VARCHAR)";
    key = "CASE WHEN " + nulls + " THEN NULL ELSE " + key + " END";
  } else {
    key = "CAST(to_json(r) AS VARCHAR)";
  }
  std::string text =
      "SELECT " + key + " AS key, " + BodySql() + " AS body FROM (" + relation + ") AS r";
  if (!outbox().where.empty()) text += " WHERE (" + outbox().where + "\n)";
  // Which of two rows of one key is sent, and in which order, must not depend on threads.
  return text + " ORDER BY 1, 2";
}

Result<data::Parameters> OutboxAction::WhereParameters(
    const pipeline::BuildContext& context) const {
  data::Parameters used;
  if (outbox().where.find('$') == std::string::npos) return used;
  HR_ASSIGN(auto parser, sql::SqlParser::Open());
  sql::SelectRules rules;
  rules.check_parameters = false;
  auto parsed = sql::ParseExpression(*parser, WhereText(*context.node), rules);
  if (!parsed.ok()) return parsed.faults.front();
  for (const auto& parameter : context.parameters) {
    if (std::find(parsed.parameter_names.begin(), parsed.parameter_names.end(), parameter.name) !=
        parsed.parameter_names.end()) {
      used.push_back(parameter);
    }
  }
  return used;
}

Result<OutboxAction::Selected> OutboxAction::Select(pipeline::BuildContext& context) const {
  HR_ASSIGN(auto connection, context.ConnectInputs());
  HR_ASSIGN(std::string input, context.InputSql(outbox().from));
  HR_ASSIGN(auto parameters, WhereParameters(context));
  const pipeline::Node* from = context.project->FindNode(outbox().from);
  for (auto& more : pipeline::UsedParameters(*context.project, *from, context.parameters)) {
    const bool there = std::any_of(parameters.begin(), parameters.end(),
                                   [&](const auto& p) { return p.name == more.name; });
    if (!there) parameters.push_back(std::move(more));
  }
  auto found = connection.Query(SelectText(input), parameters, context.Query());
  if (!found.ok()) {
    Error error = std::move(found).error();
    error.At(context.node->spec.PlaceOf(outbox().where.empty() ? "from" : "where"));
    return std::move(error.Node(name_));
  }
  Selected selected;
  for (auto& row : found->rows) {
    if (row[0].is_null()) {
      ++selected.without_key;
    } else if (!selected.rows.empty() && selected.rows.back().key == row[0].Text()) {
      ++selected.doubles;
    } else {
      selected.rows.push_back({row[0].Text(), row[1].Text()});
    }
  }
  return selected;
}

Result<pipeline::Outcome> OutboxAction::Build(pipeline::BuildContext& context) const {
  HR_ASSIGN(const Selected selected, Select(context));
  const std::vector<OutboxRow>& rows = selected.rows;
  pipeline::Outcome outcome;
  Tally tally;
  int64_t would_send = 0;
  if (!context.sends) {
    std::vector<std::string> keys;
    for (const OutboxRow& row : rows) keys.push_back(row.key);
    HR_ASSIGN(auto decisions,
              context.store->RecordDryRun(context.claim, context.run, name_, keys, AgainMicros()));
    for (const auto& decision : decisions) {
      would_send += decision.state != store::IntentState::kAlreadySent;
    }
  } else if (!rows.empty()) {
    HR_ASSIGN(auto sender, OpenSender(context));
    if (context.progress != nullptr) {
      context.progress->Expect(static_cast<int64_t>(rows.size()), "sends");
    }
    for (size_t at = 0; at < rows.size() && !tally.unreachable; at += kBlock) {
      const std::vector<OutboxRow> block(
          rows.begin() + static_cast<long>(at),
          rows.begin() + static_cast<long>(std::min(rows.size(), at + kBlock)));
      HR_TRY(SendBlock(context, *sender, block, tally));
      if (context.progress != nullptr) {
        context.progress->Advance(static_cast<int64_t>(block.size()));
      }
    }
  }
  outcome.rows = tally.sent;
  Json details;
  details["sent"] = tally.sent;
  details["failed"] = tally.failed;
  details["already_sent"] = tally.already;
  const int64_t left =
      static_cast<int64_t>(rows.size()) - tally.sent - tally.failed - tally.already;
  if (context.sends && left > 0) details["not_tried"] = left;
  if (!context.sends) details["would_send"] = would_send;
  if (selected.without_key > 0) details["without_key"] = selected.without_key;
  if (selected.doubles > 0) details["same_key"] = selected.doubles;
  outcome.details = details.dump();
  AddNotes(context, selected, would_send, outcome);
  if (tally.due > 0) {
    Json cursor;
    cursor["due"] = tally.due;
    outcome.cursor = cursor.dump();
  }
  if (tally.failed > 0) {
    std::string text = fmt::format("{} of {} sends failed; the first: {}", tally.failed,
                                   tally.failed + tally.sent + left, tally.first_failure);
    if (left > 0) text += fmt::format("; {} were not tried after that", left);
    outcome.failure = ExternalError("send_failed", text)
                          .At(context.node->spec.PlaceOf(FieldOfFailure()))
                          .Node(name_)
                          .Hint(fmt::format("the next run tries them again under the same {}; "
                                            "headrace query \"FROM {}__failed\" lists them",
                                            KeyName(), name_));
  }
  return outcome;
}

void OutboxAction::AddNotes(const pipeline::BuildContext& context, const Selected& selected,
                            int64_t would_send, pipeline::Outcome& outcome) const {
  if (context.project->sample() > 0 && would_send > 0) {
    outcome.notes.push_back(
        UserError("dry_run", fmt::format("{} sends were recorded, none was made: a run on a sample "
                                         "sends nothing",
                                         would_send))
            .As(Severity::kHint)
            .Node(name_));
  } else if (!context.sends && would_send > 0) {
    outcome.notes.push_back(
        UserError("dry_run", fmt::format("{} sends were recorded, none was made: target '{}' does "
                                         "not send",
                                         would_send, context.target))
            .As(Severity::kHint)
            .Node(name_)
            .Hint("only the target prod (or the only one) sends; 'actions: send' in headrace.yml "
                  "lets another one"));
  }
  if (selected.without_key > 0) {
    outcome.notes.push_back(
        DataError("null_key", fmt::format("{} rows have no value in once_per and were not acted on",
                                          selected.without_key))
            .As(Severity::kWarning)
            .At(context.node->spec.PlaceOf("once_per"))
            .Node(name_));
  }
  if (selected.doubles > 0) {
    outcome.notes.push_back(
        DataError("same_key", fmt::format("{} rows have the key of another row; one row per key "
                                          "was acted on",
                                          selected.doubles))
            .As(Severity::kWarning)
            .At(context.node->spec.PlaceOf("once_per"))
            .Node(name_));
  }
}

Status OutboxAction::SendBlock(pipeline::BuildContext& context, Sender& sender,
                               const std::vector<OutboxRow>& block, Tally& tally) const {
  HR_TRY(context.cancel.Check());
  std::vector<std::string> keys;
  for (const OutboxRow& row : block) keys.push_back(row.key);
  HR_ASSIGN(auto decisions,
            context.store->RecordIntents(context.claim, context.run, name_, keys, AgainMicros()));
  const auto may_be_due = [&](Timestamp sent) {
    if (AgainMicros() == 0 || sent == 0) return;
    const Timestamp due = sent + AgainMicros();
    tally.due = tally.due == 0 ? due : std::min(tally.due, due);
  };
  std::vector<store::SendResult> results;
  Status stopped;
  for (size_t i = 0; i < block.size(); ++i) {
    if (decisions[i].state == store::IntentState::kAlreadySent) {
      ++tally.already;
      may_be_due(decisions[i].sent);
      continue;
    }
    if (tally.unreachable) {
      ++tally.failed;
      results.push_back({block[i].key, store::SendStatus::kFailed,
                         "not tried: nobody answered the "
                         "send before"});
      continue;
    }
    // A run that slept while another took over must not send: ask right before.
    if (stopped = context.store->CheckClaim(context.claim); !stopped.ok()) break;
    CrashPoint("action.send.before");
    auto sent = sender.Send(block[i], decisions[i].idempotency_key);
    CrashPoint("action.send.after");
    if (!sent.ok()) {
      stopped = Error(sent.error()).Node(name_);
      break;
    }
    store::SendResult result;
    result.key = block[i].key;
    result.detail = sent->detail;
    if (sent->ok) {
      ++tally.sent;
      may_be_due(context.clock != nullptr ? context.clock->Now() : context.now);
    } else {
      result.status = store::SendStatus::kFailed;
      if (tally.first_failure.empty()) tally.first_failure = result.detail;
      ++tally.failed;
      tally.unreachable = sent->unreachable;
    }
    results.push_back(std::move(result));
  }
  // What was sent is recorded even when the block could not be finished.
  Status recorded = context.store->RecordResults(context.claim, name_, results);
  if (!stopped.ok()) return stopped;
  return recorded;
}

}  // namespace headrace::components
