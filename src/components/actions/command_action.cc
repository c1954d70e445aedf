// Sends are at least once, with a key. For a block of rows: intents are recorded (one synced
// transaction), the programs run one after the other, the results are recorded. Killed in between,
// the intents without a result are sent again by the next run under the same HEADRACE_KEY, so at
// most kBlock rows are ever repeated by one kill. A block costs two commits (about 4 ms) against
// some milliseconds for each program: larger blocks would save little and repeat more.
#include "components/actions/command_action.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/crash_point.h"
#include "base/subprocess.h"
#include "base/suggest.h"
#include "data/batch.h"
#include "data/quote.h"
#include "pipeline/build_context.h"
#include "pipeline/project.h"
#include "sql/expression.h"

namespace headrace::components {

using spec::Field;
using spec::Spec;

const Spec& CommandActionSpec() {
  static const Spec spec = [] {
    Spec s{"action",
           "command",
           "Runs a program for every row, once per key, with the row as JSON on its stdin.",
           {Field("from", &CommandOptions::from, "Node whose rows are acted on.").Node(),
            Field("where", &CommandOptions::where, "Only rows for which this SQL condition holds.")
                .SqlExpression()
                .Optional(),
            Field("once_per", &CommandOptions::once_per,
                  "Columns of the key: each value is acted on once. Not given: the whole row.")
                .Column()
                .Optional(),
            Field("again_after", &CommandOptions::again_after,
                  "After so long a key may be acted on again; not given: never."),
            Field("run", &CommandOptions::run,
                  "Program and arguments. No shell: nothing is expanded or split.")
                .NotEmpty(),
            Field("env", &CommandOptions::env,
                  "Environment of the program, besides PATH, HOME, LANG and HEADRACE_KEY.")
                .Optional()
                .Secret()
                .Affects(spec::Affects::kPolicy)}};
    s.Example(
        "action: command\nfrom: scores\nwhere: probability > 0.8\nonce_per: customer_id\n"
        "run: [python3, tools/call.py]\n");
    return s;
  }();
  return spec;
}

namespace {

constexpr size_t kBlock = 8;
constexpr int64_t kDefaultTimeoutMicros = 60'000'000;

struct Row {
  std::string key, json;
};

class CommandAction : public pipeline::Component {
 public:
  explicit CommandAction(const spec::NodeSpec& node)
      : name_(node.name), options_(node.options.As<CommandOptions>()) {
    if (node.common.timeout) timeout_ = node.common.timeout->micros;
  }

  std::vector<pipeline::InputRef> Inputs() const override { return {{options_.from, "from"}}; }
  bool HasTable() const override { return false; }

