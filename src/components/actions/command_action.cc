#include "components/actions/command_action.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iterator>

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

/// An argument that only a shell gives a meaning: a pipe, a redirection, a variable, a home folder.
bool IsForShell(std::string_view word) {
  static constexpr std::string_view kWords[] = {"|", "||", "&&", "&", ">", ">>", "<", "2>&1"};
  if (std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords)) return true;
  if (word.starts_with("~/")) return true;
  return word.size() > 1 && word[0] == '$' &&
         (std::isalpha(static_cast<unsigned char>(word[1])) != 0 || word[1] == '_' ||
          word[1] == '(');
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
  void LintMore(const pipeline::LintContext& context, const data::Schema*) const override {
    if (context.node->unexpanded) return;
    const auto add = [&](Error error) {
      context.diagnostics->Add(std::move(error.At(context.node->spec.PlaceOf("run")).Node(name())));
    };
    const std::string& program = options_.run.empty() ? "" : options_.run.front();
    const bool line = program.find_first_of(" \t\n|&;<>") != std::string::npos;
    if (line && !context.fs->Exists(JoinPath(context.project->root(), program))) {
      add(UserError("shell_line", "'" + program +
                                      "' is no program: `run` has no shell that could "
                                      "take a line apart")
              .Subject(program)
              .Hint("write a list of program and arguments: [python3, tools/call.py]; a shell is a "
                    "program too: [sh, -c, \"cat | grep x\"]"));
      return;
    }
    for (size_t i = 1; i < options_.run.size(); ++i) {
      if (!IsForShell(options_.run[i])) continue;
      add(UserError("shell_word", "'" + options_.run[i] +
                                      "' is handed to the program as it stands: there is no shell "
                                      "that would act on it")
              .As(Severity::kWarning)
              .Subject(options_.run[i])
              .Hint("if a shell is meant: [sh, -c, \"…\"]"));
    }
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
