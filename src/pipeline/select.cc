#include "pipeline/select.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>

#include "base/suggest.h"

namespace headrace::pipeline {
namespace {

constexpr int kAll = 1 << 20;

/// "2+name+": how many steps up and down, and what stands between.
struct Term {
  int up = 0, down = 0;
  std::string core;
};

Result<Term> ParseTerm(const std::string& text) {
  Term term;
  std::string_view rest = text;
  size_t digits = 0;
  while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') ++digits;
  if (digits < rest.size() && rest[digits] == '+') {
    term.up = kAll;
    if (digits > 0) std::from_chars(rest.data(), rest.data() + digits, term.up);
    rest.remove_prefix(digits + 1);
  }
  size_t plus = rest.rfind('+');
  if (plus != std::string_view::npos) {
    std::string_view tail = rest.substr(plus + 1);
    const bool number =
        std::all_of(tail.begin(), tail.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number) {
      term.down = kAll;
      if (!tail.empty()) std::from_chars(tail.data(), tail.data() + tail.size(), term.down);
      rest = rest.substr(0, plus);
    }
  }
  term.core = rest;
  if (term.core.empty()) {
    return UserError("bad_selector", "'" + text + "' selects nothing")
        .Subject(text)
        .Hint(
            "write +node, node+, 2+node, tag:x, kind:model, a folder such as pipeline/x/, "
            "state:modified or result:failed");
  }
  return term;
}

bool UnderPath(const Node& node, std::string path) {
  if (path.rfind("./", 0) == 0) path = path.substr(2);
  if (node.file == path) return true;
  if (!path.empty() && path.back() != '/') path += '/';
  return node.file.rfind(path, 0) == 0 || node.file.rfind("pipeline/" + path, 0) == 0;
}

Status AnyUnder(const std::vector<bool>& found, const std::string& path) {
  if (std::find(found.begin(), found.end(), true) != found.end()) return Ok();
  return UserError("unknown_node", "no node stands under '" + path + "'")
      .Subject(path)
      .Hint("headrace list shows all nodes and their files");
}

Result<std::vector<bool>> Match(const Project& project, const std::string& core,
                                const SelectFacts& facts) {
  const auto& nodes = project.nodes();
  std::vector<bool> found(nodes.size());
  auto each = [&](auto test) {
    for (size_t i = 0; i < nodes.size(); ++i) found[i] = test(nodes[i]);
  };
  size_t colon = core.find(':');
  if (colon != std::string::npos) {
    const std::string method = core.substr(0, colon), value = core.substr(colon + 1);
    if (method == "tag") {
      std::vector<std::string> known;
      each([&](const Node& node) {
        const auto tags = node.spec.common.tags.value_or(std::vector<std::string>{});
        known.insert(known.end(), tags.begin(), tags.end());
        return std::find(tags.begin(), tags.end(), value) != tags.end();
      });
      if (std::find(found.begin(), found.end(), true) == found.end()) {
        std::sort(known.begin(), known.end());
        known.erase(std::unique(known.begin(), known.end()), known.end());
        return UserError("unknown_tag", "no node has the tag '" + value + "'")
            .Subject(value)
            .Candidates(Suggest(value, known))
            .Hint(known.empty() ? "no node has any tag: write tags: [daily] in its file"
                                : fmt::format("the tags are {}", fmt::join(known, ", ")));
      }
    } else if (method == "kind") {
      auto kinds = spec::NodeKinds();
      kinds.push_back("check");
      if (std::find(kinds.begin(), kinds.end(), value) == kinds.end()) {
        return UserError("unknown_kind", "there is no kind '" + value + "'")
            .Subject(value)
            .Candidates(Suggest(value, kinds))
            .Hint(fmt::format("the kinds are {}", fmt::join(kinds, ", ")));
      }
      each([&](const Node& node) { return node.kind == value; });
    } else if (method == "path") {
      each([&](const Node& node) { return UnderPath(node, value); });
      HR_TRY(AnyUnder(found, value));
    } else if (core == "state:modified") {
      if (!facts.modified) {
        return UserError("bad_selector", "state:modified needs a run before").Subject(core);
      }
      each(facts.modified);
    } else if (core == "result:failed") {
      if (!facts.failed_last_run) {
        return UserError("bad_selector", "result:failed needs a run before").Subject(core);
      }
      each(facts.failed_last_run);
    } else {
      return UserError("bad_selector", "'" + core + "' is no way to select nodes")
          .Subject(core)
          .Candidates(Suggest(core, {"state:modified", "result:failed"}))
          .Hint("there are tag:, kind:, path:, state:modified and result:failed");
    }
    return found;
  }
  if (core.find('/') != std::string::npos) {
    each([&](const Node& node) { return UnderPath(node, core); });
    HR_TRY(AnyUnder(found, core));
    return found;
  }
  each([&](const Node& node) { return fnmatch(core.c_str(), node.name.c_str(), 0) == 0; });
  const bool glob = core.find_first_of("*?[") != std::string::npos;
  if (std::find(found.begin(), found.end(), true) == found.end()) {
    if (glob) {
      return UserError("unknown_node", "no node's name is like '" + core + "'")
          .Subject(core)
          .Hint("headrace list shows all nodes");
    }
    std::vector<std::string> names;
    for (const Node& node : nodes) names.push_back(node.name);
    return UserError("unknown_node", "there is no node '" + core + "'")
        .Subject(core)
        .Candidates(Suggest(core, names))
        .Hint("headrace list shows all nodes");
  }
  return found;
}

void Grow(const Project& project, std::vector<bool>& found, int steps, bool up) {
  std::vector<int> edge;
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i]) edge.push_back(static_cast<int>(i));
  }
  for (int step = 0; step < steps && !edge.empty(); ++step) {
    std::vector<int> next;
    for (int i : edge) {
      const Node& node = project.nodes()[i];
      for (int other : up ? node.inputs : node.outputs) {
        if (!found[other]) {
          found[other] = true;
          next.push_back(other);
        }
      }
    }
    edge = std::move(next);
  }
}

