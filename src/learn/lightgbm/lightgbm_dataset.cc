#include "learn/lightgbm/lightgbm_dataset.h"

#include <vector>

namespace headrace::learn {
namespace {

/// A stream of one batch whose buffers are the frame's own columns. The Arrow structs live here;
/// the library must release what it was given before this object goes, which it does within the
/// call.
class FrameStream {
 public:
  explicit FrameStream(const Frame& frame) : frame_(frame) {
    const size_t width = frame.features.size();
    schemas_.resize(width);
    schema_pointers_.resize(width);
    arrays_.resize(width);
    array_pointers_.resize(width);
    buffers_.resize(width * 2);
    stream_.get_schema = [](ArrowArrayStream* self, ArrowSchema* out) {
      static_cast<FrameStream*>(self->private_data)->GetSchema(out);
      return 0;
    };
    stream_.get_next = [](ArrowArrayStream* self, ArrowArray* out) {
      static_cast<FrameStream*>(self->private_data)->GetNext(out);
      return 0;
    };
    stream_.get_last_error = [](ArrowArrayStream*) -> const char* { return nullptr; };
    stream_.release = [](ArrowArrayStream* self) { self->release = nullptr; };
    stream_.private_data = this;
  }
  FrameStream(const FrameStream&) = delete;
  FrameStream& operator=(const FrameStream&) = delete;
  ArrowArrayStream* stream() { return &stream_; }

 private:
  void GetSchema(ArrowSchema* out) {
    for (size_t i = 0; i < schemas_.size(); ++i) {
      schemas_[i] = {};
      schemas_[i].format = frame_.features[i].wide() ? "g" : "f";
      schemas_[i].name = "";
      schemas_[i].release = [](ArrowSchema* self) { self->release = nullptr; };
      schema_pointers_[i] = &schemas_[i];
    }
    *out = {};
    out->format = "+s";
    out->name = "";
    out->n_children = static_cast<int64_t>(schemas_.size());
    out->children = schema_pointers_.data();
    out->release = [](ArrowSchema* self) {
      for (int64_t i = 0; i < self->n_children; ++i) {
        if (self->children[i]->release != nullptr) self->children[i]->release(self->children[i]);
      }
      self->release = nullptr;
    };
  }

  void GetNext(ArrowArray* out) {
    *out = {};
    if (done_) return;  // a released array ends the stream
    done_ = true;
    for (size_t i = 0; i < arrays_.size(); ++i) {
      buffers_[2 * i] = nullptr;
      buffers_[2 * i + 1] = frame_.features[i].data();
      arrays_[i] = {};
      arrays_[i].length = frame_.rows();
      arrays_[i].n_buffers = 2;
      arrays_[i].buffers = &buffers_[2 * i];
      arrays_[i].release = [](ArrowArray* self) { self->release = nullptr; };
      array_pointers_[i] = &arrays_[i];
    }
    out->length = frame_.rows();
    out->n_buffers = 1;
    out->buffers = &no_buffer_;
    out->n_children = static_cast<int64_t>(arrays_.size());
    out->children = array_pointers_.data();
    out->release = [](ArrowArray* self) {
      for (int64_t i = 0; i < self->n_children; ++i) {
        if (self->children[i]->release != nullptr) self->children[i]->release(self->children[i]);
      }
      self->release = nullptr;
    };
  }

  const Frame& frame_;
  bool done_ = false;
  const void* no_buffer_ = nullptr;
  std::vector<ArrowSchema> schemas_;
  std::vector<ArrowSchema*> schema_pointers_;
  std::vector<ArrowArray> arrays_;
  std::vector<ArrowArray*> array_pointers_;
  std::vector<const void*> buffers_;
  ArrowArrayStream stream_{};
};

constexpr int kFloat32 = 0;

}  // namespace

Result<std::shared_ptr<LightGbmDataset>> LightGbmDataset::Make(
    std::shared_ptr<const LightGbmApi> api, const Frame& frame, const std::string& parameters) {
  if (frame.rows() > std::numeric_limits<int32_t>::max()) {
    return UserError("too_many_rows", "LightGBM takes up to 2,147,483,647 rows")
        .Hint("sample the input in SQL");
  }
  api->Silence();
  FrameStream stream(frame);
  void* handle = nullptr;
  if (api->DatasetCreateFromArrowStream(stream.stream(), parameters.c_str(), nullptr, &handle) !=
      0) {
    return api->Failure("read the training rows");
  }
  auto out = std::make_shared<LightGbmDataset>(api, handle);
  const auto rows = static_cast<int>(frame.rows());
  std::vector<float> values;
  if (frame.task == model::Task::kRegression) {
    values.assign(frame.target.begin(), frame.target.end());
  } else {
    values.assign(frame.label.begin(), frame.label.end());
  }
  if (api->DatasetSetField(handle, "label", values.data(), rows, kFloat32) != 0) {
    return api->Failure("take the target");
  }
  if (!frame.FitWeight().empty()) {
    values.assign(frame.FitWeight().begin(), frame.FitWeight().end());
    if (api->DatasetSetField(handle, "weight", values.data(), rows, kFloat32) != 0) {
      return api->Failure("take the weights");
    }
  }
  return out;
}

Result<std::shared_ptr<LightGbmDataset>> LightGbmDataset::Subset(
    std::span<const uint32_t> rows, const std::string& parameters) const {
  api_->Silence();
  const std::vector<int32_t> index(rows.begin(), rows.end());
  void* handle = nullptr;
  if (api_->DatasetGetSubset(handle_, index.data(), static_cast<int32_t>(index.size()),
                             parameters.c_str(), &handle) != 0) {
    return api_->Failure("take a part of the training rows");
  }
  return std::make_shared<LightGbmDataset>(api_, handle);
}

}  // namespace headrace::learn
