#include "config/secrets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace headrace::config {
namespace {

constexpr int64_t kMaxSecretBytes = 64 * 1024;
constexpr const char* kSecretsDir = "HEADRACE_SECRETS_DIR";

/// A piece of a text: plain, or a variable.
struct Piece {
  std::string plain;
  std::string name;  ///< "" = plain
  std::optional<std::string> fallback;
};

bool IsVariableName(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!good) return false;
  }
  return true;
}

Error BadVariable(std::string message) {
  return UserError("bad_variable", std::move(message))
      .Hint("write ${NAME} or ${NAME:-default}; $${ stands for a literal ${");
}

Result<std::vector<Piece>> Split(std::string_view text) {
  std::vector<Piece> pieces;
  std::string plain;
  size_t at = 0;
  while (at < text.size()) {
    if (text.substr(at).starts_with("$${")) {
      plain += "${";
      at += 3;
      continue;
    }
    if (!text.substr(at).starts_with("${")) {
      plain += text[at++];
      continue;
    }
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return BadVariable("a '${' is not closed");
    const std::string_view inside = text.substr(at + 2, end - at - 2);
    const size_t dash = inside.find(":-");
    Piece piece;
    piece.name = std::string(inside.substr(0, dash));
    if (dash != std::string_view::npos) piece.fallback = std::string(inside.substr(dash + 2));
    if (!IsVariableName(piece.name)) {
      return BadVariable(fmt::format("'{}' is no name of a variable", piece.name));
    }
    if (!plain.empty()) pieces.push_back({std::move(plain), "", std::nullopt});
    plain.clear();
    pieces.push_back(std::move(piece));
    at = end + 1;
  }
  if (!plain.empty()) pieces.push_back({std::move(plain), "", std::nullopt});
  return pieces;
}

/// One newline at the end is how files end, not part of the secret.
std::string WithoutLastNewline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Secrets::Secrets(SecretsOptions options) : options_(std::move(options)) {}

Result<std::optional<Secrets::Found>> Secrets::Lookup(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto known = known_.find(name);
  if (known != known_.end()) return known->second;
  HR_ASSIGN(std::optional<Found> found, LookupLocked(name));
  if (found) spec::RegisterSecret(*options_.redactor, found->value);
  known_[name] = found;
  return found;
}

Result<std::optional<Secrets::Found>> Secrets::LookupLocked(const std::string& name) const {
  std::optional<Found> nowhere;
  if (!IsVariableName(name)) return nowhere;
  if (const auto set = options_.environment.find(name); set != options_.environment.end()) {
    return std::optional<Found>(Found{set->second, "environment"});
  }
  const auto folder = options_.environment.find(kSecretsDir);
  if (folder != options_.environment.end() && !folder->second.empty()) {
    const std::string path = JoinPath(folder->second, name);
    if (options_.fs->Exists(path)) {
      HR_ASSIGN(const FileInfo info, options_.fs->Stat(path));
      if (info.directory || info.size > kMaxSecretBytes) {
        return UserError("bad_secret_file", fmt::format("'{}' is no file of at most 64 KB", path))
            .Subject(name);
      }
      HR_ASSIGN(std::string text, options_.fs->Read(path));
      return std::optional<Found>(Found{WithoutLastNewline(std::move(text)), "file " + path});
    }
  }
  HR_TRY(ReadDotenv());
  if (const auto line = dotenv_.find(name); line != dotenv_.end()) {
    return std::optional<Found>(line->second);
  }
  return nowhere;
}

