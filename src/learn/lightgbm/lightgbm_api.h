#pragma once
// LightGBM's C API by our own declarations: the library is loaded on first use and may be missing.
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

struct ArrowArrayStream;

namespace headrace::learn {

/// The functions we call. Each returns 0 on success; the text of a failure is GetLastError's, of
/// the same thread.
struct LightGbmApi {
  const char* (*GetLastError)() = nullptr;
  int (*RegisterLogCallback)(void (*)(const char*)) = nullptr;
  int (*DatasetCreateFromArrowStream)(ArrowArrayStream*, const char* parameters,
                                      const void* reference, void** out) = nullptr;
  int (*DatasetSetField)(void*, const char* field, const void* data, int count, int type) = nullptr;
  int (*DatasetGetSubset)(const void*, const int32_t* rows, int32_t count, const char* parameters,
                          void** out) = nullptr;
  int (*DatasetFree)(void*) = nullptr;
  int (*BoosterCreate)(const void* dataset, const char* parameters, void** out) = nullptr;
  int (*BoosterFree)(void*) = nullptr;
  int (*BoosterAddValidData)(void*, const void* dataset) = nullptr;
  int (*BoosterUpdateOneIter)(void*, int* finished) = nullptr;
  int (*BoosterGetEvalCounts)(void*, int* count) = nullptr;
  int (*BoosterGetEval)(void*, int data_index, int* count, double* out) = nullptr;
  int (*BoosterSaveModelToString)(void*, int start, int count, int importance, int64_t size,
                                  int64_t* needed, char* out) = nullptr;

  /// Must be called in every thread that calls the library: its log is per thread and writes to
  /// stdout otherwise.
  void Silence() const;
  /// Error of the call that failed in this thread.
  Error Failure(const std::string& what) const;
};

/// Looks for lib_lightgbm.so in `folder` (if given), $HEADRACE_RUNTIME, the prefix of the build,
/// beside libheadrace.so (runtime/, ../lib/runtime/, ../lightgbm/lib/) and in the active virtual
/// environment's site-packages. Error "learner_missing" lists the places and the command to install
/// it. The library stays loaded until the process ends (OpenMP's threads can't be unloaded).
Result<std::shared_ptr<const LightGbmApi>> LoadLightGbm(const std::string& folder);

}  // namespace headrace::learn
