#include "spec/type_ops.h"

namespace headrace::spec {
namespace {

template <class I>
TypeOps IntOps(int bits) {
  return {.shape = Shape::kInt,
          .bits = bits,
          .get_int = [](const void* p) { return static_cast<int64_t>(*static_cast<const I*>(p)); },
          .set_int = [](void* p, int64_t v) { *static_cast<I*>(p) = static_cast<I>(v); }};
}

}  // namespace

#define HR_DEFINE_OPS(type, which)            \
  const TypeOps& OpsFor<type>::Get() {        \
    static const TypeOps ops{.shape = which}; \
    return ops;                               \
  }
HR_DEFINE_OPS(bool, Shape::kBool)
HR_DEFINE_OPS(double, Shape::kDouble)
HR_DEFINE_OPS(std::string, Shape::kString)
HR_DEFINE_OPS(Value, Shape::kValue)
HR_DEFINE_OPS(Duration, Shape::kDuration)
HR_DEFINE_OPS(Amount, Shape::kAmount)
HR_DEFINE_OPS(ComponentRef, Shape::kComponent)
#undef HR_DEFINE_OPS

const TypeOps& OpsFor<int>::Get() {
  static const TypeOps ops = IntOps<int>(32);
  return ops;
}

const TypeOps& OpsFor<int64_t>::Get() {
  static const TypeOps ops = IntOps<int64_t>(64);
  return ops;
}

}  // namespace headrace::spec
