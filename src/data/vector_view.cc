#include "data/vector_view.h"

namespace headrace::data::internal {
namespace {

VectorView View(const TypePlan& plan, duckdb_vector vector) {
  VectorView view;
  view.plan = &plan;
  view.data = static_cast<const uint8_t*>(duckdb_vector_get_data(vector));
  view.validity = duckdb_vector_get_validity(vector);
  if (plan.kind == Kind::kList || plan.kind == Kind::kMap) {
    view.children.push_back(View(plan.children[0], duckdb_list_vector_get_child(vector)));
  } else if (plan.kind == Kind::kStruct) {
    for (size_t i = 0; i < plan.children.size(); ++i) {
      view.children.push_back(View(plan.children[i], duckdb_struct_vector_get_child(vector, i)));
    }
  }
  return view;
}

struct FixedType {
  std::string_view name;
  int width;
  bool is_signed = true;
};
constexpr FixedType kFixedTypes[] = {
    {"TINYINT", 1},
    {"SMALLINT", 2},
    {"INTEGER", 4},
    {"BIGINT", 8},
    {"UTINYINT", 1, false},
    {"USMALLINT", 2, false},
    {"UINTEGER", 4, false},
    {"UBIGINT", 8, false},
    {"DATE", 4},
    {"TIME", 8},
    {"TIMESTAMP", 8},
    {"TIMESTAMP_NS", 8},
    {"TIMESTAMP WITH TIME ZONE", 8},
};

int DecimalWidth(int precision) {
  if (precision <= 4) return 2;
  if (precision <= 9) return 4;
  return precision <= 18 ? 8 : 16;
}

std::string TakeText(char* text) {
  std::string out = text == nullptr ? "" : text;
  duckdb_free(text);
  return out;
}

TypeTree Child(duckdb_logical_type type) {
  TypeTree tree = TreeOf(type);
  duckdb_destroy_logical_type(&type);
  return tree;
}

std::string_view NameOf(duckdb_type id) {
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP:
      return "TIMESTAMP";
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_TIME:
      return "TIME";
    case DUCKDB_TYPE_INTERVAL:
      return "INTERVAL";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_VARCHAR:
      return "VARCHAR";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP_NS";
    case DUCKDB_TYPE_UUID:
      return "UUID";
    case DUCKDB_TYPE_BIT:
      return "BIT";
    case DUCKDB_TYPE_TIME_TZ:
      return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_BIGNUM:
      return "BIGNUM";
    case DUCKDB_TYPE_SQLNULL:
      return "NULL";
    case DUCKDB_TYPE_TIME_NS:
      return "TIME_NS";
    default:
      return "UNKNOWN";
  }
}

}  // namespace

TypePlan MakePlan(const TypeTree& tree) {
  TypePlan plan;
  plan.tree = tree;
  for (const FixedType& fixed : kFixedTypes) {
    if (tree.name != fixed.name) continue;
    plan.kind = Kind::kFixed;
    plan.width = fixed.width;
    plan.is_signed = fixed.is_signed;
    return plan;
  }
  if (tree.name == "BOOLEAN") {
    plan.kind = Kind::kBool, plan.width = 1;
  } else if (tree.name == "FLOAT") {
    plan.kind = Kind::kFloat, plan.width = 4;
  } else if (tree.name == "DOUBLE") {
    plan.kind = Kind::kDouble, plan.width = 8;
  } else if (tree.name == "DECIMAL") {
    plan.kind = Kind::kDecimal, plan.width = DecimalWidth(tree.precision);
  } else if (tree.name == "UUID") {
    plan.kind = Kind::kUuid, plan.width = 16;
  } else if (tree.name == "VARCHAR" || tree.name == "JSON" || tree.name == "BLOB") {
    plan.kind = Kind::kText;
  } else if (tree.name == "LIST" || tree.name == "STRUCT") {
    plan.kind = tree.name == "LIST" ? Kind::kList : Kind::kStruct;
    for (const TypeTree& child : tree.children) plan.children.push_back(MakePlan(child));
  } else if (tree.name == "MAP" && tree.children.size() == 2) {
    plan.kind = Kind::kMap;
    TypeTree entry;
    entry.name = "STRUCT";
    entry.type_class = TypeClass::kStruct;
    entry.fields = {"key", "value"};
    entry.children = tree.children;
    plan.children.push_back(MakePlan(entry));
  }
  for (const TypePlan& child : plan.children) {
    if (child.kind == Kind::kNone) plan.kind = Kind::kNone;
  }
  return plan;
}

