#pragma once
// Result<T>: a value or an Error. Nothing in Headrace throws across a function boundary;
// exceptions of third-party code stop at the adapter that calls it.
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"

namespace headrace {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                               // NOLINT: implicit
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT: implicit

  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T operator*() && { return std::move(*value_); }  // a value: `for (x : *F())` must not dangle
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

  const Error& error() const& { return *error_; }
  Error& error() & { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<T> value_;
  std::unique_ptr<Error> error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT: implicit
  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *error_; }
  Error& error() & { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::unique_ptr<Error> error_;
};

using Status = Result<void>;
inline Status Ok() { return {}; }

}  // namespace headrace

#define HR_CONCAT_INNER(a, b) a##b
#define HR_CONCAT(a, b) HR_CONCAT_INNER(a, b)

/// Returns the error of a Status or Result expression from the enclosing function.
#define HR_TRY(expression)                                \
  do {                                                    \
    if (auto hr_status = (expression); !hr_status.ok()) { \
      return std::move(hr_status).error();                \
    }                                                     \
  } while (false)

/// HR_ASSIGN(auto x, F()): declares x from the value of F() or returns its error.
#define HR_ASSIGN(declaration, expression) \
  HR_ASSIGN_INNER(HR_CONCAT(hr_result_, __LINE__), declaration, expression)
#define HR_ASSIGN_INNER(result, declaration, expression) \
  auto result = (expression);                            \
  if (!result.ok()) return std::move(result).error();    \
  declaration = std::move(result).value()
