#pragma once
// `source: http`.
#include <memory>

#include "components/sources/http_options.h"
#include "pipeline/component.h"
#include "spec/node_spec.h"

namespace headrace::components {

std::unique_ptr<pipeline::Component> MakeHttpSource(const spec::NodeSpec& node);

/// The URL for people: as it stands in the file, or without query and user.
std::string ShownUrl(const spec::NodeSpec& spec, const std::string& url,
                     const std::string& field = "url");

/// A {column} in front of the path: data would choose who gets the credentials.
bool HostHasPlaces(const std::string& url);

Result<pipeline::Outcome> BuildHttp(const HttpOptions& options, pipeline::BuildContext& context);

}  // namespace headrace::components
