#include "components/sources/csv_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/hash.h"
#include "base/suggest.h"
#include "components/sources/csv_build.h"
#include "components/sources/csv_files.h"
#include "components/sources/csv_sniff.h"
#include "components/sources/files_root.h"
#include "config/project.h"
#include "data/types.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using pipeline::BuildContext;
using pipeline::LintContext;
using pipeline::ProbeContext;

class CsvSource : public pipeline::Component {
 public:
  explicit CsvSource(const spec::NodeSpec& node) : options_(node.options.As<CsvOptions>()) {}

  bool HasTable() const override { return true; }
  std::vector<std::string> KeyColumns() const override { return options_.key; }
  std::vector<std::string> Connections() const override {
    if (options_.connection.empty()) return {};
    return {options_.connection};
  }

  std::optional<data::Schema> Lint(const LintContext& context) const override;
  Result<pipeline::Probe> ProbeOutside(const ProbeContext& context) const override;
  Result<pipeline::Outcome> Build(BuildContext& context) const override {
    return BuildCsv(options_, context);
  }

 private:
  void LintKey(const LintContext& context, const data::Schema& schema) const;
  const CsvOptions options_;
};

/// The types of `columns:`; faults of those that can't be stored.
std::map<std::string, std::string> LintFixedTypes(const LintContext& context) {
  const spec::NodeSpec& spec = context.node->spec;
  std::map<std::string, std::string> types;
  for (const auto& [name, column] : spec.common.columns) {
    if (column.type.empty()) continue;
    const Place place = spec.PlaceOf("columns." + name + ".type");
    auto fixed = FixedType(column.type, name);
    if (!fixed.ok()) {
      context.diagnostics->Add(Error(fixed.error()).At(place).Node(spec.name));
      continue;
    }
    types[name] = *fixed;
  }
  return types;
}

void CsvSource::LintKey(const LintContext& context, const data::Schema& schema) const {
  for (size_t n = 0; n < options_.key.size(); ++n) {
    const std::string& key = options_.key[n];
    if (schema.Find(key) != nullptr) continue;
    Place place = context.node->spec.PlaceOf(fmt::format("key[{}]", n));
    if (!context.node->spec.options.places.Has(fmt::format("key[{}]", n))) {
      place = context.node->spec.PlaceOf("key");
    }
    context.diagnostics->Add(
        UserError("unknown_column", fmt::format("the key names '{}', which is no column", key))
            .At(place)
            .Node(context.node->name)
            .Subject(key)
            .Candidates(Suggest(key, schema.Names()))
            .Hint(Suggest(key, schema.Names()).empty()
                      ? fmt::format("its columns: {}", fmt::join(schema.Names(), ", "))
                      : ""));
  }
}

std::optional<data::Schema> CsvSource::Lint(const LintContext& context) const {
  const spec::NodeSpec& spec = context.node->spec;
  const auto fixed = LintFixedTypes(context);
  if (spec::NeedsExpansion(options_.path)) return std::nullopt;
  const Place place = spec.PlaceOf("path");
  auto root = FilesRoot(*context.project, spec, options_.connection);
  if (!root.ok()) {
    context.diagnostics->Add(Error(root.error()).Node(spec.name));
    return std::nullopt;
  }
  auto files = ListCsvFiles(*context.fs, *root, options_.path, place);
  if (!files.ok()) {
    context.diagnostics->Add(Error(files.error()).Node(spec.name));
    return std::nullopt;
  }
  const data::Schema* last = context.last_schema;
  if (last != nullptr && options_.schema_change == SchemaChange::kIgnore) {
    LintKey(context, *last);
    return *last;
  }
  CsvSchemaSniffer sniffer(*context.fs, context.cache_folder);
  const std::string digest = CsvDefinition(spec);
  // One file stands for the others unless each may bring its own columns.
  const size_t looked_at = options_.union_by_name ? std::min<size_t>(files->size(), 100) : 1;
  data::Schema schema;
  for (size_t n = 0; n < looked_at; ++n) {
    auto sniff = sniffer.Sniff((*files)[n], options_, digest);
    if (!sniff.ok()) {
      // The file is broken, not the project: the run says so again and goes on with other nodes.
      context.diagnostics->Warn(Error(sniff.error()).Node(spec.name));
      if (last != nullptr) return *last;
      return std::nullopt;
    }
    for (size_t c = 0; c < sniff->header.size(); ++c) {
      const std::string& name = sniff->header[c];
      if (schema.Find(name) != nullptr) continue;
      std::string type(SqlTypeOf(sniff->types[c]));
      // What the last run found out from all rows is better than a sample.
      if (last != nullptr && last->Find(name) != nullptr) type = last->Find(name)->type;
      for (const auto& [column, fixed_type] : fixed) {
        if (!data::SameName(name, column)) continue;
        const auto stored = data::StoredTypeOf(fixed_type, name);
        type = stored.action == data::StoredType::Action::kCast ? stored.type : fixed_type;
      }
      schema.columns.push_back({name, type, true});
    }
  }
  LintKey(context, schema);
  return schema;
}

Result<pipeline::Probe> CsvSource::ProbeOutside(const ProbeContext& context) const {
  const spec::NodeSpec& spec = context.node->spec;
  pipeline::Probe probe;
  HR_ASSIGN(const std::string root, FilesRoot(*context.project, spec, options_.connection));
  HR_ASSIGN(auto files, ListCsvFiles(*context.fs, root, options_.path, spec.PlaceOf("path")));
  if (context.state == nullptr || !context.state->cursor) return probe;
  const auto cursor = CsvCursor::FromJson(*context.state->cursor);
  if (!cursor) {
    probe.changed = "how far its files were read is not known any more";
    return probe;
  }
  // A changed definition reads everything in any case, and changes the fingerprint.
  if (cursor->definition != CsvDefinition(spec)) return probe;
  HR_ASSIGN(CsvChange change,
            CompareCsvFiles(*context.fs, options_, files, *cursor, CancelToken()));
  probe.changed = change.changed;
  probe.unchanged = change.unchanged;
  return probe;
}

}  // namespace

std::unique_ptr<pipeline::Component> MakeCsvSource(const spec::NodeSpec& node) {
  return std::make_unique<CsvSource>(node);
}

}  // namespace headrace::components
