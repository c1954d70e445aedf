#pragma once
// Specs that use every kind of field; only tests include this.
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/diagnostics.h"
#include "spec/node_spec.h"
#include "spec/parse.h"
#include "yaml/parse.h"

namespace headrace::spec::example {

enum class Mode { kReplace, kAppend };
inline const Options& SpecOptions(Mode*) {
  static const Options options = {{"replace", "All rows.", 0}, {"append", "New rows.", 1}};
  return options;
}

struct Paging {
  std::string next;
  int size = 100;
  static const Spec& Describe() {
    static const Spec spec{
        "",
        "paging",
        "How pages follow each other.",
        {Field("next", &Paging::next, "Path of the next link.").Short(),
         Field("size", &Paging::size, "Rows of a page.").Default().Range(1, 1000)}};
    return spec;
  }
};

struct Trials {
  int64_t trials = 0;
  static const Spec& Describe() {
    static const Spec spec{"",
                           "trials",
                           "Work units.",
                           {Field("trials", &Trials::trials, "How many configurations.").Min(1)}};
    return spec;
  }
};
struct Minutes {
  double minutes = 0;
  static const Spec& Describe() {
    static const Spec spec{
        "", "minutes", "Time.", {Field("minutes", &Minutes::minutes, "How long.").Above(0)}};
    return spec;
  }
};

struct Duck {
  static const Spec& Describe() {
    static const Spec spec = Spec::For<Duck>("engine", "duckdb", "In this process.", {});
    return spec;
  }
};
struct Spark {
  std::string url;
  static const Spec& Describe() {
    static const Spec spec{
        "engine", "spark", "A cluster.", {Field("url", &Spark::url, "Where it listens.")}};
    return spec;
  }
};

struct Big {
  std::string target;
  bool on = true;
  int count = 3;
  int64_t large = 0;
  double rate = 0.1;
  std::optional<double> share;
  Mode mode = Mode::kReplace;
  std::string metric = "auto";
  std::vector<std::string> key;
  std::map<std::string, std::string> headers;
  std::optional<Paging> paging;
  std::variant<Trials, Minutes> budget;
  std::variant<Duck, Spark> engine;
  std::variant<std::string, std::vector<ComponentRef>> learners = "auto";
  Value fallback;
  std::vector<Value> values;
  Duration every;
  Amount rows;
  std::string password;
  std::string table, query;
  std::map<std::string, ComponentRef> connections;
  std::string owner;

