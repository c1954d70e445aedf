#include "components/postgres/libpq.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "components/postgres/libpq_present.h"

namespace headrace::components {
namespace {

constexpr const char* kFile = "libpq.so.5";

void Here() {}

std::vector<std::string> Places() {
  std::vector<std::string> out;
  if (const char* folder = std::getenv("HEADRACE_RUNTIME"); folder != nullptr && *folder != 0) {
    out.push_back(JoinPath(folder, kFile));
  }
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&Here), &info) != 0 && info.dli_fname != nullptr) {
    const std::string beside = DirName(info.dli_fname);
    out.push_back(JoinPath(beside.empty() ? "." : beside, std::string("runtime/") + kFile));
    out.push_back(JoinPath(beside.empty() ? "." : beside, kFile));
  }
  out.emplace_back(kFile);
  return out;
}

struct Loaded {
  Libpq functions;
  std::string fault;  ///< "" = loaded
};

Loaded Load() {
  Loaded loaded;
  void* library = nullptr;
  for (const std::string& place : Places()) {
    library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library != nullptr) break;
  }
  if (library == nullptr) {
    const char* text = dlerror();
    loaded.fault = text == nullptr ? "it can't be loaded" : text;
    return loaded;
  }
#define HR_LIBPQ_RESOLVE(name)                                                        \
  loaded.functions.name = reinterpret_cast<decltype(&::name)>(dlsym(library, #name)); \
  if (loaded.functions.name == nullptr) loaded.fault = "it has no function " #name;
  HR_LIBPQ_FUNCTIONS(HR_LIBPQ_RESOLVE)
#undef HR_LIBPQ_RESOLVE
  return loaded;
}

}  // namespace

Result<const Libpq*> LoadLibpq() {
  static const Loaded loaded = Load();
  if (loaded.fault.empty()) return &loaded.functions;
  return SystemError("libpq_missing",
                     fmt::format("PostgreSQL's client library can't be used: {}", loaded.fault))
      .Subject(kFile)
      .Hint("install it: apt-get install libpq5 (or your system's package of that library)");
}

Status CheckLibpq() {
  HR_ASSIGN([[maybe_unused]] const Libpq* functions, LoadLibpq());
  return Ok();
}

}  // namespace headrace::components
