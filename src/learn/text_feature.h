#pragma once
// `features: {types: {comment: text}}`: counts of hashed words and pairs of words.
#include <memory>

#include "learn/feature_builder.h"

namespace headrace::learn {

/// At most this many buckets of one text become columns: those that occur in the most rows.
constexpr size_t kTextColumns = 256;
/// Memory of a row's text while it is read and encoded, for the budget.
constexpr int64_t kBytesOfText = 2 * 200 + 4 * static_cast<int64_t>(kTextColumns);

/// `column` is of class text.
std::unique_ptr<FeatureBuilder> MakeTextBuilder(const model::InputColumn& column, int input);

}  // namespace headrace::learn
