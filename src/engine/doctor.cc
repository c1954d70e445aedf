#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <set>

#include "base/process.h"
#include "base/subprocess.h"
#include "components/postgres/libpq_present.h"
#include "config/project_files.h"
#include "config/secrets.h"
#include "data/duck.h"
#include "engine/engine.h"
#include "headrace/version.h"
#include "learn/lightgbm/lightgbm_api.h"
#include "store/network_disk.h"

namespace headrace::engine {
namespace {

constexpr int64_t kWantedBytes = int64_t{1} << 30;

/// Collects lines; one function per thing that is looked at.
class Examination {
 public:
  explicit Examination(std::string root) : root_(std::move(root)) {}

  void Machine() {
    utsname system{};
    uname(&system);
    Good("headrace", fmt::format("{} on {} {}", HEADRACE_VERSION, system.sysname, system.machine));
    const Budget budget;
    Good("budget", fmt::format("{} of memory, {} threads (--memory, --threads change it)",
                               FormatBytes(budget.memory_bytes()), budget.threads()));
    auto duck = data::DuckInstance::Open({});
    if (duck.ok()) {
      Good("DuckDB", data::DuckVersion());
    } else {
      Bad("DuckDB", duck.error(), "pip install --force-reinstall headrace");
    }
    auto lightgbm = learn::LoadLightGbm("");
    if (lightgbm.ok()) {
      Good("LightGBM", "loads");
    } else {
      Bad("LightGBM", lightgbm.error(),
          "pip install lightgbm (models with `learners: [linear]` do without)");
    }
    auto curl = LoadCurl();
    if (curl.ok()) {
      Good("libcurl", "loads");
    } else {
      Bad("libcurl", curl.error());
    }
    const Status libpq = components::CheckLibpq();
    if (libpq.ok()) {
      Good("libpq", "loads");
    } else {
      Bad("libpq", libpq.error());
    }
  }

  void Project() {
    Good("project", root_);
    Disk();
    Git();
    Definition();
    Store();
  }

  std::vector<DoctorLine> lines;

 private:
  void Good(const std::string& what, std::string detail) {
    lines.push_back({what, true, std::move(detail), ""});
  }
  void Bad(const std::string& what, std::string detail, std::string remedy) {
    lines.push_back({what, false, std::move(detail), std::move(remedy)});
  }
  void Bad(const std::string& what, const Error& error, std::string remedy = "") {
    Bad(what, error.message, remedy.empty() ? error.hint : std::move(remedy));
  }

  std::string State() const { return JoinPath(root_, ".headrace"); }

  /// Room, a local disk, and that files can be written: in .headrace/, or where it will be made.
  void Disk() {
    auto free = fs_.FreeBytes(root_);
    if (free.ok() && *free <= kWantedBytes) {
      Bad("disk", FormatBytes(*free) + " free", "headrace clean");
    } else if (free.ok()) {
      Good("disk", FormatBytes(*free) + " free");
    }
    const std::string folder = fs_.Exists(State()) ? State() : root_;
    if (Status local = store::RefuseNetworkDisk(folder); !local.ok()) {
      Bad("local disk", local.error());
    } else {
      Good("local disk", "yes");
    }
    const std::string probe = JoinPath(folder, fmt::format(".doctor-{}", getpid()));
    const Status written = fs_.Write(probe, "x");
    (void)fs_.Remove(probe);
    if (written.ok()) {
      Good("writable", folder);
    } else {
      Bad("writable", written.error(), "chown -R \"$USER\" '" + folder + "'");
    }
  }

  /// What is secret, and what can be rebuilt, must not be committed. `git` itself knows best what
  /// it ignores; without git or outside of a repository nothing can go wrong.
  void Git() {
    for (const char* name : {".env", ".headrace"}) {
      if (!fs_.Exists(JoinPath(root_, name))) continue;
      const std::string what = std::string(name) + " in git";
      switch (AskGit({"check-ignore", "--quiet", name})) {
        case 0:
          Good(what, "ignored");
          break;
        case 1:
          if (AskGit({"ls-files", "--error-unmatch", name}) == 0) {
            Bad(what, "committed: whoever has the repository has it",
                fmt::format("git rm -r --cached {0} && echo {0} >> .gitignore; then change what "
                            "was secret in it",
                            name));
          } else {
            Bad(what, "not ignored: the next commit may take it along",
                fmt::format("echo {} >> .gitignore", name));
          }
          break;
        default:
          break;
      }
    }
  }

