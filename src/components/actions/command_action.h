#pragma once
// `action: command`: runs a program once for every key, with the row as JSON on its stdin.
#include <map>
#include <memory>

#include "components/actions/outbox.h"

namespace headrace::components {

struct CommandOptions : OutboxOptions {
  std::vector<std::string> run;
  std::map<std::string, std::string> env;
};
const spec::Spec& CommandActionSpec();
std::unique_ptr<pipeline::Component> MakeCommandAction(const spec::NodeSpec& node);

}  // namespace headrace::components