TypeTree TreeOf(duckdb_logical_type type) {
  TypeTree tree;
  duckdb_type id = duckdb_get_type_id(type);
  std::string alias = TakeText(duckdb_logical_type_get_alias(type));
  if (alias == "JSON") {
    tree.name = alias;
    tree.type_class = TypeClass::kText;
    return tree;
  }
  switch (id) {
    case DUCKDB_TYPE_DECIMAL:
      tree.name = "DECIMAL";
      tree.precision = duckdb_decimal_width(type);
      tree.scale = duckdb_decimal_scale(type);
      break;
    case DUCKDB_TYPE_ENUM: {
      tree.name = "ENUM";
      idx_t labels = duckdb_enum_dictionary_size(type);
      for (idx_t i = 0; i < labels; ++i) {
        tree.fields.push_back(TakeText(duckdb_enum_dictionary_value(type, i)));
      }
      break;
    }
    case DUCKDB_TYPE_LIST:
      tree.name = "LIST";
      tree.children.push_back(Child(duckdb_list_type_child_type(type)));
      break;
    case DUCKDB_TYPE_ARRAY:
      tree.name = "ARRAY";
      tree.length = static_cast<int>(duckdb_array_type_array_size(type));
      tree.children.push_back(Child(duckdb_array_type_child_type(type)));
      break;
    case DUCKDB_TYPE_MAP:
      tree.name = "MAP";
      tree.children.push_back(Child(duckdb_map_type_key_type(type)));
      tree.children.push_back(Child(duckdb_map_type_value_type(type)));
      break;
    case DUCKDB_TYPE_STRUCT:
      tree.name = "STRUCT";
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        tree.fields.push_back(TakeText(duckdb_struct_type_child_name(type, i)));
        tree.children.push_back(Child(duckdb_struct_type_child_type(type, i)));
      }
      break;
    case DUCKDB_TYPE_UNION:
      tree.name = "UNION";
      for (idx_t i = 0; i < duckdb_union_type_member_count(type); ++i) {
        tree.fields.push_back(TakeText(duckdb_union_type_member_name(type, i)));
        tree.children.push_back(Child(duckdb_union_type_member_type(type, i)));
      }
      break;
    default:
      tree.name = alias.empty() ? NameOf(id) : alias;
      break;
  }
  TypeTree bare;
  bare.name = tree.name;
  if (tree.children.empty()) {
    tree.type_class = ClassOf(tree.name);
  } else if (tree.name == "LIST" || tree.name == "ARRAY") {
    tree.type_class = TypeClass::kList;
  } else if (tree.name == "MAP") {
    tree.type_class = TypeClass::kMap;
  } else if (tree.name == "STRUCT") {
    tree.type_class = TypeClass::kStruct;
  }
  return tree;
}

FlatVector::FlatVector(const TypePlan& plan, duckdb_vector vector, idx_t rows) {
  bool nested = !plan.children.empty();
  if (nested && rows > 0) {
    duckdb_logical_type type = duckdb_vector_get_column_type(vector);
    copy_ = duckdb_create_vector(type, rows);
    duckdb_destroy_logical_type(&type);
    duckdb_selection_vector all = duckdb_create_selection_vector(rows);
    sel_t* indices = duckdb_selection_vector_get_data_ptr(all);
    for (idx_t i = 0; i < rows; ++i) indices[i] = static_cast<sel_t>(i);
    duckdb_vector_copy_sel(vector, copy_, all, rows, 0, 0);
    duckdb_destroy_selection_vector(all);
    vector = copy_;
  }
  view_ = View(plan, vector);
}

FlatVector::~FlatVector() {
  if (copy_ != nullptr) duckdb_destroy_vector(&copy_);
}

FlatVector::FlatVector(FlatVector&& other) noexcept
    : view_(std::move(other.view_)), copy_(other.copy_) {
  other.copy_ = nullptr;
}

}  // namespace headrace::data::internal
