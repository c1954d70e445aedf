// The two faces of a Progress (declared in progress.h): redrawn in place, or as lines.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/budget.h"
#include "base/file_system.h"
#include "base/text_width.h"
#include "telemetry/progress.h"

namespace headrace::telemetry {
namespace {

constexpr size_t kMostLive = 8;               // running nodes that are shown in place
constexpr double kLongSeconds = 10;           // a line for a node that runs longer, and again
constexpr int64_t kRedrawNanos = 90'000'000;  // the display ticks every 100 ms

/// 1234567 → "1,234,567".
std::string Grouped(int64_t number) {
  std::string digits = fmt::format("{}", number);
  for (int i = static_cast<int>(digits.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3) {
    digits.insert(i, ",");
  }
  return digits;
}

/// "1,200 of 5,000 rows, 12 MB"; "" when nothing was counted.
std::string Counted(const NodeState& node) {
  std::string out;
  if (node.total > 0) {
    out = fmt::format("{} of {} {}", Grouped(node.done), Grouped(node.total), node.unit);
  } else if (node.done > 0) {
    out = fmt::format("{} {}", Grouped(node.done), node.unit);
  }
  if (node.bytes > 0) out += (out.empty() ? "" : ", ") + FormatBytes(node.bytes);
  return out;
}

void AppendPart(const std::string& part, std::string* line) {
  if (!part.empty()) *line += (line->ends_with(": ") ? "" : ", ") + part;
}

/// "features: reading, 1,200 of 5,000 rows, 400 rows/s, 9.5 s left"
std::string RunningLine(const NodeState& node) {
  std::string line = node.name + ": ";
  AppendPart(node.stage.empty() ? "running" : node.stage, &line);
  AppendPart(Counted(node), &line);
  if (node.Rate() >= 1) {
    AppendPart(fmt::format("{} {}/s", Grouped(static_cast<int64_t>(node.Rate())), node.unit),
               &line);
  }
  const double left = node.Remaining();
  AppendPart(left >= 0 ? FormatSeconds(left) + " left" : FormatSeconds(node.seconds), &line);
  return Printable(line, /*keep_lines=*/false);
}

/// "features: built, 5,000 rows, 1.2 s"
std::string FinishedLine(const NodeState& node) {
  std::string line = node.name + ": ";
  AppendPart(node.outcome, &line);
  if (node.done > 0) AppendPart(fmt::format("{} {}", Grouped(node.done), node.unit), &line);
  if (node.seconds > 0) AppendPart(FormatSeconds(node.seconds), &line);
  return Printable(line, /*keep_lines=*/false);
}

/// "3 of 40 nodes, 2 running, 1 failed, 1 m 20 s"
std::string RunLine(const ProgressState& state) {
  std::string line = fmt::format("{} of {} nodes", state.finished, state.total);
  if (!state.running.empty()) line += fmt::format(", {} running", state.running.size());
  if (state.failed > 0) line += fmt::format(", {} failed", state.failed);
  return line + ", " + FormatSeconds(state.seconds);
}

/// Finished nodes scroll away above; below them stand the running ones. What finishes between two
/// redraws waits for the next, so a thousand quick nodes are still ten writes a second.
class InPlace : public ProgressRenderer {
 public:
  InPlace(TextWriter writer, const Clock& clock, int columns, bool color)
      : writer_(std::move(writer)), clock_(clock), columns_(columns), color_(color) {}

  void NodeFinished(const NodeState& node) override {
    const std::string line = FinishedLine(node);
    kept_ += color_ && node.failed ? "\x1b[31m" + line + "\x1b[0m\n" : line + "\n";
  }

  void Print(std::string_view line) override { kept_ += std::string(line) + "\n"; }

  void Draw(const ProgressState& state) override {
    const int64_t now = clock_.MonotonicNanos();
    if (drawn_ && now - last_draw_ < kRedrawNanos) return;
    last_draw_ = now;
    drawn_ = true;
    std::string live;
    int lines = 0;
    const auto add = [&](const std::string& line) {
      // One column short of the edge: terminals wrap at the edge.
      live += CutToWidth(line, std::max(columns_ - 1, 1)) + "\n";
      ++lines;
    };
    for (size_t i = 0; i < std::min(state.running.size(), kMostLive); ++i) {
      add("  " + RunningLine(state.running[i]));
    }
    if (state.running.size() > kMostLive) {
      add(fmt::format("  … and {} more", state.running.size() - kMostLive));
    }
    if (!state.running.empty() || lines_ > 0) add(RunLine(state));
    Flush(live, lines);
  }

  void Close() override { Flush("", 0); }

 private:
  /// Erases the live lines, writes the kept ones and the new live ones, all in one write.
  void Flush(const std::string& live, int lines) {
    std::string out = lines_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", lines_) : "";
    out += kept_ + live;
    kept_.clear();
    lines_ = lines;
    if (!out.empty()) writer_(out);
  }

  const TextWriter writer_;
  const Clock& clock_;
  const int columns_;
  const bool color_;
  std::string kept_;
  int lines_ = 0;  // live lines on the screen
  bool drawn_ = false;
  int64_t last_draw_ = 0;
};

class Lines : public ProgressRenderer {
 public:
  explicit Lines(TextWriter writer) : writer_(std::move(writer)) {}

  void NodeFinished(const NodeState& node) override {
    next_.erase(node.name);
    writer_(FinishedLine(node) + "\n");
  }

  void Print(std::string_view line) override { writer_(std::string(line) + "\n"); }

  void Draw(const ProgressState& state) override {
    for (const NodeState& node : state.running) {
      double& next = next_.try_emplace(node.name, kLongSeconds).first->second;
      if (node.seconds < next) continue;
      writer_(RunningLine(node) + "\n");
      while (next <= node.seconds) next += kLongSeconds;
    }
  }

  void Close() override {}

 private:
  const TextWriter writer_;
  std::map<std::string, double> next_;  // node → seconds of its next line
};

}  // namespace

TextWriter WriteTo(int fd) {
  return [fd](std::string_view text) { WriteAll(fd, text); };
}

std::unique_ptr<ProgressRenderer> TtyRenderer(TextWriter writer, const Clock& clock, int columns,
                                              bool color) {
  return std::make_unique<InPlace>(std::move(writer), clock, columns, color);
}

std::unique_ptr<ProgressRenderer> PlainRenderer(TextWriter writer) {
  return std::make_unique<Lines>(std::move(writer));
}

std::unique_ptr<ProgressRenderer> RendererFor(int fd, const Clock& clock) {
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  if (isatty(fd) == 0 || dumb) return PlainRenderer(WriteTo(fd));
  return TtyRenderer(WriteTo(fd), clock, TerminalColumns(fd), ColorWanted(fd));
}

bool ColorWanted(int fd) {
  const char* no_color = std::getenv("NO_COLOR");  // no-color.org: any text but the empty one
  return isatty(fd) != 0 && (no_color == nullptr || *no_color == '\0');
}

int TerminalColumns(int fd) {
  winsize size = {};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace headrace::telemetry
