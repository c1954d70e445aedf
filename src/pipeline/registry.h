#pragma once
// Which components there are. Filled once by components/builtins.cc (explicit list, alphabetical);
// tests fill their own with fakes.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/check.h"
#include "pipeline/component.h"
#include "spec/spec.h"

namespace headrace::pipeline {

/// Immutable after filling, then thread-safe.
class Registry : public spec::SpecLookup {
 public:
  /// Makes a component from a parsed node. Options may still hold ${…} when nothing could be
  /// expanded: making must not fail for that; what is semantically wrong is reported by Lint.
  using MakeComponent = std::unique_ptr<Component> (*)(const spec::NodeSpec& node);
  using MakeCheck = std::unique_ptr<Check> (*)(const CheckContext& context);

  void AddComponent(const spec::Spec& spec, MakeComponent make);
  void AddCheck(const spec::Spec& spec, MakeCheck make);
  /// Specs without behaviour of their own: connections, learners.
  void AddSpec(const spec::Spec& spec);

  MakeComponent FindComponent(std::string_view kind, std::string_view type) const;
  MakeCheck FindCheck(std::string_view type) const;

  const spec::Spec* Find(std::string_view kind, std::string_view name) const override;
  std::vector<std::string> Names(std::string_view kind) const override;
  std::vector<std::string> Kinds() const override;

 private:
  spec::SpecTable specs_;
  std::map<const spec::Spec*, MakeComponent> components_;
  std::map<std::string, MakeCheck, std::less<>> checks_;
};

}  // namespace headrace::pipeline
