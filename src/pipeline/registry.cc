#include "pipeline/registry.h"

#include <cstdlib>

namespace headrace::pipeline {

void Registry::AddComponent(const spec::Spec& spec, MakeComponent make) {
  if (!specs_.Add(spec)) std::abort();  // two components of one name: a fault of the build
  components_[&spec] = make;
}

void Registry::AddCheck(const spec::Spec& spec, MakeCheck make) {
  if (!specs_.Add(spec)) std::abort();
  checks_[spec.name()] = make;
}

void Registry::AddSpec(const spec::Spec& spec) {
  if (!specs_.Add(spec)) std::abort();
}

Registry::MakeComponent Registry::FindComponent(std::string_view kind,
                                                std::string_view type) const {
  const spec::Spec* spec = specs_.Find(kind, type);
  if (spec == nullptr) spec = specs_.Find(kind, "");  // a kind that takes a subject
  auto found = components_.find(spec);
  return found == components_.end() ? nullptr : found->second;
}

Registry::MakeCheck Registry::FindCheck(std::string_view type) const {
  auto found = checks_.find(type);
  return found == checks_.end() ? nullptr : found->second;
}

const spec::Spec* Registry::Find(std::string_view kind, std::string_view name) const {
  return specs_.Find(kind, name);
}

std::vector<std::string> Registry::Names(std::string_view kind) const { return specs_.Names(kind); }

std::vector<std::string> Registry::Kinds() const { return specs_.Kinds(); }

}  // namespace headrace::pipeline
