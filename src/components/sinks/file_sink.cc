#include "components/sinks/file_sink.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/file_system.h"
#include "components/sinks/sink_path.h"
#include "components/sources/csv_files.h"
#include "components/sources/csv_options.h"
#include "components/sources/files_root.h"
#include "components/sources/json_source.h"
#include "components/sources/parquet_source.h"
#include "components/sources/table_files.h"
#include "config/project.h"
#include "data/quote.h"
#include "pipeline/project.h"

namespace headrace::components {

using spec::Field;
using spec::Spec;

namespace {

std::vector<Field> CommonSinkFields() {
  return {Field("from", &FileSinkOptions::from, "Node whose rows are written.").Node(),
          Field("path", &FileSinkOptions::path,
                "File to write, relative to the project; its folder is made. It is replaced as a "
                "whole: a reader sees the old or the new rows.")
              .Path()
              .NotEmpty()};
}

}  // namespace

const Spec& CsvSinkSpec() {
  static const Spec spec = [] {
    auto fields = CommonSinkFields();
    fields.push_back(Field("delimiter", &FileSinkOptions::delimiter, "Between values.").Default());
    fields.push_back(
        Field("header", &FileSinkOptions::header, "First line with the names.").Default());
    fields.push_back(
        Field("null_value", &FileSinkOptions::null_value, "How a missing value is written.")
            .Default());
    Spec s =
        Spec::For<FileSinkOptions>("sink", "csv", "Writes rows to a CSV file.", std::move(fields));
    s.Example("sink: csv\nfrom: scores\npath: out/scores.csv\n");
    return s;
  }();
  return spec;
}

const Spec& ParquetSinkSpec() {
  static const Spec spec = [] {
    Spec s = Spec::For<FileSinkOptions>("sink", "parquet", "Writes rows to a Parquet file (zstd).",
                                        CommonSinkFields());
    s.Example("sink: parquet\nfrom: scores\npath: out/scores.parquet\n");
    return s;
  }();
  return spec;
}

namespace {

class FileSink : public pipeline::Component {
 public:
  explicit FileSink(const spec::NodeSpec& node)
      : name_(node.name), type_(node.type), options_(node.options.As<FileSinkOptions>()) {}

  std::vector<pipeline::InputRef> Inputs() const override { return {{options_.from, "from"}}; }
  bool HasTable() const override { return false; }

  std::optional<data::Schema> Lint(const pipeline::LintContext& context) const override {
    auto path = Target(*context.project, *context.node);
    if (!path.ok()) context.diagnostics->Add(Error(path.error()).Node(name_));
    // Two sinks that write one file would overwrite each other for ever; a source that reads it
    // would lose its data.
    for (const auto& other : context.project->nodes()) {
      if (&other == context.node || other.spec.options.spec == nullptr || !path.ok()) continue;
      if (!UsesFile(other, *context.project, *path)) continue;
      context.diagnostics->Add(
          UserError("same_file", other.kind + " '" + other.name +
                                     (other.kind == "sink" ? "' writes" : "' reads") +
                                     " the same file '" + options_.path + "'")
              .At(context.node->spec.PlaceOf("path"))
              .Node(name_)
              .Hint("give this sink a file of its own"));
    }
    const char delimiter = options_.delimiter.empty() ? '\0' : options_.delimiter[0];
    if (type_ == "csv" &&
        (options_.delimiter.size() != 1 || std::strchr("\"\r\n", delimiter) != nullptr)) {
      context.diagnostics->Add(UserError("bad_option",
                                         "'delimiter' is one character, such as ; or "
                                         "\"\\t\"")
                                   .At(context.node->spec.PlaceOf("delimiter"))
                                   .Node(name_));
    }
    if (type_ == "csv" &&
        options_.null_value.find_first_of("\"\r\n" + options_.delimiter) != std::string::npos) {
      context.diagnostics->Add(UserError("bad_option",
                                         "'null_value' can't hold the delimiter, a quote or a line "
                                         "end: it could not be told from values")
                                   .At(context.node->spec.PlaceOf("null_value"))
                                   .Node(name_));
    }
    return std::nullopt;
  }

  Result<pipeline::Probe> ProbeOutside(const pipeline::ProbeContext& context) const override {
    pipeline::Probe probe;
    if (context.state == nullptr) return probe;
    HR_ASSIGN(std::string path, Target(*context.project, *context.node));
    if (!context.fs->Exists(path)) {
      probe.changed = options_.path + " is gone";
    } else if (context.state->cursor) {
      HR_ASSIGN(const std::string now, Look(*context.fs, path));
      if (now != *context.state->cursor) probe.changed = options_.path + " was changed by others";
    }
    return probe;
  }

