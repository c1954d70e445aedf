// The executable. It answers what needs no engine (version, help) by itself and loads
// libheadrace.so for everything else: mapping and relocating the engine costs 10 ms and more, which
// a shell prompt that asks for the version should not pay. So this file includes nothing of src/
// but the help texts, and uses no library but libc.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "cli/help.h"
#include "headrace/version.h"

namespace {

using headrace::cli::CommandHelp;

void Print(std::string_view text) { fwrite(text.data(), 1, text.size(), stdout); }

bool IsHelp(std::string_view word) { return word == "--help" || word == "-h"; }

int Finish() {
  if (fflush(stdout) == 0) return 0;
  perror("headrace: cannot write to stdout");
  return 1;
}

/// "run", or "model promote" when there are two such words; nullptr when it is no command.
const CommandHelp* CommandOf(int count, char** words) {
  if (count == 0) return nullptr;
  std::string name = words[0];
  if (count > 1) {
    if (const auto* found = headrace::cli::FindHelp(name + " " + words[1])) return found;
  }
  return headrace::cli::FindHelp(name);
}

/// Prints what needs no engine. False: the engine must answer.
bool AnswerAlone(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (argc == 1 || (argc == 2 && (IsHelp(first) || first == "help"))) {
    headrace::cli::WriteOverview(Print);
    return true;
  }
  if (argc == 2 && (first == "version" || first == "--version" || first == "-V")) {
    Print("headrace " HEADRACE_VERSION "\n");
    return true;
  }
  const CommandHelp* command = nullptr;
  if (first == "help") {
    command = CommandOf(argc - 2, argv + 2);
  } else if (IsHelp(argv[argc - 1])) {
    command = CommandOf(argc - 2, argv + 1);
  }
  if (command == nullptr) return false;
  headrace::cli::WriteHelp(*command, Print);
  return true;
}

/// The folder of this executable, "" when the system does not tell.
std::string OwnFolder() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || length == sizeof path) return "";
  const std::string_view whole(path, static_cast<size_t>(length));
  return std::string(whole.substr(0, whole.rfind('/')));
}

void* LoadEngine() {
  const std::string folder = OwnFolder();
  std::string tried;
  for (const char* beside :
       {"/libheadrace.so", "/../lib/headrace/libheadrace.so", "/../lib/libheadrace.so"}) {
    const std::string path = folder + beside;
    if (access(path.c_str(), F_OK) != 0) {
      tried += "  " + path + ": no such file\n";
      continue;
    }
    if (void* library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL)) return library;
    tried += "  " + std::string(dlerror()) + "\n";
  }
  fprintf(stderr,
          "error[no_library]: libheadrace.so could not be loaded; tried\n%s"
          "  hint: install Headrace again, or build it: make\n",
          tried.c_str());
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (AnswerAlone(argc, argv)) return Finish();
  void* library = LoadEngine();
  if (library == nullptr) return 3;
  using Main = int (*)(int, char**);
  const auto headrace_main = reinterpret_cast<Main>(dlsym(library, "headrace_main"));
  if (headrace_main == nullptr) {
    fprintf(stderr, "error[no_library]: libheadrace.so is of another version: %s\n", dlerror());
    return 3;
  }
  return headrace_main(argc, argv);
}
