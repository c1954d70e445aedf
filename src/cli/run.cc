#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/run_summary.h"
#include "config/sample.h"

namespace headrace::cli {
namespace {

/// Leaves out the lines of nodes that were up to date: a run that has nothing to do says one line.
class OnlyWork : public telemetry::ProgressRenderer {
 public:
  explicit OnlyWork(std::unique_ptr<telemetry::ProgressRenderer> inner)
      : inner_(std::move(inner)) {}
  void NodeFinished(const telemetry::NodeState& node) override {
    if (node.outcome != "reused") inner_->NodeFinished(node);
  }
  void Draw(const telemetry::ProgressState& state) override { inner_->Draw(state); }
  void Print(std::string_view line) override { inner_->Print(line); }
  void Close() override { inner_->Close(); }

 private:
  const std::unique_ptr<telemetry::ProgressRenderer> inner_;
};

std::string WaitingLine(const store::LeaseHolder& holder) {
  return fmt::format("waiting for run {} of process {} on {}, which has the target since {}",
                     holder.run, holder.pid, holder.host, FormatTimestamp(holder.since));
}

/// Exit code of a run that did not fail as a whole: an internal fault of a node shows in it.
int CodeOf(const pipeline::RunReport& report) {
  int code = report.exit_code;
  for (const auto& node : report.nodes) {
    if (code == 1 && node.error && node.error->blame == Blame::kInternal) code = 3;
  }
  return code;
}

}  // namespace

int Run(const Arguments& arguments, const std::string& typed, Session& session, Console& console) {
  if (!session.SoundWithWarnings(/*of_data=*/false)) return 2;
  engine::Engine& engine = session.engine();
  telemetry::JsonLinesSink events(console.out(), &engine.redactor());
  if (console.json()) engine.SetEvents(&events);
  std::unique_ptr<telemetry::ProgressDisplay> display;
  if (!console.json() && !console.quiet()) {
    display = std::make_unique<telemetry::ProgressDisplay>(
        engine.progress(),
        std::make_unique<OnlyWork>(telemetry::RendererFor(console.err(), SystemClock())));
  }
  engine::RunRequest request;
  request.selection = {arguments.select, arguments.exclude};
  request.command = typed;
  request.decide = {arguments.full, arguments.from, arguments.to, {}};
  request.fail_fast = arguments.fail_fast;
  request.no_wait = arguments.no_wait;
  request.on_wait = [&](const store::LeaseHolder& holder) {
    if (display != nullptr) {
      display->Print(WaitingLine(holder));
    } else if (console.json()) {
      events.Emit("waiting", {{"run", holder.run}, {"pid", holder.pid}, {"host", holder.host}});
    }
  };
  auto report = engine.Run(request);
  display.reset();
  engine.SetEvents(nullptr);
  if (!report.ok()) return session.Fail(report.error());
  const int code = CodeOf(*report);
  if (console.quiet() || console.json()) {
    for (const auto& node : report->nodes) {
      if (node.error) console.Note(Render(*node.error, {console.color()}) + "\n");
    }
    return code;
  }
  SummaryOptions options;
  options.columns = isatty(console.err()) != 0 ? telemetry::TerminalColumns(console.err()) : 0;
  options.color = console.color();
  options.target = arguments.target;
  if (arguments.sample > 0) options.sample = config::SampleText(arguments.sample);
  options.page = ShownPath(report->page);
  console.Note(SummaryOf(*report, options));
  return code;
}

}  // namespace headrace::cli
