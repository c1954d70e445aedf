#pragma once
// TypeOps: what the spec code must know of a C++ type to fill it, walk it and print it. One
// constant per type, found by OpsOf<M>() at compile time; everything else in this folder is no
// template, so a table of fields costs little to compile.
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "spec/value.h"

namespace headrace::spec {

class Spec;
struct ComponentRef;

/// One allowed word of an option.
struct Option {
  std::string name;
  std::string summary = {};
  int64_t value = 0;  ///< of an enum
};
using Options = std::vector<Option>;

enum class Shape {
  kBool,
  kInt,
  kDouble,
  kString,
  kEnum,
  kValue,
  kDuration,
  kAmount,  // written as scalars
  kOptional,
  kList,
  kMap,
  kStruct,
  kVariant,
  kComponent,
};

/// Unused members are null.
struct TypeOps {
  Shape shape;
  const TypeOps* element = nullptr;           ///< kOptional, kList, kMap
  const Spec& (*spec)() = nullptr;            ///< kStruct
  const Options& (*options)() = nullptr;      ///< kEnum
  int bits = 64;                              ///< kInt: 32 or 64
  int64_t (*get_int)(const void*) = nullptr;  ///< kInt, kEnum
  void (*set_int)(void*, int64_t) = nullptr;  ///< kInt, kEnum
  void (*clear)(void*) = nullptr;             ///< kOptional, kList, kMap
  /// Adds an element and returns it. kMap: under `key` (a present one is returned).
  void* (*add)(void*, const std::string& key) = nullptr;
  /// Calls back for each element; `key` is "" but for maps (sorted by key).
  void (*each)(const void*, void* state,
               void (*visit)(void* state, const std::string& key, const void* item)) = nullptr;
  std::vector<const TypeOps*> alternatives = {};  ///< kVariant
  size_t (*index)(const void*) = nullptr;         ///< kVariant: which one it holds
  void* (*emplace)(void*, size_t) = nullptr;      ///< kVariant: makes it hold that one
  const void* (*held)(const void*) = nullptr;     ///< kVariant: the one it holds
};

template <class M>
struct OpsFor;

/// The constant of a type. Supported: bool, int, int64_t, double, std::string, Value, Duration,
/// Amount, ComponentRef, enums with `const spec::Options& SpecOptions(E*)` beside them, structs
/// with `static const spec::Spec& Describe()`, and optional, vector, map<string, …>, variant of
/// these.
template <class M>
const TypeOps& OpsOf() {
  return OpsFor<M>::Get();
}

#define HR_SCALAR_OPS(type)      \
  template <>                    \
  struct OpsFor<type> {          \
    static const TypeOps& Get(); \
  }
HR_SCALAR_OPS(bool);
HR_SCALAR_OPS(int);
HR_SCALAR_OPS(int64_t);
HR_SCALAR_OPS(double);
HR_SCALAR_OPS(std::string);
HR_SCALAR_OPS(Value);
HR_SCALAR_OPS(Duration);
HR_SCALAR_OPS(Amount);
HR_SCALAR_OPS(ComponentRef);
#undef HR_SCALAR_OPS

template <class E>
requires std::is_enum_v<E>
struct OpsFor<E> {
  static const Options& Words() { return SpecOptions(static_cast<E*>(nullptr)); }
  static const TypeOps& Get() {
    static const TypeOps ops{
        .shape = Shape::kEnum,
        .options = &Words,
        .get_int = [](const void* p) { return static_cast<int64_t>(*static_cast<const E*>(p)); },
        .set_int = [](void* p, int64_t v) { *static_cast<E*>(p) = static_cast<E>(v); }};
    return ops;
  }
};

template <class S>
requires requires {
  { S::Describe() } -> std::same_as<const Spec&>;
}
struct OpsFor<S> {
  static const TypeOps& Get() {
    static const TypeOps ops{.shape = Shape::kStruct, .spec = &S::Describe};
    return ops;
  }
};

template <class E>
struct OpsFor<std::optional<E>> {
  using T = std::optional<E>;
  static const TypeOps& Get() {
    static const TypeOps ops{
        .shape = Shape::kOptional,
        .element = &OpsOf<E>(),
        .clear = [](void* p) { static_cast<T*>(p)->reset(); },
        .add = [](void* p, const std::string&) -> void* { return &static_cast<T*>(p)->emplace(); },
        .each =
            [](const void* p, void* state, auto* visit) {
              if (const T& value = *static_cast<const T*>(p)) visit(state, std::string(), &*value);
            }};
    return ops;
  }
};

template <class E>
struct OpsFor<std::vector<E>> {
  static_assert(!std::is_same_v<E, bool>, "vector<bool> has no addressable elements");
  using T = std::vector<E>;
  static const TypeOps& Get() {
    static const TypeOps ops{.shape = Shape::kList,
                             .element = &OpsOf<E>(),
                             .clear = [](void* p) { static_cast<T*>(p)->clear(); },
                             .add = [](void* p, const std::string&) -> void* {
                               return &static_cast<T*>(p)->emplace_back();
                             },
                             .each =
                                 [](const void* p, void* state, auto* visit) {
                                   for (const E& item : *static_cast<const T*>(p))
                                     visit(state, std::string(), &item);
                                 }};
    return ops;
  }
};

template <class E>
struct OpsFor<std::map<std::string, E>> {
  using T = std::map<std::string, E>;
  static const TypeOps& Get() {
    static const TypeOps ops{
        .shape = Shape::kMap,
        .element = &OpsOf<E>(),
        .clear = [](void* p) { static_cast<T*>(p)->clear(); },
        .add = [](void* p, const std::string& key) -> void* { return &(*static_cast<T*>(p))[key]; },
        .each =
            [](const void* p, void* state, auto* visit) {
              for (const auto& [key, item] : *static_cast<const T*>(p)) visit(state, key, &item);
            }};
    return ops;
  }
};

template <class... A>
struct OpsFor<std::variant<A...>> {
  using T = std::variant<A...>;
  template <size_t I>
  static void* EmplaceOne(T* p) {
    return &p->template emplace<I>();
  }
  template <size_t... I>
  static void* Emplace(T* p, size_t index, std::index_sequence<I...>) {
    using Make = void* (*)(T*);
    static constexpr Make kMakers[] = {&EmplaceOne<I>...};
    return kMakers[index](p);
  }
  static const TypeOps& Get() {
    static const TypeOps ops{
        .shape = Shape::kVariant,
        .alternatives = {&OpsOf<A>()...},
        .index = [](const void* p) { return static_cast<const T*>(p)->index(); },
        .emplace =
            [](void* p, size_t index) {
              return Emplace(static_cast<T*>(p), index, std::index_sequence_for<A...>());
            },
        .held = [](const void* p) -> const void* {
          return std::visit([](const auto& v) -> const void* { return &v; },
                            *static_cast<const T*>(p));
        }};
    return ops;
  }
};

}  // namespace headrace::spec
