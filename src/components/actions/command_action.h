#pragma once
// `action: command`: runs a program once for every key, with the row as JSON on its stdin.
#include <map>
#include <memory>

#include "pipeline/component.h"
#include "spec/node_spec.h"
#include "spec/spec.h"

namespace headrace::components {

struct CommandOptions {
  std::string from;
  std::string where;
  std::vector<std::string> once_per;
  std::optional<spec::Duration> again_after;
  std::vector<std::string> run;
  std::map<std::string, std::string> env;
};
const spec::Spec& CommandActionSpec();
std::unique_ptr<pipeline::Component> MakeCommandAction(const spec::NodeSpec& node);

}  // namespace headrace::components
