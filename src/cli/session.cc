#include "cli/session.h"

#include <fmt/format.h>

#include <vector>

#include "base/number_text.h"
#include "cli/interrupt.h"
#include "config/secrets.h"

namespace headrace::cli {

Result<std::unique_ptr<Session>> Session::Open(const Arguments& arguments, Console& console) {
  engine::EngineOptions options;
  options.directory = arguments.project;
  options.target = arguments.target;
  options.params = arguments.params;
  options.sample = arguments.sample;
  options.threads = arguments.threads;
  options.memory_bytes = arguments.memory_bytes;
  options.environment = config::ProcessEnvironment();
  std::unique_ptr<Session> session(new Session(console));
  HR_ASSIGN(session->engine_, engine::Engine::Open(std::move(options)));
  session->interrupt_ = std::make_unique<Interrupt>(session->engine_->cancel());
  console.SetRedactor(&session->engine_->redactor());
  return session;
}

Session::Session(Console& console) : console_(console) {}
Session::~Session() { console_.SetRedactor(nullptr); }

bool Session::interrupted() const { return engine_->cancel().Cancelled(); }

bool Session::Sound() { return Check(/*warnings=*/false, /*of_data=*/true); }
bool Session::SoundWithWarnings(bool of_data) { return Check(/*warnings=*/true, of_data); }

bool Session::Readable() {
  const engine::LintReport report = engine_->Lint();
  if (!report.readable) return Sound();
  const FindingCounts counts = Count(report.findings);
  if (counts.errors > 0 && !console_.json()) {
    console_.Note("the project has " + Tally(static_cast<int64_t>(counts.errors), "error") +
                  " (headrace lint); these are the rows as they were committed\n");
  }
  return true;
}

bool Session::Check(bool warnings, bool of_data) {
  engine::LintReport report = engine_->Lint();
  if (!of_data) {
    std::erase_if(report.findings, [](const Error& finding) {
      return finding.severity == Severity::kWarning && finding.blame == Blame::kData;
    });
  }
  const FindingCounts counts = Count(report.findings);
  const bool sound = counts.errors == 0;
  if (sound && (!warnings || console_.quiet())) return true;
  PrintFindings(console_, report.findings, /*hints=*/false);
  if (!sound) {
    if (!console_.json()) console_.Note(CountsLine(counts, report.nodes) + "\n");
  } else if (counts.hints > 0) {
    console_.Progress(Tally(static_cast<int64_t>(counts.hints), "hint") + ": headrace lint shows " +
                      (counts.hints == 1 ? "it" : "them") + "\n");
  }
  return sound;
}

int Session::Fail(const Error& error) {
  if (interrupted() && error.code == "cancelled") {
    console_.Note("interrupted\n");
    return 130;
  }
  console_.Print(error);
  return interrupted() ? 130 : ExitCode(error);
}

}  // namespace headrace::cli