  Result<pipeline::Outcome> Build(pipeline::BuildContext& context) const override {
    HR_ASSIGN(std::string path, Target(*context.project, *context.node));
    const std::string folder = DirName(path);
    HR_TRY(context.fs->CreateDirectories(folder));
    HR_ASSIGN(auto instance, context.instances->Open());
    HR_ASSIGN(auto connection, instance->Connect());
    std::string relation;
    data::SourceHandle source;
    if (auto table = context.inputs.find(options_.from); table != context.inputs.end()) {
      relation = "(" + data::ReadSnapshotSql(context.warehouse, table->second) + ")";
    } else {
      HR_ASSIGN(auto reader, context.ReadInput(options_.from, {}));
      HR_ASSIGN(source, instance->AddSource(std::move(reader)));
      relation = source.sql();
    }
    const std::string temporary = JoinPath(folder, "." + BaseName(path) + ".headrace-tmp");
    std::string copy = "COPY (SELECT * FROM " + relation + ") TO " + data::QuoteLiteral(temporary);
    if (type_ == "csv") {
      copy += " (FORMAT csv, DELIMITER " + data::QuoteLiteral(options_.delimiter) + ", HEADER " +
              (options_.header ? "true" : "false") + ", NULLSTR " +
              data::QuoteLiteral(options_.null_value) + ")";
    } else {
      copy += " (FORMAT parquet, COMPRESSION zstd)";
    }
    auto rows = connection.Execute(copy, {}, context.Query());
    Status written = rows.ok() ? Status() : Status(rows.error());
    if (!source.sql().empty() && !source.error().ok()) written = source.error();
    if (written.ok()) {
      CrashPoint("sink.written");
      written = context.fs->SyncFile(temporary);
    }
    if (written.ok()) {
      CrashPoint("sink.synced");
      written = context.store->CheckClaim(context.claim);  // a sleeper must not replace newer rows
    }
    if (written.ok()) written = context.fs->Rename(temporary, path);
    if (!written.ok()) {
      (void)context.fs->Remove(temporary).ok();
      return std::move(std::move(written).error().Node(name_));
    }
    CrashPoint("sink.renamed");
    HR_TRY(context.fs->SyncDirectory(folder));
    pipeline::Outcome outcome;
    outcome.rows = *rows;
    HR_ASSIGN(outcome.cursor, Look(*context.fs, path));
    Json details;
    details["path"] = options_.path;
    outcome.details = details.dump();
    return outcome;
  }

 private:
  /// What tells that a file is still the one that was written: another target, or a person, may
  /// have put another in its place.
  static Result<std::string> Look(FileSystem& fs, const std::string& path) {
    HR_ASSIGN(const FileInfo info, fs.Stat(path));
    return DumpJson({{"size", info.size}, {"modified", info.modified}});
  }

  /// Whether another sink writes the file `path`, or a source reads it.
  bool UsesFile(const pipeline::Node& other, const pipeline::Project& project,
                const std::string& path) const {
    const spec::NodeSpec& spec = other.spec;
    if (other.kind == "sink" && other.name < name_ &&
        (spec.type == "csv" || spec.type == "parquet")) {
      auto theirs =
          config::ResolvePath(project.root(), spec.options.As<FileSinkOptions>().path, "", {});
      return theirs.ok() && *theirs == path;
    }
    if (other.kind != "source") return false;
    const auto reads = [&](const auto& options, const FileEndings& endings) {
      if (options.path.empty()) return false;
      auto root = FilesRoot(project, spec, options.connection);
      return root.ok() && ReadsFile(RealFileSystem(), *root, options.path, endings, path);
    };
    if (spec.type == "csv") return reads(spec.options.As<CsvOptions>(), CsvEndings());
    if (spec.type == "parquet") {
      return reads(spec.options.As<TableFileOptions>(), ParquetEndings());
    }
    return spec.type == "json" && reads(spec.options.As<TableFileOptions>(), JsonEndings());
  }

  Result<std::string> Target(const pipeline::Project& project, const pipeline::Node& node) const {
    const Place place = node.spec.PlaceOf("path");
    auto resolved = config::ResolvePath(project.root(), options_.path, "", place);
    if (!resolved.ok()) {
      Error error = std::move(resolved).error();
      if (error.code == "path_outside") error.Hint("a sink writes within the project");
      return error;
    }
    std::string path = *resolved;
    HR_TRY(CheckSinkPath(project.root(), path, place));
    auto info = RealFileSystem().Stat(path);
    if (options_.path.ends_with('/') || (info.ok() && info->directory)) {
      return UserError("not_a_file", "'" + options_.path + "' is a folder; a sink writes one file")
          .At(place)
          .Subject(options_.path)
          .Hint("name the file in it: " + JoinPath(options_.path, name_ + "." + type_));
    }
    return path;
  }

  std::string name_, type_;
  FileSinkOptions options_;
};

}  // namespace

std::unique_ptr<pipeline::Component> MakeFileSink(const spec::NodeSpec& node) {
  return std::make_unique<FileSink>(node);
}

}  // namespace headrace::components
