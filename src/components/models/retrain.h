#pragma once
// `retrain:`: whether a changed input leads to a new training now. Design §3 "Models: retrain".
#include <optional>
#include <string>

#include "components/models/model_options.h"
#include "model/package.h"
#include "pipeline/component.h"

namespace headrace::components {

/// What is known without reading rows: sets `keep` while `every` isn't over, `changed` when it is
/// and rows have changed since. `champion` may be null.
void ProbeRetrain(const ModelOptions& options, const pipeline::ProbeContext& context,
                  const store::ModelVersion* champion, pipeline::Probe* probe);

struct RetrainAdvice {
  bool train = true;
  std::string reason;  ///< with the numbers; may be empty
};
/// Reads the rows if `rows` has to be judged. A changed definition and --full always train.
Result<RetrainAdvice> AdviseRetrain(const ModelOptions& options, const learn::ModelSpec& spec,
                                    pipeline::BuildContext& context,
                                    const store::ModelVersion& champion,
                                    const model::Package& package);

/// When a duration after `start` is over; months by the calendar (31 January + 1 month = the last
/// of February).
Timestamp After(Timestamp start, const spec::Duration& duration);

}  // namespace headrace::components
