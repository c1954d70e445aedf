#pragma once
// What Headrace tells about itself: reference pages and JSON Schema, both from the tables of
// fields. Needs no project.
#include <string>
#include <vector>

#include "base/result.h"

namespace headrace::engine {

struct ManualFile {
  std::string name;  ///< file name: "source.md", "node.schema.json"
  std::string text;
};

/// One page for each kind of component, for headrace.yml, _folder.yml, the fields of every node,
/// metrics, gates and learners,
/// and README.md, which lists them. `more`: lines of pages from elsewhere for that list.
std::vector<ManualFile> ReferencePages(const std::vector<std::string>& more = {});

/// The page of a kind ("source", "settings"), or what there is about a type ("csv", "source csv").
/// Error "unknown_page" with candidates.
Result<std::string> ReferencePage(const std::string& name);

/// "headrace.schema.json" (for headrace.yml), "node.schema.json", "folder.schema.json",
/// "check.schema.json" (checks/*.yml) and "test.schema.json" (tests/*.yml).
std::vector<ManualFile> SchemaFiles();

}  // namespace headrace::engine
