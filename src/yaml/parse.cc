// libfyaml's events become a tree. Events rather than its documents: depth, duplicate keys and the
// growth of aliases are then under our own limits, and it can't follow an alias for us.
#include "yaml/parse.h"

#include <fmt/format.h>
#include <libfyaml.h>

#include <map>
#include <utility>

#include "yaml/syntax_errors.h"
#include "yaml/text.h"

namespace headrace::yaml {
namespace {

size_t CountNodes(const Node& node) {
  size_t count = 1;
  for (const Node& item : node.items) count += CountNodes(item);
  for (const Entry& entry : node.entries) count += 1 + CountNodes(entry.value);
  return count;
}

int DepthOf(const Node& node) {
  int depth = 0;
  for (const Node& item : node.items) depth = std::max(depth, DepthOf(item));
  for (const Entry& entry : node.entries) depth = std::max(depth, DepthOf(entry.value));
  return depth + 1;
}

std::string TextOf(fy_token* token) {
  if (token == nullptr) return {};
  size_t length = 0;
  const char* text = fy_token_get_text(token, &length);
  return text == nullptr ? std::string() : std::string(text, length);
}

/// An event of the parser, freed by itself.
class Event {
 public:
  Event(fy_parser* parser, fy_event* event) : parser_(parser), event_(event) {}
  Event(Event&& other) noexcept
      : parser_(other.parser_), event_(std::exchange(other.event_, nullptr)) {}
  Event& operator=(Event&&) = delete;
  ~Event() {
    if (event_ != nullptr) fy_parser_event_free(parser_, event_);
  }
  fy_event_type type() const { return event_ == nullptr ? FYET_NONE : event_->type; }
  fy_event* get() const { return event_; }

 private:
  fy_parser* parser_;
  fy_event* event_;
};

class Builder {
 public:
  Builder(std::shared_ptr<const Source> source, Diagnostics& diagnostics, const Limits& limits)
      : source_(std::move(source)), diagnostics_(diagnostics), limits_(limits) {
    diag_ = fy_diag_create(nullptr);
    fy_diag_set_collect_errors(diag_, true);
    fy_parse_cfg config{};
    config.flags =
        static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE);
    config.diag = diag_;
    parser_ = fy_parser_create(&config);
    fy_parser_set_string(parser_, source_->text.data(), source_->text.size());
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  ~Builder() {
    fy_parser_destroy(parser_);
    fy_diag_destroy(diag_);
  }

  std::optional<Node> Run() {
    Node root;
    root.source = source_;
    root.mark = {1, 1, 1};
    bool seen = false;
    while (!failed_) {
      const Event event = Next();
      if (event.type() == FYET_NONE || event.type() == FYET_STREAM_END) break;
      if (event.type() == FYET_DOCUMENT_START) {
        if (seen) {
          Fail("bad_yaml", MarkAt(event), "a second document starts here",
               "a file holds one document; remove the '---' or use two files");
          break;
        }
        seen = true;
        const Event first = Next();
        if (!failed_) root = Build(first, 1);
      }
    }
    ReportSyntax();
    if (failed_ || refused_) return std::nullopt;
    return root;
  }

 private:
  Event Next() {
    Event event(parser_, fy_parser_parse(parser_));
    if (event.type() == FYET_NONE && fy_parser_get_stream_error(parser_)) failed_ = true;
    if (const fy_mark* mark = event.get() ? fy_event_end_mark(event.get()) : nullptr) {
      last_end_ = mark->input_pos;
    }
    return event;
  }

  void ReportSyntax() {
    if (!failed_ || reported_) return;
    void* state = nullptr;
    const fy_diag_error* error = fy_diag_errors_iterate(diag_, &state);
    diagnostics_.Add(error != nullptr
                         ? SyntaxError(*source_, error->msg, error->line, error->column)
                         : SyntaxError(*source_, "it can't be read", 1, 1));
  }

