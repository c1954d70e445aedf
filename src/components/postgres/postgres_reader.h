#pragma once
// COPY (…) TO STDOUT (FORMAT binary) as batches. A thread of its own receives and decodes, so that
// the server, the decoding and what becomes of the rows go side by side.
#include <memory>
#include <string>
#include <vector>

#include "components/postgres/postgres_session.h"
#include "components/postgres/postgres_types.h"
#include "data/arrow_abi.h"

namespace headrace::components {

/// What a reader found on its way; read it when the reader is done.
struct PostgresProgress {
  int64_t rows = 0;
  /// By column: NUMERIC values that a DOUBLE does not hold to the last digit.
  std::vector<int64_t> rounded;
};

struct PostgresReaderOptions {
  std::string copy;  ///< the statement
  std::vector<PostgresField> fields;
  std::string shown;           ///< for errors: the connection
  bool check_utf8 = false;     ///< the server's encoding promises nothing
  int64_t expected_rows = -1;  ///< for progress
};

/// Begins the COPY. Session and progress must outlive the reader; nobody else uses the session
/// until the reader is at its end or destroyed (which leaves the session unusable when it was not
/// at its end).
Result<std::unique_ptr<data::BatchReader>> ReadPostgres(PostgresSession& session,
                                                        PostgresProgress& progress,
                                                        PostgresReaderOptions options);

/// A NUMERIC in its binary form (https://www.postgresql.org/docs/15/protocol.html: digits of base
/// 10,000). nullopt when it is NaN, infinite, or does not fit.
std::optional<__int128> DecodeDecimal(std::string_view bytes, int scale);
/// The nearest double; `exact` becomes false when a digit is lost.
double DecodeNumeric(std::string_view bytes, bool* exact);

}  // namespace headrace::components