  std::optional<data::Schema> Lint(const pipeline::LintContext& context) const override {
    const pipeline::Node& node = *context.node;
    const data::Schema* schema = context.schema_of(options_.from);
    if (schema != nullptr) {
      for (const auto& column : options_.once_per) {
        if (schema->Find(column) != nullptr) continue;
        context.diagnostics->Add(
            UserError("unknown_column", "'" + options_.from + "' has no column '" + column + "'")
                .At(node.spec.PlaceOf("once_per"))
                .Node(name_)
                .Subject(column)
                .Candidates(Suggest(column, schema->Names())));
      }
    }
    if (options_.again_after && options_.again_after->months > 0) {
      context.diagnostics->Add(
          UserError("bad_option", "'again_after' in months or years has no fixed length")
              .At(node.spec.PlaceOf("again_after"))
              .Node(name_)
              .Hint("write it in days: 30 days"));
    }
    if (options_.where.empty() || context.parser == nullptr) return std::nullopt;
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

  Result<pipeline::Probe> ProbeOutside(const pipeline::ProbeContext& context) const override {
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

  Result<pipeline::Outcome> Build(pipeline::BuildContext& context) const override;

 private:
  sql::SqlText WhereText(const pipeline::Node& node) const {
    sql::SqlText text;
    text.text = options_.where;
    text.file = node.file;
    text.node = name_;
    text.origin = node.spec.PlaceOf("where");
    return text;
  }
  std::string SelectText(const std::string& relation) const;
  Result<data::Parameters> WhereParameters(const pipeline::BuildContext& context) const;
  Status Send(pipeline::BuildContext& context, std::vector<Row>& block, int64_t* sent,
              int64_t* failed, int64_t* already, std::string* first_failure) const;

  std::string name_;
  CommandOptions options_;
  int64_t timeout_ = kDefaultTimeoutMicros;
};

std::string CommandAction::SelectText(const std::string& relation) const {
  std::string key;
  if (options_.once_per.size() == 1) {
    key = "CAST(r." + data::QuoteIdentifier(options_.once_per.front()) + " AS VARCHAR)";
  } else if (!options_.once_per.empty()) {
    std::string nulls;
    key = "CAST(to_json([";
    for (size_t i = 0; i < options_.once_per.size(); ++i) {
      const std::string column = "r." + data::QuoteIdentifier(options_.once_per[i]);
      key += (i > 0 ? ", " : "") + ("CAST(" + column + " AS VARCHAR)");
      nulls += (i > 0 ? " OR " : "") + column + " IS NULL";
    }
    key += "]) AS VARCHAR)";
    key = "CASE WHEN " + nulls + " THEN NULL ELSE " + key + " END";
  } else {
    key = "CAST(to_json(r) AS VARCHAR)";
  }
  std::string text =
      "SELECT " + key + " AS key, CAST(to_json(r) AS VARCHAR) AS body FROM (" + relation + ") AS r";
  if (!options_.where.empty()) text += " WHERE (" + options_.where + "\n)";
  // Which of two rows of one key is sent, and in which order, must not depend on threads.
  return text + " ORDER BY 1, 2";
}

Result<data::Parameters> CommandAction::WhereParameters(
    const pipeline::BuildContext& context) const {
  data::Parameters used;
  if (options_.where.find('$') == std::string::npos) return used;
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

Result<pipeline::Outcome> CommandAction::Build(pipeline::BuildContext& context) const {
  HR_ASSIGN(auto connection, context.ConnectInputs());
  HR_ASSIGN(std::string input, context.InputSql(options_.from));
  HR_ASSIGN(auto parameters, WhereParameters(context));
  const pipeline::Node* from = context.project->FindNode(options_.from);
  for (auto& more : pipeline::UsedParameters(*context.project, *from, context.parameters)) {
    const bool there = std::any_of(parameters.begin(), parameters.end(),
                                   [&](const auto& p) { return p.name == more.name; });
    if (!there) parameters.push_back(std::move(more));
  }
  auto selected = connection.Query(SelectText(input), parameters, context.Query());
  if (!selected.ok()) {
    Error error = std::move(selected).error();
    error.At(context.node->spec.PlaceOf(options_.where.empty() ? "from" : "where"));
    return std::move(error.Node(name_));
  }
  pipeline::Outcome outcome;
  int64_t without_key = 0, doubles = 0, sent = 0, failed = 0, already = 0;
  std::string first_failure;
  std::vector<Row> rows;
  for (auto& row : selected->rows) {
    if (row[0].is_null()) {
      ++without_key;
    } else if (!rows.empty() && rows.back().key == row[0].Text()) {
      ++doubles;
    } else {
      rows.push_back({row[0].Text(), row[1].Text()});
    }
  }
  const int64_t again = options_.again_after ? options_.again_after->micros : 0;
  int64_t would_send = 0;
  if (!context.sends) {
    std::vector<std::string> keys;
    for (const Row& row : rows) keys.push_back(row.key);
    HR_ASSIGN(auto decisions,
              context.store->RecordDryRun(context.claim, context.run, name_, keys, again));
    for (const auto& decision : decisions) {
      would_send += decision.state != store::IntentState::kAlreadySent;
    }
    outcome.rows = 0;
  } else {
    if (context.progress != nullptr) {
      context.progress->Expect(static_cast<int64_t>(rows.size()), "sends");
    }
    for (size_t at = 0; at < rows.size(); at += kBlock) {
      std::vector<Row> block(rows.begin() + static_cast<long>(at),
                             rows.begin() + static_cast<long>(std::min(rows.size(), at + kBlock)));
      HR_TRY(Send(context, block, &sent, &failed, &already, &first_failure));
      if (context.progress != nullptr) {
        context.progress->Advance(static_cast<int64_t>(block.size()));
      }
    }
    outcome.rows = sent;
  }
  Json details;
  details["sent"] = sent;
  details["failed"] = failed;
  details["already_sent"] = already;
  if (!context.sends) details["would_send"] = would_send;
  if (without_key > 0) details["without_key"] = without_key;
  if (doubles > 0) details["same_key"] = doubles;
  outcome.details = details.dump();
  if (!context.sends && would_send > 0) {
    outcome.notes.push_back(
        UserError("dry_run", fmt::format("{} sends were recorded, none was made: target '{}' does "
                                         "not send",
                                         would_send, context.target))
            .As(Severity::kHint)
            .Node(name_)
            .Hint("only the target prod (or the only one) sends; 'actions: send' in headrace.yml "
                  "lets another one"));
  }
  if (without_key > 0) {
    outcome.notes.push_back(
        DataError("null_key", fmt::format("{} rows have no value in once_per and were not acted on",
                                          without_key))
            .As(Severity::kWarning)
            .At(context.node->spec.PlaceOf("once_per"))
            .Node(name_));
  }
  if (doubles > 0) {
    outcome.notes.push_back(
        DataError("same_key", fmt::format("{} rows have the key of another row; one row per key "
                                          "was acted on",
                                          doubles))
            .As(Severity::kWarning)
            .At(context.node->spec.PlaceOf("once_per"))
            .Node(name_));
  }
  if (again > 0 && context.sends && !rows.empty()) {
    Json cursor;
    cursor["due"] = context.now + again;
    outcome.cursor = cursor.dump();
  }
  if (failed > 0) {
    outcome.failure =
        ExternalError("send_failed", fmt::format("{} of {} sends failed; the first: {}", failed,
                                                 failed + sent, first_failure))
            .At(context.node->spec.PlaceOf("run"))
            .Node(name_)
            .Hint("the next run tries them again under the same HEADRACE_KEY; headrace show " +
                  name_ + " lists them");
  }
  return outcome;
}

Status CommandAction::Send(pipeline::BuildContext& context, std::vector<Row>& block, int64_t* sent,
                           int64_t* failed, int64_t* already, std::string* first_failure) const {
  HR_TRY(context.cancel.Check());
  std::vector<std::string> keys;
  for (const Row& row : block) keys.push_back(row.key);
  HR_ASSIGN(auto decisions,
            context.store->RecordIntents(context.claim, context.run, name_, keys,
                                         options_.again_after ? options_.again_after->micros : 0));
  std::vector<store::SendResult> results;
  Status stopped;
  for (size_t i = 0; i < block.size(); ++i) {
    if (decisions[i].state == store::IntentState::kAlreadySent) {
      ++*already;
      continue;
    }
    // A run that slept while another took over must not send: ask right before.
    if (stopped = context.store->CheckClaim(context.claim); !stopped.ok()) break;
    SubprocessOptions child;
    child.command = options_.run;
    for (const char* name : {"PATH", "HOME", "LANG"}) {
      if (const char* value = std::getenv(name)) child.env[name] = value;
    }
    for (const auto& [name, value] : options_.env) child.env[name] = value;
    child.env["HEADRACE_KEY"] = decisions[i].idempotency_key;
    child.directory = context.project_root;
    child.input = block[i].json + "\n";
    child.timeout_micros = timeout_;
    CrashPoint("action.send.before");
    auto ran = RunSubprocess(child, context.cancel);
    CrashPoint("action.send.after");
    if (!ran.ok()) {
      stopped = Error(ran.error()).Node(name_);
      break;
    }
    store::SendResult result;
    result.key = block[i].key;
    if (ran->timed_out) {
      result.status = store::SendStatus::kFailed;
      result.detail = "no end within " + FormatSeconds(static_cast<double>(timeout_) / 1e6);
    } else if (ran->exit_code != 0) {
      result.status = store::SendStatus::kFailed;
      std::string said = ran->error_output.substr(0, 500);
      while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.pop_back();
      result.detail =
          fmt::format("exit code {}{}", ran->exit_code, said.empty() ? "" : ": " + said);
    } else {
      result.detail = ran->output.substr(0, 200);
      while (!result.detail.empty() && result.detail.back() == '\n') result.detail.pop_back();
    }
    if (result.status == store::SendStatus::kFailed) {
      if (first_failure->empty()) *first_failure = result.detail;
      ++*failed;
    } else {
      ++*sent;
    }
    results.push_back(std::move(result));
  }
  // What was sent is recorded even when the block could not be finished.
  Status recorded = context.store->RecordResults(context.claim, name_, results);
  if (!stopped.ok()) return stopped;
  return recorded;
}

}  // namespace

std::unique_ptr<pipeline::Component> MakeCommandAction(const spec::NodeSpec& node) {
  return std::make_unique<CommandAction>(node);
}

}  // namespace headrace::components
