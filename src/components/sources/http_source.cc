#include "components/sources/http_source.h"

#include <fmt/format.h>

#include "base/suggest.h"
#include "components/sources/database_build.h"
#include "pipeline/project.h"

namespace headrace::components {
namespace {

using pipeline::BuildContext;
using pipeline::LintContext;
using pipeline::ProbeContext;

class HttpSource : public pipeline::Component {
 public:
  explicit HttpSource(const spec::NodeSpec& node) : options_(node.options.As<HttpOptions>()) {}

  bool HasTable() const override { return true; }
  std::vector<std::string> KeyColumns() const override { return options_.key; }
  std::string CursorColumn() const override { return options_.cursor; }
  std::vector<pipeline::InputRef> Inputs() const override {
    if (options_.for_each.empty()) return {};
    return {{options_.for_each, "for_each"}};
  }
  std::optional<data::Schema> Lint(const LintContext& context) const override;
  Result<pipeline::Probe> ProbeOutside(const ProbeContext&) const override {
    pipeline::Probe probe;
    probe.changed = "the API is asked in every run";
    return probe;
  }
  Result<pipeline::Outcome> Build(BuildContext& context) const override {
    return BuildHttp(options_, context);
  }

 private:
  void LintUrl(const LintContext& context) const;
  void LintPlaces(const LintContext& context, const std::string& text,
                  const std::string& field) const;
  const HttpOptions options_;
};

/// Places of a text: columns of the parent, and none in the host.
void HttpSource::LintPlaces(const LintContext& context, const std::string& text,
                            const std::string& field) const {
  const spec::NodeSpec& spec = context.node->spec;
  auto places = PlacesOf(text);
  if (!places.ok()) {
    context.diagnostics->Add(Error(places.error()).At(spec.PlaceOf(field)).Node(spec.name));
    return;
  }
  if (places->empty() || options_.for_each.empty()) return;
  const data::Schema* schema = context.schema_of(options_.for_each);
  for (const std::string& place : *places) {
    if (schema == nullptr || schema->Find(place) != nullptr) continue;
    context.diagnostics->Add(UserError("unknown_column", fmt::format("'{}' has no column '{}'",
                                                                     options_.for_each, place))
                                 .At(spec.PlaceOf(field))
                                 .Node(spec.name)
                                 .Subject(place)
                                 .Candidates(Suggest(place, schema->Names())));
  }
}

void HttpSource::LintUrl(const LintContext& context) const {
  const spec::NodeSpec& spec = context.node->spec;
  const auto add = [&](Error error) {
    context.diagnostics->Add(std::move(error.At(spec.PlaceOf("url")).Node(spec.name)));
  };
  if (spec::NeedsExpansion(options_.url)) return;
  std::map<std::string, std::string> filled;
  if (auto places = PlacesOf(options_.url); places.ok()) {
    for (const std::string& place : *places) filled[place] = "x";
  }
  auto url = net::ParseUrl(FillPlaces(options_.url, filled, true));
  if (!url.ok()) {
    add(url.error());
    return;
  }
  if (HostHasPlaces(options_.url)) {
    add(UserError("bad_url", "the host can't come from data")
            .Hint("a {column} may stand behind the host, or under `params:`"));
  }
  const Status secure = net::CheckSecure(*url, options_.auth.has_value(), options_.allow_http);
  if (!secure.ok()) add(secure.error());
}

std::optional<data::Schema> HttpSource::Lint(const LintContext& context) const {
  const spec::NodeSpec& spec = context.node->spec;
  auto fixed = FixedTypes(spec);
  if (!fixed.ok()) context.diagnostics->Add(Error(fixed.error()).Node(spec.name));
  LintUrl(context);
  LintPlaces(context, options_.url, "url");
  for (const auto& [name, value] : options_.params) {
    LintPlaces(context, value, "params." + name);
  }
  if (!options_.for_each.empty()) {
    auto in_url = PlacesOf(options_.url);
    bool any = in_url.ok() && !in_url->empty();
    for (const auto& [name, value] : options_.params) {
      auto in_value = PlacesOf(value);
      any = any || (in_value.ok() && !in_value->empty());
    }
    if (!any && in_url.ok()) {
      context.diagnostics->Add(
          UserError("bad_option",
                    "`for_each` without a {column} in `url` or `params` would send "
                    "the same request again and again")
              .At(spec.PlaceOf("for_each"))
              .Node(spec.name));
    }
  }
  if (context.last_schema != nullptr) return *context.last_schema;
  return std::nullopt;
}

}  // namespace

bool HostHasPlaces(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const auto places = PlacesOf(url.substr(0, end));
  return !places.ok() || !places->empty();
}

std::string ShownUrl(const spec::NodeSpec& spec, const std::string& url, const std::string& field) {
  const auto found = spec.options.unexpanded.find(field);
  std::string text = found != spec.options.unexpanded.end() ? found->second : url;
  text = text.substr(0, text.find('?'));
  const size_t host = text.find("://");
  const size_t begin = host == std::string::npos ? 0 : host + 3;
  const size_t slash = std::min(text.find('/', begin), text.size());
  const size_t at = text.rfind('@', slash);
  if (at != std::string::npos && at >= begin && at < slash) text.erase(begin, at + 1 - begin);
  return text;
}

std::unique_ptr<pipeline::Component> MakeHttpSource(const spec::NodeSpec& node) {
  return std::make_unique<HttpSource>(node);
}

}  // namespace headrace::components
