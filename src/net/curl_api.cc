#include "net/curl_api.h"

#include <dlfcn.h>

#include "base/process.h"

namespace headrace::net {
namespace {

template <class F>
bool Resolve(void* library, const char* name, F* function) {
  *function = reinterpret_cast<F>(dlsym(library, name));
  return *function != nullptr;
}

bool ResolveAll(void* library, CurlApi* api) {
  return Resolve(library, "curl_easy_init", &api->easy_init) &&
         Resolve(library, "curl_easy_cleanup", &api->easy_cleanup) &&
         Resolve(library, "curl_easy_reset", &api->easy_reset) &&
         Resolve(library, "curl_easy_setopt", &api->easy_setopt) &&
         Resolve(library, "curl_easy_getinfo", &api->easy_getinfo) &&
         Resolve(library, "curl_multi_init", &api->multi_init) &&
         Resolve(library, "curl_multi_cleanup", &api->multi_cleanup) &&
         Resolve(library, "curl_multi_add_handle", &api->multi_add_handle) &&
         Resolve(library, "curl_multi_remove_handle", &api->multi_remove_handle) &&
         Resolve(library, "curl_multi_perform", &api->multi_perform) &&
         Resolve(library, "curl_multi_poll", &api->multi_poll) &&
         Resolve(library, "curl_multi_wakeup", &api->multi_wakeup) &&
         Resolve(library, "curl_multi_info_read", &api->multi_info_read) &&
         Resolve(library, "curl_slist_append", &api->slist_append) &&
         Resolve(library, "curl_slist_free_all", &api->slist_free_all);
}

}  // namespace

Result<const CurlApi*> LoadCurlApi() {
  HR_ASSIGN(void* library, LoadCurl());
  static CurlApi api;
  static const bool complete = ResolveAll(library, &api);
  if (!complete) {
    return SystemError("no_libcurl", "this libcurl is too old: it lacks functions of 7.85")
        .Hint("apt-get install libcurl4");
  }
  return &api;
}

}  // namespace headrace::net
