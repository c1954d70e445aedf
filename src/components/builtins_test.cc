// Conformance of every built-in component: it is documented, and its examples parse.
#include "components/builtins.h"

#include <gtest/gtest.h>

#include "config/settings.h"
#include "spec/node_spec.h"
#include "yaml/parse.h"

namespace headrace::components {
namespace {

/// An example as it would stand in a node's file.
std::string NodeText(const spec::Spec& spec, const std::string& example) {
  if (spec.kind() != "check") return example;
  std::string text = "source: csv\npath: x.csv\nchecks:\n  - ";
  for (char c : example) text += c == '\n' ? std::string("\n    ") : std::string(1, c);
  return text;
}

TEST(Builtins, ExamplesParse) {
  pipeline::Registry registry;
  RegisterBuiltins(registry);
  int examples = 0;
  for (const std::string& kind : registry.Kinds()) {
    for (const std::string& name : registry.Names(kind)) {
      const spec::Spec& spec = *registry.Find(kind, name);
      EXPECT_FALSE(spec.summary().empty()) << kind << " " << name;
      for (const spec::Field& field : spec.fields()) {
        EXPECT_FALSE(field.doc().empty()) << kind << " " << name << " " << field.name();
      }
      for (const std::string& example : spec.examples()) {
        Diagnostics diagnostics;
        auto yaml = yaml::Parse(NodeText(spec, example), "example.yml", diagnostics);
        ASSERT_TRUE(yaml) << kind << " " << name;
        spec::ParseContext context{&diagnostics, &registry};
        if (kind == "connection") {
          spec::Parse(spec, *yaml, context, &config::ConnectionFields::Describe(), {"type"});
        } else if (kind == "learner") {
          spec::Parse(spec, *yaml, context, nullptr, {"type"});
        } else {
          spec::ParseNode(*yaml, "example", context);
        }
        for (const Error& error : diagnostics.all()) ADD_FAILURE() << Render(error);
        ++examples;
      }
    }
  }
  EXPECT_GE(examples, 12);
}

}  // namespace
}  // namespace headrace::components
