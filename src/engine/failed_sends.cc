#include "engine/failed_sends.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "data/quote.h"

namespace headrace::engine {

std::string FailedSendsOf(const std::string& action) { return action + "__failed"; }

std::string FailedSendsSql(const std::vector<store::SendRecord>& sends) {
  std::string values;
  for (const store::SendRecord& send : sends) {
    const Timestamp tried = send.result != 0 ? send.result : send.intent;
    values +=
        fmt::format("{}({}, {}, {}, {}, {}, TIMESTAMPTZ {}, {})", values.empty() ? "" : ", ",
                    data::QuoteLiteral(send.key), data::QuoteLiteral(send.idempotency_key),
                    send.status == store::SendStatus::kFailed ? "'failed'" : "'in doubt'",
                    send.attempts, data::QuoteLiteral(send.run),
                    data::QuoteLiteral(FormatTimestamp(tried)), data::QuoteLiteral(send.detail));
  }
  if (values.empty()) values = "('', '', '', 0, '', TIMESTAMPTZ '2000-01-01T00:00:00Z', '')";
  return "SELECT * FROM (VALUES " + values +
         ") AS t(key, idempotency_key, status, attempts, run, tried_at, detail)" +
         (sends.empty() ? " WHERE false" : "");
}

}  // namespace headrace::engine