  void Fail(const char* code, const Mark& mark, std::string message, std::string hint) {
    failed_ = reported_ = true;
    diagnostics_.Add(
        UserError(code, std::move(message)).At(PlaceOf(source_.get(), mark)).Hint(std::move(hint)));
  }

  Mark MarkAt(const Event& event) const {
    const fy_mark* start = fy_event_start_mark(event.get());
    const fy_mark* end = fy_event_end_mark(event.get());
    if (start == nullptr) return MarkOf(*source_, last_end_, last_end_);
    size_t from = start->input_pos, to = end == nullptr ? from : end->input_pos;
    const std::string& text = source_->text;
    if (event.type() == FYET_ALIAS) from -= from > 0;  // the mark is behind the '*'
    if (event.type() == FYET_SCALAR && event.get()->scalar.value != nullptr) {
      const fy_scalar_style style = fy_token_scalar_style(event.get()->scalar.value);
      if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) {
        from -= from > 0;  // the marks are inside the quotes
        ++to;
      } else if (style == FYSS_LITERAL || style == FYSS_FOLDED) {
        while (from < text.size() && text[from] == ' ') ++from;
      }
    }
    return MarkOf(*source_, from, to);
  }

  /// Builds the node that `event` starts. After a failure the result means nothing.
  Node Build(const Event& event, int depth) {
    Node node;
    node.source = source_;
    node.mark = MarkAt(event);
    if (depth > limits_.depth) {
      Fail("too_large", node.mark, fmt::format("nested deeper than {} levels", limits_.depth), "");
      return node;
    }
    if (++nodes_ > limits_.nodes) {
      Fail("too_large", node.mark, fmt::format("more than {} values", limits_.nodes),
           "split the file");
      return node;
    }
    CheckTag(event, node.mark);
    const std::string anchor = TextOf(fy_event_get_anchor_token(event.get()));
    switch (event.type()) {
      case FYET_SCALAR:
        BuildScalar(event, node);
        break;
      case FYET_SEQUENCE_START:
        BuildList(node, depth);
        break;
      case FYET_MAPPING_START:
        BuildMap(node, depth);
        break;
      case FYET_ALIAS:
        return Alias(event, node.mark, depth);
      default:
        failed_ = true;
    }
    if (!anchor.empty() && !failed_) anchors_[anchor] = node;
    return node;
  }

  void BuildScalar(const Event& event, Node& node) {
    fy_token* token = event.get()->scalar.value;
    const std::string tag = TextOf(fy_event_get_tag_token(event.get()));
    const bool plain = token == nullptr || fy_token_scalar_style(token) == FYSS_PLAIN;
    Node scalar = MakeScalar(TextOf(token), !plain || tag == "tag:yaml.org,2002:str");
    node.kind = scalar.kind;
    node.text = std::move(scalar.text);
    node.quoted = scalar.quoted;
    if (node.text.find('\0') != std::string::npos) {
      // Programs, SQL and file names would end there.
      diagnostics_.Add(UserError("bad_text", "the text holds the character NUL (\\0)")
                           .At(PlaceOf(node))
                           .Hint("leave it out: no field can take it"));
      refused_ = true;
    }
  }

  void BuildList(Node& node, int depth) {
    node.kind = Kind::kList;
    while (!failed_) {
      const Event event = Next();
      if (failed_ || event.type() == FYET_SEQUENCE_END) break;
      node.items.push_back(Build(event, depth + 1));
    }
    FinishMark(node, "[", node.items.empty() ? nullptr : &node.items.front());
  }

