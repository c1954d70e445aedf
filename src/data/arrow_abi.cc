#include "data/arrow_abi.h"

#include <fmt/format.h>

#include <cerrno>

#include "data/vector_view.h"

namespace headrace::data {
namespace {

struct SchemaNode {
  std::string format, name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

void ReleaseSchema(ArrowSchema* schema) {
  auto* node = static_cast<SchemaNode*>(schema->private_data);
  for (ArrowSchema& child : node->children) {
    if (child.release != nullptr) child.release(&child);
  }
  delete node;
  schema->release = nullptr;
}

struct Format {
  std::string_view name, format;
};
constexpr Format kFormats[] = {
    {"BOOLEAN", "b"},
    {"TINYINT", "c"},
    {"SMALLINT", "s"},
    {"INTEGER", "i"},
    {"BIGINT", "l"},
    {"UTINYINT", "C"},
    {"USMALLINT", "S"},
    {"UINTEGER", "I"},
    {"UBIGINT", "L"},
    {"FLOAT", "f"},
    {"DOUBLE", "g"},
    {"VARCHAR", "u"},
    {"JSON", "u"},
    {"UUID", "u"},
    {"BLOB", "z"},
    {"DATE", "tdD"},
    {"TIME", "ttu"},
    {"TIMESTAMP", "tsu:"},
    {"TIMESTAMP_NS", "tsn:"},
    {"TIMESTAMP WITH TIME ZONE", "tsu:UTC"},
    {"LIST", "+l"},
    {"STRUCT", "+s"},
    {"MAP", "+m"},
};

std::string FormatOf(const TypeTree& tree) {
  if (tree.name == "DECIMAL") return fmt::format("d:{},{}", tree.precision, tree.scale);
  for (const Format& known : kFormats) {
    if (tree.name == known.name) return std::string(known.format);
  }
  return "";
}

ArrowSchema Export(std::unique_ptr<SchemaNode> node, int64_t flags) {
  ArrowSchema out{};
  for (ArrowSchema& child : node->children) node->pointers.push_back(&child);
  out.format = node->format.c_str();
  out.name = node->name.c_str();
  out.flags = flags;
  out.n_children = static_cast<int64_t>(node->children.size());
  out.children = node->pointers.empty() ? nullptr : node->pointers.data();
  out.release = ReleaseSchema;
  out.private_data = node.release();
  return out;
}

Result<ArrowSchema> MakeNode(const internal::TypePlan& plan, const std::string& name,
                             bool nullable) {
  auto node = std::make_unique<SchemaNode>();
  node->name = name;
  node->format = FormatOf(plan.tree);
  if (node->format.empty()) {
    return UserError("bad_type",
                     fmt::format("column '{}': {} has no Arrow format", name, plan.tree.Text()))
        .Subject(name);
  }
  bool entries = plan.kind == internal::Kind::kMap;
  for (size_t i = 0; i < plan.children.size(); ++i) {
    bool named = plan.kind == internal::Kind::kStruct;
    std::string child_name = named ? plan.tree.fields[i] : entries ? "entries" : "item";
    bool key = named && child_name == "key" && name == "entries";
    Result<ArrowSchema> child = MakeNode(plan.children[i], child_name, !entries && !key);
    if (!child.ok()) {
      for (ArrowSchema& made : node->children) made.release(&made);
      return std::move(child).error();
    }
    node->children.push_back(*child);
  }
  return Export(std::move(node), nullable ? ARROW_FLAG_NULLABLE : 0);
}

/// What stands behind an exported stream.
struct StreamState {
  std::unique_ptr<BatchReader> reader;
  std::string error;
};

int StreamSchema(ArrowArrayStream* stream, ArrowSchema* out) {
  auto* state = static_cast<StreamState*>(stream->private_data);
  Result<OwnedArrowSchema> schema = MakeArrowSchema(state->reader->schema());
  if (!schema.ok()) {
    state->error = schema.error().message;
    return EINVAL;
  }
  *out = schema->Take();
  return 0;
}

int StreamNext(ArrowArrayStream* stream, ArrowArray* out) {
  auto* state = static_cast<StreamState*>(stream->private_data);
  Result<std::optional<Batch>> batch = state->reader->Next();
  if (!batch.ok()) {
    state->error = batch.error().message;
    return EIO;
  }
  *out = batch->has_value() ? (*batch)->array.Take() : ArrowArray{};
  return 0;
}

const char* StreamError(ArrowArrayStream* stream) {
  auto* state = static_cast<StreamState*>(stream->private_data);
  return state->error.empty() ? nullptr : state->error.c_str();
}

void ReleaseStream(ArrowArrayStream* stream) {
  delete static_cast<StreamState*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

Result<OwnedArrowSchema> MakeArrowSchema(const Schema& schema) {
  TypeTree rows;
  rows.name = "STRUCT";
  rows.type_class = TypeClass::kStruct;
  for (const Column& column : schema.columns) {
    HR_ASSIGN(TypeTree type, ParseType(column.type));
    rows.fields.push_back(column.name);
    rows.children.push_back(std::move(type));
  }
  internal::TypePlan plan = internal::MakePlan(rows);
  plan.kind = internal::Kind::kStruct;
  HR_ASSIGN(ArrowSchema out, MakeNode(plan, "", false));
  return OwnedArrowSchema(out);
}

OwnedArrowStream ExportStream(std::unique_ptr<BatchReader> reader) {
  ArrowArrayStream out{};
  out.get_schema = StreamSchema;
  out.get_next = StreamNext;
  out.get_last_error = StreamError;
  out.release = ReleaseStream;
  out.private_data = new StreamState{std::move(reader), ""};
  return OwnedArrowStream(out);
}

}  // namespace headrace::data
