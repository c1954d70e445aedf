#pragma once
#include <string>

#include "model/package.h"

namespace headrace::model {

/// card.md: what the model is for people, in Markdown.
std::string ModelCard(const Package& package);

/// The file by which MLflow tools know a model folder (YAML).
std::string MlflowFile(const Package& package);

}  // namespace headrace::model