  void BuildMap(Node& node, int depth) {
    node.kind = Kind::kMap;
    std::map<std::string, Mark> seen;
    while (!failed_) {
      const Event event = Next();
      if (failed_ || event.type() == FYET_MAPPING_END) break;
      Entry entry{Build(event, depth + 1), {}};
      if (failed_) break;
      if (!entry.key.IsScalar()) {
        Fail("bad_yaml", entry.key.mark,
             fmt::format("a key must be text, here it is {}", Describe(entry.key)),
             entry.key.IsNull() ? "write the key before ':'" : "put the key in quotes");
        break;
      }
      const Event value = Next();
      if (failed_) break;
      entry.value = Build(value, depth + 1);
      if (failed_) break;
      if (entry.value.IsNull() && entry.value.text.empty()) entry.value.mark = entry.key.mark;
      const auto [first, fresh] = seen.emplace(entry.key.text, entry.key.mark);
      if (fresh) {
        node.entries.push_back(std::move(entry));
      } else {
        refused_ = true;
        diagnostics_.Add(
            UserError("duplicate_key", fmt::format("'{}' is given twice", entry.key.text))
                .At(PlaceOf(entry.key))
                .Subject(entry.key.text)
                .Hint(fmt::format("the first one is in line {}", first->second.line)));
      }
    }
    FinishMark(node, "{", node.entries.empty() ? nullptr : &node.entries.front().key);
  }

  /// A list or map in brackets is marked as far as it goes on its line; others by their first
  /// element, since the parser only knows of them when it has passed it.
  void FinishMark(Node& node, std::string_view bracket, const Node* first) {
    const std::string_view line = source_->Line(node.mark.line);
    size_t at = 0;
    for (int i = 1; i < node.mark.column && at < line.size(); ++i) at += Utf8Length(line, at);
    if (line.substr(at, 1) == bracket) {
      const size_t begin = source_->line_starts[static_cast<size_t>(node.mark.line) - 1] + at;
      node.mark = MarkOf(*source_, begin, last_end_);
    } else if (first != nullptr) {
      node.mark = first->mark;
    }
  }

  Node Alias(const Event& event, const Mark& mark, int depth) {
    const std::string name = TextOf(event.get()->alias.anchor);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      Fail("bad_yaml", mark, fmt::format("no anchor '&{}' stands above", name),
           "a text that starts with '*' must be quoted");
      return {};
    }
    nodes_ += CountNodes(found->second);
    if (nodes_ > limits_.nodes || depth + DepthOf(found->second) - 1 > limits_.depth) {
      Fail("too_large", mark, "aliases make the document too large", "write the values out");
      return {};
    }
    return found->second;
  }

  void CheckTag(const Event& event, const Mark& mark) {
    const std::string tag = TextOf(fy_event_get_tag_token(event.get()));
    static constexpr std::string_view kKnown[] = {"str",  "int", "float", "bool",
                                                  "null", "seq", "map"};
    if (tag.empty() || tag == "!") return;
    for (const std::string_view known : kKnown) {
      if (tag == fmt::format("tag:yaml.org,2002:{}", known)) return;
    }
    Fail("bad_yaml", mark, fmt::format("the tag '{}' is not known", tag),
         "remove it; a text that starts with '!' must be quoted");
  }

  std::shared_ptr<const Source> source_;
  Diagnostics& diagnostics_;
  const Limits& limits_;
  fy_diag* diag_ = nullptr;
  fy_parser* parser_ = nullptr;
  std::map<std::string, Node> anchors_;
  size_t nodes_ = 0;
  size_t last_end_ = 0;  ///< byte where the last event ended
  bool failed_ = false, reported_ = false, refused_ = false;
};

}  // namespace

std::optional<Node> Parse(std::string_view text, std::string_view name, Diagnostics& diagnostics,
                          const Limits& limits) {
  if (text.size() > limits.bytes) {
    diagnostics.Add(UserError("too_large", fmt::format("the file has {} bytes; {} are allowed",
                                                       text.size(), limits.bytes))
                        .At(FilePlace(std::string(name)))
                        .Hint("keep data in CSV or Parquet files; split a long YAML file"));
    return std::nullopt;
  }
  const auto source = ReadSource(text, name, diagnostics);
  if (source == nullptr) return std::nullopt;
  return Builder(source, diagnostics, limits).Run();
}

Result<Node> Parse(std::string_view text, std::string_view name, const Limits& limits) {
  Diagnostics diagnostics;
  std::optional<Node> node = Parse(text, name, diagnostics, limits);
  if (node) return *std::move(node);
  return diagnostics.all().front();
}

}  // namespace headrace::yaml