  static const Spec& Describe() {
    static const Spec spec =
        Spec{"model",
             "big",
             "Has every kind of field.",
             {Field("target", &Big::target, "Column to predict.").Column().Example("churned"),
              Field("on", &Big::on, "Whether.").Default(),
              Field("count", &Big::count, "How many.").Default().Range(1, 10),
              Field("large", &Big::large, "Much.").Optional(),
              Field("rate", &Big::rate, "Step.").Default(0.25).Tunable(0.01, 1, Scale::kLog),
              Field("share", &Big::share, "Part.").Range(0, 1).Percent(),
              Field("mode", &Big::mode, "What happens.").Default(),
              Field("metric", &Big::metric, "What counts.")
                  .Default()
                  .OneOf({{"auto", "By the task."}, {"roc_auc", "Area."}, {"rmse", "Error."}}),
              Field("key", &Big::key, "Key columns.").Optional().Column(),
              Field("headers", &Big::headers, "HTTP headers.").Optional(),
              Field("paging", &Big::paging, "Pages."),
              Field("budget", &Big::budget, "How long it searches.").Optional(),
              Field("engine", &Big::engine, "Where.").Default().Tag("type"),
              Field("learners", &Big::learners, "Which.")
                  .Default()
                  .OneOf({{"auto", "All."}})
                  .Components("learner"),
              Field("fallback", &Big::fallback, "Anything.").Optional(),
              Field("values", &Big::values, "Any values.").Optional(),
              Field("every", &Big::every, "How often.").Optional().Affects(Affects::kPolicy),
              Field("rows", &Big::rows, "Rows or share.").Optional(),
              Field("password", &Big::password, "Opens it.").Optional().Secret(),
              Field("table", &Big::table, "A table.").Optional().Identity(),
              Field("query", &Big::query, "A query.").Optional().SqlQuery(),
              Field("connections", &Big::connections, "By name.")
                  .Optional()
                  .Components("connection", ComponentForm::kTag),
              Field("owner", &Big::owner, "Who.")
                  .Optional()
                  .Affects(Affects::kNothing)
                  .Alias("who")}}
            .AtMostOne({"table", "query"})
            .Rule<Big>([](const Big& big) -> std::optional<Fault> {
              if (big.count != 7) return std::nullopt;
              return Fault{"count", "7 is not liked", "take 8"};
            });
    return spec;
  }
};

struct Lightgbm {
  int leaves = 31;
  static const Spec& Describe() {
    static const Spec spec{
        "learner",
        "lightgbm",
        "Trees.",
        {Field("leaves", &Lightgbm::leaves, "Leaves.").Default().Range(2, 4096)}};
    return spec;
  }
};
struct Linear {
  double l2 = 1;
  static const Spec& Describe() {
    static const Spec spec{
        "learner", "linear", "A line.", {Field("l2", &Linear::l2, "Penalty.").Default().Min(0)}};
    return spec;
  }
};
struct Postgres {
  std::string uri, host;
  int port = 5432;
  std::string password;
  static const Spec& Describe() {
    static const Spec spec{
        "connection",
        "postgres",
        "A PostgreSQL database.",
        {Field("uri", &Postgres::uri, "Address.").Optional().Secret(),
         Field("host", &Postgres::host, "Machine.").Optional().Identity(),
         Field("port", &Postgres::port, "Port.").Default().Identity(),
         Field("password", &Postgres::password, "Opens it.").Optional().Secret()}};
    return spec;
  }
};
struct NotNull {
  std::vector<std::string> column;
  static const Spec& Describe() {
    static const Spec spec{
        "check",
        "not_null",
        "No NULL.",
        {Field("column", &NotNull::column, "Columns.").Column().Short().NotEmpty()}};
    return spec;
  }
};
struct Between {
  std::string column;
  std::optional<double> min, max;
  static const Spec& Describe() {
    static const Spec spec = Spec{
        "check",
        "between",
        "In a range.",
        {Field("column", &Between::column, "Column.").Column(),
         Field("min", &Between::min, "Smallest."),
         Field("max", &Between::max,
               "Largest.")}}.AtLeastOne({"min", "max"});
    return spec;
  }
};
struct Accepted {
  std::string column;
  std::vector<Value> values;
  static const Spec& Describe() {
    static const Spec spec{
        "check",
        "accepted",
        "One of some values.",
        {Field("column", &Accepted::column, "Column.").Column(),
         Field("values", &Accepted::values, "Values.").NotEmpty().ShortUnderColumn()}};
    return spec;
  }
};
struct Csv {
  std::string path;
  std::vector<std::string> key;
  static const Spec& Describe() {
    static const Spec spec{"source",
                           "csv",
                           "CSV files.",
                           {Field("path", &Csv::path, "File or glob.").Path().Example("data/*.csv"),
                            Field("key", &Csv::key, "Key columns.").Optional().Column()}};
    return spec;
  }
};
struct Predict {
  std::string from;
  int reasons = 0;
  static const Spec& Describe() {
    static const Spec spec{"predict",
                           "",
                           "Scores rows.",
                           {Field("from", &Predict::from, "Rows to score.").Node(),
                            Field("reasons", &Predict::reasons, "How many reasons.").Default()}};
    return spec;
  }
};

inline const SpecTable& Table() {
  static const SpecTable table = [] {
    SpecTable t;
    for (const Spec* spec : {&Big::Describe(), &Lightgbm::Describe(), &Linear::Describe(),
                             &Postgres::Describe(), &NotNull::Describe(), &Between::Describe(),
                             &Accepted::Describe(), &Csv::Describe(), &Predict::Describe()}) {
      t.Add(*spec);
    }
    return t;
  }();
  return table;
}

/// All messages, rendered.
inline std::string Rendered(const Diagnostics& diagnostics) {
  std::string out;
  for (const Error& error : diagnostics.all()) out += (out.empty() ? "" : "\n") + Render(error);
  return out;
}

}  // namespace headrace::spec::example
