#pragma once
// What every command on a project needs: an engine, a way to be interrupted, a sound project.
#include <memory>

#include "cli/arguments.h"
#include "cli/console.h"
#include "engine/engine.h"

namespace headrace::cli {

class Interrupt;

/// An open engine. While it lives, SIGINT and SIGTERM cancel what the engine does; a second one
/// kills the process. One at a time per process.
class Session {
 public:
  static Result<std::unique_ptr<Session>> Open(const Arguments& arguments, Console& console);
  ~Session();

  engine::Engine& engine() { return *engine_; }
  bool interrupted() const;

  /// True when the project has no errors; else all findings are printed.
  bool Sound();
  /// The same; prints warnings and a count of hints also of a sound project. `of_data`: warnings
  /// about rows too, which a run reports itself.
  bool SoundWithWarnings(bool of_data = true);
  /// True when committed rows can be read, also below nodes with faults: these are counted only.
  bool Readable();
  /// Exit code for an error of a command, after printing it.
  int Fail(const Error& error);

 private:
  explicit Session(Console& console);
  bool Check(bool warnings, bool of_data);
  Console& console_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Interrupt> interrupt_;
};

}  // namespace headrace::cli
