#include "model/package_json.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace headrace::model {
namespace {

constexpr std::string_view kMagic = "HRSEEN1\n";
constexpr size_t kMaxMembers = 1000;

Error Damaged(const std::string& what) {
  return DataError("damaged_model", "model package: " + what)
      .Hint("restore the package from where it was made, or train the model again");
}

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

/// Reads fields of an object; the first fault is kept.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {
    if (!json.is_object()) fault_ = "model.json is no object";
  }
  std::string Text(const char* key) {
    const Json* value = Get(key);
    if (value == nullptr) return {};
    if (!value->is_string()) return Fail(key, "text"), std::string();
    return value->get<std::string>();
  }
  int64_t Integer(const char* key) {
    const Json* value = Get(key);
    if (value == nullptr) return 0;
    if (!value->is_number_integer()) return Fail(key, "whole number"), 0;
    return value->get<int64_t>();
  }
  double Double(const char* key, bool may_be_null = false) {
    const Json* value = Get(key);
    if (value == nullptr) return 0;
    if (may_be_null && value->is_null()) return std::nan("");
    if (!value->is_number()) return Fail(key, "number"), 0;
    return value->get<double>();
  }
  const Json* List(const char* key) {
    const Json* value = Get(key);
    if (value != nullptr && !value->is_array()) Fail(key, "list");
    return fault_.empty() ? value : nullptr;
  }
  const Json* Object(const char* key) {
    const Json* value = Get(key);
    if (value != nullptr && !value->is_object()) Fail(key, "object");
    return fault_.empty() ? value : nullptr;
  }
  Status status() const { return fault_.empty() ? Ok() : Status(Damaged(fault_)); }

 private:
  const Json* Get(const char* key) {
    if (!fault_.empty()) return nullptr;
    if (!json_.contains(key)) {
      fault_ = fmt::format("model.json has no '{}'", key);
      return nullptr;
    }
    return &json_[key];
  }
  void Fail(const char* key, const char* what) {
    if (fault_.empty()) fault_ = fmt::format("model.json: '{}' is no {}", key, what);
  }
  const Json& json_;
  std::string fault_;
};

Result<MetricValue> MetricFromJson(const Json& json) {
  Reader reader(json);
  MetricValue out;
  out.value = reader.Double("value", true);
  out.low = reader.Double("low", true);
  out.high = reader.Double("high", true);
  out.rows = reader.Integer("rows");
  HR_TRY(reader.status());
  return out;
}

Result<Member> MemberFromJson(const Json& json) {
  Reader reader(json);
  Member out;
  out.name = reader.Text("name");
  out.kind = reader.Text("kind");
  out.weight = reader.Double("weight");
  HR_TRY(reader.status());
  // The name becomes a path.
  if (out.name.empty() || out.name.size() > 100) return Damaged("a member has no proper name");
  for (const char c : out.name) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') {
      return Damaged("a member has no proper name");
    }
  }
  return out;
}

/// Packages of before have none.
Result<std::vector<double>> CostsFromJson(const Json& json, size_t classes) {
  std::vector<double> costs;
  const auto at = json.find("costs");
  if (at == json.end()) return costs;
  if (!at->is_array() || (!at->empty() && at->size() != classes * classes)) {
    return Damaged("model.json: 'costs' is no matrix of the classes");
  }
  for (const Json& cost : *at) {
    if (!cost.is_number()) return Damaged("model.json: a cost is no number");
    costs.push_back(cost.get<double>());
  }
  return costs;
}

void Append(std::string* out, const void* data, size_t size) {
  out->append(static_cast<const char*>(data), size);
}

}  // namespace

const char* Name(Task task) {
  switch (task) {
    case Task::kBinary:
      return "binary";
    case Task::kMulticlass:
      return "multiclass";
    case Task::kRegression:
      return "regression";
  }
  return "";
}

int Package::outputs() const {
  return task == Task::kMulticlass ? static_cast<int>(classes.size()) : 1;
}

std::string MemberPath(const Member& member) { return "members/" + member.name + ".txt"; }

