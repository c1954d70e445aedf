#include "components/actions/command_action.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/subprocess.h"
#include "pipeline/project.h"

namespace headrace::components {

using spec::Field;
using spec::Spec;

const Spec& CommandActionSpec() {
  static const Spec spec = [] {
    std::vector<Field> fields = OutboxFields<CommandOptions>();
    fields.push_back(Field("run", &CommandOptions::run,
                           "Program and arguments. No shell: nothing is expanded or split.")
                         .NotEmpty());
    fields.push_back(Field("env", &CommandOptions::env,
                           "Environment of the program, besides PATH, HOME, LANG and HEADRACE_KEY.")
                         .Optional()
                         .Secret()
                         .Affects(spec::Affects::kPolicy));
    Spec s = Spec::For<CommandOptions>(
        "action", "command",
        "Runs a program for every row, once per key, with the row as JSON on its stdin.",
        std::move(fields));
    s.Example(
        "action: command\nfrom: scores\nwhere: probability > 0.8\nonce_per: customer_id\n"
        "run: [python3, tools/call.py]\n");
    return s;
  }();
  return spec;
}

namespace {

constexpr int64_t kDefaultTimeoutMicros = 60'000'000;

std::string Trimmed(std::string text, size_t most) {
  text.resize(std::min(text.size(), most));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

class CommandSender : public Sender {
 public:
  CommandSender(const CommandOptions& options, int64_t timeout,
                const pipeline::BuildContext& context)
      : options_(options), timeout_(timeout), context_(context) {}

  Result<Sent> Send(const OutboxRow& row, const std::string& idempotency_key) override {
    SubprocessOptions child;
    child.command = options_.run;
    for (const char* name : {"PATH", "HOME", "LANG"}) {
      if (const char* value = std::getenv(name)) child.env[name] = value;
    }
    for (const auto& [name, value] : options_.env) child.env[name] = value;
    child.env["HEADRACE_KEY"] = idempotency_key;
    child.directory = context_.project_root;
    child.input = row.json + "\n";
    child.timeout_micros = timeout_;
    auto answered = RunSubprocess(child, context_.cancel);
    if (!answered.ok()) {
      Error error = std::move(answered).error();
      if (error.code == "program_not_found") error.At(context_.node->spec.PlaceOfItem("run", 0));
      return error;
    }
    const auto& ran = *answered;
    if (ran.timed_out) {
      return Sent{false, "no end within " + FormatSeconds(static_cast<double>(timeout_) / 1e6)};
    }
    if (ran.exit_code == 0) return Sent{true, Trimmed(ran.output, 200)};
    const std::string said = Trimmed(ran.error_output, 500);
    return Sent{false,
                fmt::format("exit code {}{}", ran.exit_code, said.empty() ? "" : ": " + said)};
  }

 private:
  const CommandOptions& options_;
  const int64_t timeout_;
  const pipeline::BuildContext& context_;
};

class CommandAction : public OutboxAction {
 public:
  explicit CommandAction(const spec::NodeSpec& node)
      : OutboxAction(node), options_(node.options.As<CommandOptions>()) {
    if (node.common.timeout) timeout_ = node.common.timeout->micros;
  }

 private:
  const OutboxOptions& outbox() const override { return options_; }
  Result<std::unique_ptr<Sender>> OpenSender(pipeline::BuildContext& context) const override {
    return std::unique_ptr<Sender>(std::make_unique<CommandSender>(options_, timeout_, context));
  }
  std::string FieldOfFailure() const override { return "run"; }
  std::string KeyName() const override { return "HEADRACE_KEY"; }

  const CommandOptions options_;
  int64_t timeout_ = kDefaultTimeoutMicros;
};

}  // namespace

std::unique_ptr<pipeline::Component> MakeCommandAction(const spec::NodeSpec& node) {
  return std::make_unique<CommandAction>(node);
}

}  // namespace headrace::components
