#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/number_text.h"
#include "base/text_table.h"
#include "base/text_width.h"
#include "cli/commands.h"
#include "cli/model_text.h"

namespace headrace::cli {
namespace {

Json ParsedOrNull(const std::string& text) {
  auto json = ParseJson(text, "");
  return json.ok() ? std::move(*json) : Json();
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string TimeOrNever(Timestamp time) { return time == 0 ? "never" : FormatTimestamp(time); }

/// Statistics of the columns; they stand in the manifest when the record has none of its own.
Json ProfileOf(const std::optional<store::SnapshotRecord>& snapshot) {
  if (!snapshot) return nullptr;
  if (!snapshot->profile.empty()) return ParsedOrNull(snapshot->profile);
  const Json manifest = ParsedOrNull(snapshot->manifest);
  return manifest.is_object() && manifest.contains("profile") ? manifest["profile"] : Json();
}

/// Options as people write them: "[a, b]", "{size: 5}"; what was not given is left out.
std::string OptionText(const Json& value) {
  std::string text;
  if (value.is_array()) {
    for (const auto& item : value) text += (text.empty() ? "" : ", ") + OptionText(item);
    return text.empty() ? "" : "[" + text + "]";
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      const std::string inner = OptionText(item);
      if (!inner.empty()) text += (text.empty() ? "" : ", ") + key + ": " + inner;
    }
    return text.empty() ? "" : "{" + text + "}";
  }
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// One node on stdout, part by part; a part that is empty is left out.
class Page {
 public:
  Page(const engine::NodeDetails& node, Console& console) : node_(node), console_(console) {}

  void Print() {
    Head();
    Options();
    Sql();
    Columns();
    Checks();
    Rows();
    Intervals();
    Quarantine();
    Models();
    Sends();
    Runs();
    console_.Text(out_);
  }

 private:
  void Title(const std::string& text) { out_ += "\n" + console_.OutBold(text) + "\n"; }
  void Line(const std::string& name, const std::string& value, size_t width = 11) {
    if (!value.empty()) out_ += fmt::format("  {:<{}}  {}\n", name, width, value);
  }
  void Table(const TextTable& table) {
    const int columns = console_.columns();
    const std::string text = table.Render({columns > 2 ? columns - 2 : 0, console_.out_color()});
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      out_ += "  " + text.substr(begin, end - begin + 1);
      begin = end + 1;
    }
  }

  void Head() {
    const auto& summary = node_.summary;
    std::string kind = summary.kind;
    if (!summary.type.empty()) kind += " " + summary.type;
    out_ += fmt::format("{} ({})\n", console_.OutBold(summary.name), kind);
    if (!summary.description.empty()) out_ += "  " + summary.description + "\n";
    Line("file", summary.file);
    Line("owner", summary.owner);
    Line("tags", Joined(summary.tags));
    Line("materialize", summary.materialize);
    Line("reads", Joined(summary.inputs));
    Line("read by", Joined(node_.outputs));
    Line("committed", TimeOrNever(summary.committed));
  }

  void Options() {
    if (node_.fields.empty()) return;
    Title("Options");
    size_t width = 0;
    for (const auto& [name, value] : node_.fields) width = std::max(width, name.size());
    for (const auto& [name, value] : node_.fields) {
      const bool nested = value.starts_with('{') || value.starts_with('[');
      const Json json = nested ? ParsedOrNull(value) : Json();
      Line(name, json.is_structured() ? OptionText(json) : value, width);
    }
  }

  void Sql() {
    if (node_.sql.empty()) return;
    Title("SQL");
    std::string text = node_.sql;
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    out_ += "  ";
    for (const char c : text) {
      out_ += c;
      if (c == '\n') out_ += "  ";
    }
    out_ += "\n";
  }

  void Columns() {
    if (!node_.schema) return;
    Title("Columns");
    const Json profile = ProfileOf(node_.snapshot);
    std::map<std::string, Json> statistics;
    if (profile.is_object() && profile.contains("columns")) {
      for (const auto& column : profile["columns"]) {
        statistics[column.value("name", "")] = column;
      }
    }
    const bool known = !statistics.empty();
    TextTable table(known ? std::vector<std::string>{"COLUMN", "TYPE", "NULL", "~DISTINCT", "MIN",
                                                     "MAX", "DESCRIPTION"}
                          : std::vector<std::string>{"COLUMN", "TYPE", "DESCRIPTION"});
    const auto of = [](const Json& column, const char* key) -> std::string {
      if (!column.contains(key) || column[key].is_null()) return "";
      return CutToWidth(
          column[key].is_string() ? column[key].get<std::string>() : column[key].dump(), 24);
    };
    for (const auto& column : node_.schema->columns) {
      const auto described = node_.column_descriptions.find(column.name);
      const std::string text =
          described == node_.column_descriptions.end() ? "" : described->second;
      if (!known) {
        table.AddRow({column.name, column.type, text});
        continue;
      }
      const Json& found = statistics[column.name];
      table.AddRow({column.name, column.type, of(found, "nulls"), of(found, "distinct"),
                    of(found, "min"), of(found, "max"), text});
    }
    Table(table);
  }

  void Checks() {
    if (node_.checks.empty()) return;
    Title("Checks");
    TextTable table({"CHECK", "SEVERITY", "LAST", "MESSAGE"});
    for (const auto& check : node_.checks) {
      table.AddRow({check.id, check.severity,
                    check.verdict ? std::string(store::Text(check.verdict->status)) : "-",
                    check.verdict ? check.verdict->message : ""});
    }
    Table(table);
    if (node_.rejection) {
      out_ += fmt::format("  run {} was rejected: the rows below are those before it\n",
                          node_.rejection->run);
    }
    History();
  }

  /// One line a check, its last verdicts from left to right, newest first.
  void History() {
    constexpr size_t kMost = 6;
    TextTable table({"CHECK", "LAST VERDICTS, NEWEST FIRST"});
    bool any = false;
    for (const auto& check : node_.checks) {
      std::string line;
      size_t count = 0;
      for (const auto& commit : node_.history) {
        for (const auto& verdict : commit.verdicts) {
          if (verdict.check != check.id || ++count > kMost) continue;
          line += (line.empty() ? "" : ", ") + VerdictWord(verdict);
        }
      }
      any = any || count > 1;
      table.AddRow({check.id, line});
    }
    if (!any) return;
    out_ += "\n";
    Table(table);
  }

  static std::string VerdictWord(const store::Verdict& verdict) {
    const bool aside = verdict.severity == "quarantine" && verdict.failing_rows > 0 &&
                       verdict.status == store::VerdictStatus::kWarn;
    std::string word = aside ? "aside" : std::string(store::Text(verdict.status));
    if (verdict.failing_rows > 0) {
      word += fmt::format(" {} of {}", verdict.failing_rows, verdict.total_rows);
    }
    return word;
  }

  void Rows() {
    if (!node_.snapshot) return;
    const auto& snapshot = *node_.snapshot;
    Title("Rows");
    Line("rows", Grouped(snapshot.rows));
    Line("size", FormatBytes(snapshot.bytes));
    Line("snapshot", snapshot.id);
    Line("created", FormatTimestamp(snapshot.created));
    const Json files = ParsedOrNull(snapshot.files);
    if (!files.is_array()) return;
    constexpr size_t kMostFiles = 10;
    for (size_t i = 0; i < files.size() && i < kMostFiles; ++i) {
      Line(i == 0 ? "files" : "", files[i].value("path", ""));
    }
    if (files.size() > kMostFiles) {
      Line("", fmt::format("… and {} more", files.size() - kMostFiles));
    }
  }

  /// Neighbours of one state in one line: years of days are a few lines.
  void Intervals() {
    const auto& all = node_.intervals;
    if (all.empty()) return;
    Title("Intervals");
    TextTable table({"FROM", "TO", "INTERVALS", "ROWS", "STATE"});
    for (size_t i = 0; i < all.size();) {
      size_t end = i;
      int64_t rows = 0;
      while (end < all.size() && all[end].stale == all[i].stale &&
             (end == i || all[end].from == all[end - 1].to)) {
        rows += all[end++].rows;
      }
      table.AddRow({pipeline::TimeText(all[i].from), pipeline::TimeText(all[end - 1].to),
                    std::to_string(end - i), Grouped(rows),
                    all[i].stale.empty() ? "built" : "stale: " + all[i].stale});
      i = end;
    }
    Table(table);
  }

  void Quarantine() {
    if (!node_.quarantine) return;
    Title("Quarantine");
    Line("rows", Grouped(node_.quarantine->rows));
    Line("changed", FormatTimestamp(node_.quarantine->created));
    Line("look at", "headrace query \"FROM " + node_.summary.name + "__quarantine\"");
  }

  void Models() {
    if (node_.versions.empty()) return;
    Title("Versions");
    TextTable table({"VERSION", "STATE", "METRIC", "ROWS", "CREATED"});
    const auto aliases = AliasesByVersion(node_.aliases, node_.summary.name);
    for (const auto& version : node_.versions) {
      std::string state(store::Text(version.status));
      if (const auto found = aliases.find(version.version); found != aliases.end()) {
        for (const auto& alias : found->second) {
          if (alias != state) state = alias.starts_with(state) ? alias : state + ", " + alias;
        }
      }
      table.AddRow({std::to_string(version.version), state, MainMetric(version),
                    Grouped(version.rows), FormatTimestamp(version.created)});
    }
    Table(table);
  }

  void Sends() {
    if (node_.sends.empty()) return;
    Title("Sends");
    TextTable table({"KEY", "STATE", "ATTEMPTS", "WHEN", "ANSWER"});
    for (const auto& send : node_.sends) {
      table.AddRow({send.key, std::string(store::Text(send.status)), std::to_string(send.attempts),
                    FormatTimestamp(send.result != 0 ? send.result : send.intent), send.detail});
    }
    Table(table);
  }

  void Runs() {
    if (node_.runs.empty()) return;
    Title("Last runs");
    TextTable table({"RUN", "ACTION", "ROWS", "TIME", "REASON"});
    for (const auto& run : node_.runs) {
      const auto& record = run.record;
      const Json error = record.error.empty() ? Json() : ParsedOrNull(record.error);
      std::string reason = record.reason;
      if (error.is_object()) {
        const std::string message = error.value("message", "");
        reason = message.substr(0, message.find('\n'));
      }
      table.AddRow({record.run, record.action, record.rows < 0 ? "-" : Grouped(record.rows),
                    fmt::format("{:<7}", FormatSeconds(record.seconds)), reason});
    }
    Table(table);
  }

  const engine::NodeDetails& node_;
  Console& console_;
  std::string out_;
};

Json VerdictJson(const std::optional<store::Verdict>& verdict) {
  if (!verdict) return nullptr;
  return {{"status", std::string(store::Text(verdict->status))},
          {"failing_rows", verdict->failing_rows},
          {"rows", verdict->total_rows},
          {"message", verdict->message}};
}

Json DetailsJson(const engine::NodeDetails& node) {
  const auto& summary = node.summary;
  Json json = {{"event", "node"}, {"node", summary.name}, {"kind", summary.kind}};
  json["type"] = summary.type;
  json["file"] = summary.file;
  json["owner"] = summary.owner;
  json["description"] = summary.description;
  json["tags"] = summary.tags;
  json["materialize"] = summary.materialize;
  json["inputs"] = summary.inputs;
  json["outputs"] = node.outputs;
  json["committed"] = summary.committed == 0 ? Json() : Json(FormatTimestamp(summary.committed));
  Json fields = Json::object();
  for (const auto& [name, value] : node.fields) fields[name] = value;
  json["fields"] = fields;
  if (!node.sql.empty()) json["sql"] = node.sql;
  json["columns"] = node.schema ? data::ToJson(*node.schema) : Json();
  json["checks"] = Json::array();
  for (const auto& check : node.checks) {
    json["checks"].push_back({{"check", check.id},
                              {"severity", check.severity},
                              {"verdict", VerdictJson(check.verdict)}});
  }
  json["snapshot"] = nullptr;
  if (node.snapshot) {
    json["snapshot"] = {{"id", node.snapshot->id},
                        {"build", node.snapshot->build},
                        {"rows", node.snapshot->rows},
                        {"bytes", node.snapshot->bytes},
                        {"created", FormatTimestamp(node.snapshot->created)},
                        {"files", ParsedOrNull(node.snapshot->files)},
                        {"profile", ProfileOf(node.snapshot)}};
  }
  json["history"] = Json::array();
  for (const auto& commit : node.history) {
    Json verdicts = Json::array();
    for (const auto& verdict : commit.verdicts) {
      Json one = VerdictJson(verdict);
      one["check"] = verdict.check;
      one["severity"] = verdict.severity;
      verdicts.push_back(std::move(one));
    }
    json["history"].push_back({{"run", commit.run},
                               {"committed", FormatTimestamp(commit.committed)},
                               {"rejected", commit.rejected},
                               {"verdicts", std::move(verdicts)}});
  }
  json["quarantine"] = nullptr;
  if (node.quarantine) {
    json["quarantine"] = {{"id", node.quarantine->id}, {"rows", node.quarantine->rows}};
  }
  json["rejected_by"] = node.rejection ? Json(node.rejection->run) : Json();
  json["intervals"] = Json::array();
  for (const auto& interval : node.intervals) {
    json["intervals"].push_back({{"from", FormatTimestamp(interval.from)},
                                 {"to", FormatTimestamp(interval.to)},
                                 {"rows", interval.rows},
                                 {"stale", interval.stale},
                                 {"run", interval.run},
                                 {"built", FormatTimestamp(interval.built)}});
  }
  json["runs"] = Json::array();
  for (const auto& run : node.runs) {
    const auto& record = run.record;
    json["runs"].push_back({{"run", record.run},
                            {"action", record.action},
                            {"reason", record.reason},
                            {"rows", record.rows < 0 ? Json() : Json(record.rows)},
                            {"seconds", record.seconds},
                            {"error", ParsedOrNull(record.error)}});
  }
  json["versions"] = Json::array();
  for (const auto& version : node.versions) {
    json["versions"].push_back({{"version", version.version},
                                {"status", std::string(store::Text(version.status))},
                                {"metrics", ParsedOrNull(version.metrics)}});
  }
  json["sends"] = Json::array();
  for (const auto& send : node.sends) {
    json["sends"].push_back({{"key", send.key},
                             {"status", std::string(store::Text(send.status))},
                             {"attempts", send.attempts},
                             {"idempotency_key", send.idempotency_key}});
  }
  return json;
}

}  // namespace

int Show(const Arguments& arguments, Session& session, Console& console) {
  if (!session.Sound()) return 2;
  auto details = session.engine().Show(arguments.subject);
  if (!details.ok()) return session.Fail(details.error());
  if (console.json()) {
    console.JsonLine(DetailsJson(*details));
  } else {
    Page(*details, console).Print();
  }
  return 0;
}

}  // namespace headrace::cli