std::string WithoutParameters(const std::string& text) {
  const size_t begin = text.find("\nparameters:");
  if (begin == std::string::npos) return text;
  constexpr std::string_view kEnd = "end of parameters\n";
  const size_t end = text.find(kEnd, begin);
  if (end == std::string::npos) return text;
  return text.substr(0, begin + 1) + text.substr(end + kEnd.size());
}

Json PackageToJson(const Package& package) {
  Json members = Json::array(), metrics = Json::object();
  for (const Member& member : package.members) {
    members.push_back({{"name", member.name},
                       {"kind", member.kind},
                       {"weight", member.weight},
                       {"file", MemberPath(member)}});
  }
  for (const auto& [name, metric] : package.metrics) {
    metrics[name] = {{"value", Number(metric.value)},
                     {"low", Number(metric.low)},
                     {"high", Number(metric.high)},
                     {"rows", metric.rows}};
  }
  const Json report = Json::parse(package.report, nullptr, false);
  return {{"format", Package::kFormat},
          {"model", package.model},
          {"version", package.version},
          {"content_hash", ContentHash(package).Hex()},
          {"task", Name(package.task)},
          {"target", package.target},
          {"target_type", package.target_type},
          {"classes", package.classes},
          {"encoder", package.encoder.ToJson()},
          {"members", std::move(members)},
          {"calibration",
           {{"scale", package.calibration.scale}, {"offsets", package.calibration.offsets}}},
          {"threshold", package.threshold},
          {"costs", package.costs},
          {"metric", package.metric},
          {"metrics", std::move(metrics)},
          {"split", package.split},
          {"training_rows", package.training_rows},
          {"seed", package.seed},
          {"data_fingerprint", package.data_fingerprint},
          {"code_fingerprint", package.code_fingerprint},
          {"created", package.created},
          {"seen", {{"columns", package.seen.columns}, {"key", package.seen.key}}},
          {"report", report.is_object() ? report : Json::object()}};
}

/// Of "seen", which the first packages don't have: their rows can't be told apart from others.
static Result<std::vector<std::string>> NamesFromJson(const Json& json, const char* field) {
  std::vector<std::string> names;
  const auto seen = json.find("seen");
  if (seen == json.end() || !seen->is_object()) return names;
  const auto list = seen->find(field);
  if (list == seen->end() || !list->is_array()) return names;
  for (const Json& name : *list) {
    if (!name.is_string()) return Damaged("model.json: seen: a name is no text");
    names.push_back(name.get<std::string>());
  }
  return names;
}

Result<Package> PackageFromJson(const Json& json) {
  Reader reader(json);
  const int64_t format = reader.Integer("format");
  HR_TRY(reader.status());
  if (format > Package::kFormat) {
    return UserError("newer_format",
                     fmt::format("model package: format {}; this Headrace reads up to {}", format,
                                 Package::kFormat))
        .Hint("use the version of Headrace that wrote it, or a newer one");
  }
  Package out;
  out.model = reader.Text("model");
  out.version = reader.Integer("version");
  const std::string task = reader.Text("task");
  out.target = reader.Text("target");
  out.target_type = reader.Text("target_type");
  const Json* classes = reader.List("classes");
  const Json* encoder = reader.Object("encoder");
  const Json* members = reader.List("members");
  const Json* calibration = reader.Object("calibration");
  out.threshold = reader.Double("threshold");
  out.metric = reader.Text("metric");
  const Json* metrics = reader.Object("metrics");
  out.split = reader.Text("split");
  out.training_rows = reader.Integer("training_rows");
  out.seed = reader.Integer("seed");
  out.data_fingerprint = reader.Text("data_fingerprint");
  out.code_fingerprint = reader.Text("code_fingerprint");
  out.created = reader.Text("created");
  const Json* report = reader.Object("report");
  HR_TRY(reader.status());

  if (task == "binary") {
    out.task = Task::kBinary;
  } else if (task == "multiclass") {
    out.task = Task::kMulticlass;
  } else if (task == "regression") {
    out.task = Task::kRegression;
  } else {
    return Damaged("model.json has an unknown task");
  }
  for (const Json& name : *classes) {
    if (!name.is_string()) return Damaged("model.json: a class is no text");
    out.classes.push_back(name.get<std::string>());
  }
  HR_ASSIGN(out.encoder, Encoder::FromJson(*encoder));
  if (members->size() > kMaxMembers) return Damaged("model.json has too many members");
  for (const Json& entry : *members) {
    HR_ASSIGN(Member member, MemberFromJson(entry));
    out.members.push_back(std::move(member));
  }
  Reader affine(*calibration);
  out.calibration.scale = affine.Double("scale");
  const Json* offsets = affine.List("offsets");
  HR_TRY(affine.status());
  for (const Json& offset : *offsets) {
    if (!offset.is_number()) return Damaged("model.json: an offset is no number");
    out.calibration.offsets.push_back(offset.get<double>());
  }
  HR_ASSIGN(out.costs, CostsFromJson(json, out.classes.size()));
  for (const auto& [name, value] : metrics->items()) {
    HR_ASSIGN(out.metrics[name], MetricFromJson(value));
  }
  out.report = report->dump();
  HR_ASSIGN(out.seen.columns, NamesFromJson(json, "columns"));
  HR_ASSIGN(out.seen.key, NamesFromJson(json, "key"));
  return out;
}