Status Secrets::ReadDotenv() const {
  if (dotenv_read_) return Ok();
  const std::string path = JoinPath(options_.project_root, ".env");
  if (!options_.fs->Exists(path)) {
    dotenv_missing_ = "no such file";
    dotenv_read_ = true;
    return Ok();
  }
  HR_ASSIGN(const FileInfo info, options_.fs->Stat(path));
  if (info.directory || info.size > kMaxSecretBytes) {
    return UserError("bad_dotenv", fmt::format("'{}' is no file of at most 64 KB", path));
  }
  HR_ASSIGN(const std::string text, options_.fs->Read(path));
  HR_ASSIGN(const std::vector<DotenvEntry> entries, ParseDotenv(text, ".env"));
  for (const DotenvEntry& entry : entries) {  // the last one counts
    dotenv_[entry.name] = {entry.value, fmt::format(".env line {}", entry.line)};
  }
  dotenv_missing_ = "no such line";
  dotenv_read_ = true;
  return Ok();
}

std::vector<std::string> Secrets::PlacesTried(const std::string& name) const {
  std::vector<std::string> places = {"environment variable " + name};
  const auto folder = options_.environment.find(kSecretsDir);
  const bool set = folder != options_.environment.end() && !folder->second.empty();
  places.push_back(set ? "file " + JoinPath(folder->second, name)
                       : fmt::format("{} (not set)", kSecretsDir));
  const std::lock_guard<std::mutex> lock(mutex_);
  places.push_back(fmt::format(".env of the project ({})",
                               dotenv_missing_.empty() ? "not readable" : dotenv_missing_));
  return places;
}

Result<std::string> Secrets::Expand(std::string_view text) const {
  HR_ASSIGN(const std::vector<Piece> pieces, Split(text));
  std::string out;
  for (const Piece& piece : pieces) {
    if (piece.name.empty()) {
      out += piece.plain;
      continue;
    }
    HR_ASSIGN(const std::optional<Found> found, Lookup(piece.name));
    if (found && !(found->value.empty() && piece.fallback)) {
      out += found->value;
    } else if (piece.fallback) {
      out += *piece.fallback;
    } else {
      return UserError("unset_variable", fmt::format("${{{}}} is not set; tried: {}", piece.name,
                                                     fmt::join(PlacesTried(piece.name), ", ")))
          .Subject(piece.name)
          .Hint(fmt::format("set it, or give a default: ${{{}:-…}}", piece.name));
    }
  }
  return out;
}

std::vector<std::string> Secrets::Unset(std::string_view text) const {
  std::vector<std::string> unset;
  const Result<std::vector<Piece>> pieces = Split(text);
  if (!pieces.ok()) return unset;
  for (const Piece& piece : *pieces) {
    if (piece.name.empty() || piece.fallback) continue;
    const Result<std::optional<Found>> found = Lookup(piece.name);
    if (!found.ok() || !found->has_value()) unset.push_back(piece.name);
  }
  return unset;
}

namespace {

void WarnUnsetIn(const yaml::Node& node, const spec::ComponentRef& ref, const Secrets& secrets,
                 Diagnostics& diagnostics) {
  for (const yaml::Node& item : node.items) WarnUnsetIn(item, ref, secrets, diagnostics);
  for (const yaml::Entry& entry : node.entries) {
    WarnUnsetIn(entry.value, ref, secrets, diagnostics);
  }
  if (!node.IsScalar() || !spec::NeedsExpansion(node.text)) return;
  for (const std::string& name : secrets.Unset(node.text)) {
    Place place = yaml::PlaceOf(node);
    place.node = ref.origin->node;
    diagnostics.Warn(
        UserError("unset_variable", fmt::format("${{{}}} is not set here; tried: {}", name,
                                                fmt::join(secrets.PlacesTried(name), ", ")))
            .At(std::move(place))
            .Subject(name)
            .Hint(fmt::format("set it before a run, or give a default: ${{{}:-…}}", name)));
  }
}

}  // namespace

void WarnUnset(const spec::ComponentRef& ref, const Secrets& secrets, Diagnostics& diagnostics) {
  if (ref.origin != nullptr) WarnUnsetIn(ref.origin->yaml, ref, secrets, diagnostics);
}

}  // namespace headrace::config
