#pragma once
// LightGBM's binned form of the training rows. Columns are handed over as they lie in memory.
#include <memory>
#include <span>
#include <string>

#include "learn/frame.h"
#include "learn/lightgbm/lightgbm_api.h"

namespace headrace::learn {

/// Owns a dataset handle. Training only reads it, so several boosters may share one.
class LightGbmDataset {
 public:
  LightGbmDataset(std::shared_ptr<const LightGbmApi> api, void* handle)
      : api_(std::move(api)), handle_(handle) {}
  ~LightGbmDataset() { api_->DatasetFree(handle_); }
  LightGbmDataset(const LightGbmDataset&) = delete;
  LightGbmDataset& operator=(const LightGbmDataset&) = delete;

  /// All rows of the frame with label and weights. Bins are made from all rows (they don't read the
  /// target); the frame must stay alive during the call only.
  static Result<std::shared_ptr<LightGbmDataset>> Make(std::shared_ptr<const LightGbmApi> api,
                                                       const Frame& frame,
                                                       const std::string& parameters);
  /// Some rows (ascending) with the same bins.
  Result<std::shared_ptr<LightGbmDataset>> Subset(std::span<const uint32_t> rows,
                                                  const std::string& parameters) const;

  const void* handle() const { return handle_; }

 private:
  std::shared_ptr<const LightGbmApi> api_;
  void* handle_;
};

}  // namespace headrace::learn
