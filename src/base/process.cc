#include "base/process.h"

#include <dlfcn.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <string>

namespace headrace {
namespace {

struct Curl {
  void* library = nullptr;
  std::string fault;
};

Curl OpenCurl() {
  Curl curl;
  std::string places[] = {"", "libcurl.so.4", "libcurl-gnutls.so.4"};
  if (const char* folder = std::getenv("HEADRACE_RUNTIME"); folder != nullptr && *folder != 0) {
    places[0] = std::string(folder) + "/libcurl.so.4";
  }
  for (const std::string& place : places) {
    if (place.empty()) continue;
    curl.library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (curl.library != nullptr) break;
  }
  if (curl.library == nullptr) {
    curl.fault = "libcurl.so.4 is not on this machine";
    return curl;
  }
  constexpr long kEverything = 3;  // CURL_GLOBAL_ALL
  const auto init = reinterpret_cast<int (*)(long)>(dlsym(curl.library, "curl_global_init"));
  if (init == nullptr || init(kEverything) != 0) {
    curl.fault = "libcurl can't be set up";
    curl.library = nullptr;
  }
  return curl;
}

}  // namespace

Result<void*> LoadCurl() {
  static const Curl curl = OpenCurl();
  if (curl.library == nullptr) {
    return SystemError("no_libcurl", "HTTP needs libcurl: " + curl.fault)
        .Hint("apt-get install libcurl4");
  }
  return curl.library;
}

void InitProcess() {
  // OpenMP reads its environment when its library is loaded. Active waiting makes two training
  // threads on shared cores several times slower; none at all costs a system call at each of
  // LightGBM's many short loops. So: some microseconds of it.
  setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  setenv("GOMP_SPINCOUNT", "10000", /*overwrite=*/0);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond `ulimit -f` fails with EFBIG instead
  std::setlocale(LC_NUMERIC, "C");
}

}  // namespace headrace