Result<std::vector<bool>> Select(const Project& project, const std::string& argument,
                                 const SelectFacts& facts) {
  std::vector<bool> all(project.nodes().size(), true);
  size_t from = 0;
  while (from <= argument.size()) {
    size_t comma = argument.find(',', from);
    if (comma == std::string::npos) comma = argument.size();
    HR_ASSIGN(Term term, ParseTerm(argument.substr(from, comma - from)));
    HR_ASSIGN(std::vector<bool> found, Match(project, term.core, facts));
    std::vector<bool> above = found, below = found;
    Grow(project, above, term.up, true);
    Grow(project, below, term.down, false);
    for (size_t i = 0; i < all.size(); ++i) all[i] = all[i] && (above[i] || below[i]);
    from = comma + 1;
  }
  return all;
}

Result<std::vector<bool>> Union(const Project& project, const std::vector<std::string>& arguments,
                                const SelectFacts& facts) {
  std::vector<bool> any(project.nodes().size(), false);
  for (const std::string& argument : arguments) {
    HR_ASSIGN(std::vector<bool> one, Select(project, argument, facts));
    for (size_t i = 0; i < any.size(); ++i) any[i] = any[i] || one[i];
  }
  return any;
}

/// A singular check goes with every node it is about.
void SelectChecks(const Project& project, std::vector<bool>& selected) {
  for (size_t i = 0; i < selected.size(); ++i) {
    const Node& node = project.nodes()[i];
    if (node.kind != "check") continue;
    for (int input : node.inputs) selected[i] = selected[i] || selected[input];
  }
}

}  // namespace

Result<std::vector<bool>> SelectNodes(const Project& project,
                                      const std::vector<std::string>& select,
                                      const std::vector<std::string>& exclude,
                                      const SelectFacts& facts) {
  std::vector<bool> selected(project.nodes().size(), true);
  if (!select.empty()) {
    HR_ASSIGN(selected, Union(project, select, facts));
    SelectChecks(project, selected);
  }
  HR_ASSIGN(std::vector<bool> excluded, Union(project, exclude, facts));
  for (size_t i = 0; i < selected.size(); ++i) selected[i] = selected[i] && !excluded[i];
  return selected;
}

}  // namespace headrace::pipeline