int64_t SeenRows::Find(uint64_t id) const {
  const auto at = std::lower_bound(rows.begin(), rows.end(), id,
                                   [](const Row& row, uint64_t value) { return row.id < value; });
  return at != rows.end() && at->id == id ? at - rows.begin() : -1;
}

std::string SeenToBytes(const SeenRows& seen) {
  const int64_t rows = static_cast<int64_t>(seen.rows.size());
  const int64_t outputs = seen.outputs;
  std::string out(kMagic);
  out.reserve(kMagic.size() + 16 + static_cast<size_t>(rows * (17 + 8 * outputs)));
  Append(&out, &outputs, sizeof outputs);
  Append(&out, &rows, sizeof rows);
  for (const auto& row : seen.rows) Append(&out, &row.id, sizeof row.id);
  for (const auto& row : seen.rows) Append(&out, &row.content, sizeof row.content);
  for (const auto& row : seen.rows) out.push_back(row.trained ? 1 : 0);
  Append(&out, seen.scores.data(), seen.scores.size() * sizeof(double));
  return out;
}

Result<SeenRows> SeenFromBytes(std::string_view bytes) {
  constexpr size_t kHead = kMagic.size() + 16;
  if (bytes.size() < kHead || bytes.substr(0, kMagic.size()) != kMagic) {
    return Damaged("rows.bin is not what it should be");
  }
  int64_t outputs = 0, rows = 0;
  std::memcpy(&outputs, bytes.data() + kMagic.size(), sizeof outputs);
  std::memcpy(&rows, bytes.data() + kMagic.size() + 8, sizeof rows);
  if (outputs < 0 || outputs > 10'000 || rows < 0 || rows > (int64_t{1} << 40) ||
      bytes.size() - kHead != static_cast<size_t>(rows) * (17 + 8 * static_cast<size_t>(outputs))) {
    return Damaged("rows.bin has a wrong size");
  }
  SeenRows out;
  const auto n = static_cast<size_t>(rows);
  out.outputs = static_cast<int>(outputs);
  out.rows.resize(n);
  const char* at = bytes.data() + kHead;
  for (size_t i = 0; i < n; ++i) std::memcpy(&out.rows[i].id, at + i * 8, 8);
  at += n * 8;
  for (size_t i = 0; i < n; ++i) std::memcpy(&out.rows[i].content, at + i * 8, 8);
  at += n * 8;
  for (size_t i = 0; i < n; ++i) out.rows[i].trained = at[i] != 0;
  at += n;
  out.scores.resize(n * static_cast<size_t>(outputs));
  if (!out.scores.empty()) std::memcpy(out.scores.data(), at, out.scores.size() * sizeof(double));
  for (size_t i = 1; i < n; ++i) {
    if (out.rows[i].id < out.rows[i - 1].id) return Damaged("rows.bin is not sorted");
  }
  return out;
}

}  // namespace headrace::model