  /// The exit code; -1 when git can't be asked.
  int AskGit(std::vector<std::string> words) {
    SubprocessOptions options;
    options.command = {"git", "-C", root_};
    options.command.insert(options.command.end(), words.begin(), words.end());
    options.env = config::ProcessEnvironment();
    options.timeout_micros = 10'000'000;
    auto answer = RunSubprocess(options, CancelToken());
    return answer.ok() && !answer->timed_out ? answer->exit_code : -1;
  }

  void Definition() {
    EngineOptions options;
    options.directory = root_;
    options.environment = config::ProcessEnvironment();
    auto engine = Engine::Open(std::move(options));
    if (!engine.ok()) return Bad("definition", engine.error(), "headrace lint");
    const LintReport report = (*engine)->Lint();
    size_t errors = 0;
    std::set<std::string> unset;
    for (const Error& finding : report.findings) {
      errors += finding.severity == Severity::kError ? 1 : 0;
      if (finding.code == "unset_variable") unset.insert(finding.subject);
    }
    if (errors > 0) {
      Bad("definition", fmt::format("{} errors in {} nodes", errors, report.nodes),
          "headrace lint");
    } else {
      Good("definition", fmt::format("{} nodes, no errors", report.nodes));
    }
    if (!unset.empty()) {
      Bad("variables", fmt::format("not set: {}", fmt::join(unset, ", ")),
          fmt::format("export {}=…, or write it into .env", *unset.begin()));
    }
  }

  void Store() {
    if (!fs_.Exists(JoinPath(State(), "store.db"))) {
      return Good("store", "none yet: it is made by the first run");
    }
    store::StoreOptions open;
    open.folder = State();
    open.create = false;
    auto store = store::OpenSqliteStore(open);
    if (!store.ok()) return Bad("store", store.error());
    auto faults = (*store)->CheckIntegrity();
    if (!faults.ok()) return Bad("store", faults.error());
    if (!faults->empty()) {
      return Bad("store", faults->front(),
                 "restore .headrace/ from a backup, or start anew: headrace clean --all");
    }
    Good("store", "sound");
    Leases(**store);
  }

  /// Who runs just now, target by target.
  void Leases(store::Store& store) {
    auto folders = fs_.List(State());
    if (!folders.ok()) return;
    for (const FileInfo& folder : *folders) {
      const std::string target = BaseName(folder.path);
      if (!fs_.Exists(JoinPath(folder.path, "tables"))) continue;
      auto holder = store.ReadLease(target);
      if (!holder.ok() || !*holder) continue;
      const store::LeaseHolder& run = **holder;
      char host[256] = "";
      gethostname(host, sizeof host - 1);
      const bool died =
          run.host == host && kill(static_cast<pid_t>(run.pid), 0) != 0 && errno == ESRCH;
      Good("running", fmt::format("{}: run {} of process {} on {}{}", target, run.run, run.pid,
                                  run.host, died ? ", which died: the next run tidies up" : ""));
    }
  }

  const std::string root_;
  FileSystem& fs_ = RealFileSystem();
};

}  // namespace

std::vector<DoctorLine> Doctor(const std::string& directory) {
  auto root = config::FindProject(RealFileSystem(), directory.empty() ? "." : directory);
  if (root.ok()) {
    if (char* real = realpath(root->c_str(), nullptr)) {
      *root = real;
      std::free(real);
    }
  }
  Examination examination(root.ok() ? *root : "");
  examination.Machine();
  if (root.ok()) {
    examination.Project();
  } else {
    examination.lines.push_back({"project", true, "none here (that is fine)", ""});
  }
  return std::move(examination.lines);
}

}  // namespace headrace::engine
