#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/arrow_abi.h"

namespace headrace::model {

/// Arrow arrays of whole columns without NULLs, for batches built from vectors.
ArrowArray DoubleColumn(std::vector<double> values);
ArrowArray Int64Column(std::vector<int64_t> values);
/// BOOLEAN, TINYINT … UBIGINT or VARCHAR: texts[codes[i]]. The texts of a whole-number type must be
/// numbers in its range, those of BOOLEAN true or false.
Result<ArrowArray> CodedColumn(const std::string& type, const std::vector<std::string>& texts,
                               const std::vector<int32_t>& codes);
/// Takes over the columns.
data::Batch BatchOf(std::vector<ArrowArray> columns, int64_t rows);

}  // namespace headrace::model
