// Sends of actions: at least once, with a key that lets the receiver make it exactly once.
//
// A row of `sends` is one generation of a key. It is `intent` from the commit before the send to
// the commit after it; found as `intent` by a later run, it may or may not have arrived and is sent
// again under the same idempotency key. `again_after` opens the next generation, which has another
// idempotency key. Keys are computed, not drawn: a run that was killed and repeated sends the
// same set of keys as a run that was not.
#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/hash.h"
#include "store/record_text.h"
#include "store/sqlite_store.h"

namespace headrace::store {

namespace {

/// The newest generation of a key.
struct Last {
  bool exists = false;
  int generation = 0;
  SendStatus status = SendStatus::kIntent;
  int attempts = 0;
  Timestamp result = 0;
  std::string idempotency_key;
};

Result<Last> ReadLast(Connection& connection, const std::string& target, const std::string& action,
                      const std::string& key) {
  Last last;
  HR_TRY(connection
             .Query("SELECT generation, status, attempts, result_at, idempotency_key FROM sends "
                    "WHERE target = ? AND action = ? AND key = ? ORDER BY generation DESC LIMIT 1",
                    target, action, key)
             .ForEach([&](const Statement& row) {
               last = {true,
                       static_cast<int>(row.Int(0)),
                       SendStatusFrom(row.Text(1)),
                       static_cast<int>(row.Int(2)),
                       row.Int(3),
                       row.Text(4)};
             }));
  return last;
}

IntentState StateOf(const Last& last, Timestamp now, int64_t again_after_micros) {
  if (!last.exists) return IntentState::kNew;
  switch (last.status) {
    case SendStatus::kIntent:
      return IntentState::kInDoubt;
    case SendStatus::kFailed:
      return IntentState::kRetryFailed;
    case SendStatus::kDryRun:
      return IntentState::kNew;
    case SendStatus::kSent:
      break;
  }
  const bool again = again_after_micros > 0 && now >= last.result + again_after_micros;
  return again ? IntentState::kNew : IntentState::kAlreadySent;
}

}  // namespace

Result<std::vector<IntentDecision>> SqliteStore::Decide(const Claim& claim, const std::string& run,
                                                        const std::string& action,
                                                        std::span<const std::string> keys,
                                                        int64_t again_after_micros, bool dry_run) {
  std::vector<IntentDecision> decisions;
  const Timestamp now = Now();
  const std::string_view status = Text(dry_run ? SendStatus::kDryRun : SendStatus::kIntent);
  HR_TRY(WriteClaimed(claim, [&](Connection& connection) -> Status {
    decisions.reserve(keys.size());
    for (const std::string& key : keys) {
      HR_ASSIGN(const Last last, ReadLast(connection, claim.target, action, key));
      IntentDecision decision;
      decision.state = StateOf(last, now, again_after_micros);
      decision.idempotency_key = last.idempotency_key;
      decision.attempts = last.attempts;
      if (decision.state == IntentState::kAlreadySent) decision.sent = last.result;
      const bool next = decision.state == IntentState::kNew && last.status == SendStatus::kSent;
      const int generation = last.generation + (next ? 1 : 0);
      if (!last.exists || next) {
        decision.idempotency_key = Hasher()
                                       .Add(options_.project)
                                       .Add(claim.target)
                                       .Add(action)
                                       .Add(key)
                                       .Add(int64_t{generation})
                                       .Finish()
                                       .Hex();
        decision.attempts = 0;
      }
      const bool write = dry_run ? decision.state == IntentState::kNew
                                 : decision.state != IntentState::kAlreadySent;
      if (write) {
        if (!dry_run) ++decision.attempts;
        HR_TRY(connection.Run(
            "INSERT INTO sends (target, action, key, generation, idempotency_key, status, "
            "attempts, run, intent_at, result_at, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')"
            " ON CONFLICT DO UPDATE SET status = excluded.status, attempts = excluded.attempts, "
            "run = excluded.run, intent_at = excluded.intent_at, result_at = 0",
            claim.target, action, key, generation, decision.idempotency_key, status,
            decision.attempts, run, now));
      }
      decisions.push_back(std::move(decision));
    }
    return Ok();
  }));
  return decisions;
}

Result<std::vector<IntentDecision>> SqliteStore::RecordIntents(const Claim& claim,
                                                               const std::string& run,
                                                               const std::string& action,
                                                               std::span<const std::string> keys,
                                                               int64_t again_after_micros) {
  CrashPoint("action.intent.before");
  HR_ASSIGN(std::vector<IntentDecision> decisions,
            Decide(claim, run, action, keys, again_after_micros, /*dry_run=*/false));
  CrashPoint("action.intent.after");
  return decisions;
}

Result<std::vector<IntentDecision>> SqliteStore::RecordDryRun(const Claim& claim,
                                                              const std::string& run,
                                                              const std::string& action,
                                                              std::span<const std::string> keys,
                                                              int64_t again_after_micros) {
  return Decide(claim, run, action, keys, again_after_micros, /*dry_run=*/true);
}

Status SqliteStore::RecordResults(const Claim& claim, const std::string& action,
                                  std::span<const SendResult> results) {
  CrashPoint("action.result.before");
  const Timestamp now = Now();
  HR_TRY(WriteClaimed(claim, [&](Connection& connection) -> Status {
    for (const SendResult& result : results) {
      HR_ASSIGN(const Last last, ReadLast(connection, claim.target, action, result.key));
      if (!last.exists || last.status != SendStatus::kIntent) {
        return InternalError(
            fmt::format("action '{}': a result for a key without an intent", action));
      }
      HR_TRY(connection.Run(
          "UPDATE sends SET status = ?, result_at = ?, detail = ? WHERE target = ? AND action = ? "
          "AND key = ? AND generation = ?",
          Text(result.status), result.status == SendStatus::kIntent ? 0 : now, Mask(result.detail),
          claim.target, action, result.key, last.generation));
    }
    return Ok();
  }));
  CrashPoint("action.result.after");
  return Ok();
}

Result<std::vector<SendRecord>> SqliteStore::ListSends(const std::string& target,
                                                       const std::string& action,
                                                       std::optional<SendStatus> status, int n) {
  std::vector<SendRecord> sends;
  const std::string wanted = status ? std::string(Text(*status)) : std::string();
  HR_TRY(Read([&](Connection& connection) {
    return connection
        .Query(
            "SELECT key, generation, idempotency_key, status, attempts, run, intent_at, "
            "result_at, detail FROM sends WHERE target = ?1 AND action = ?2 AND (?3 = '' OR "
            "status = ?3) ORDER BY intent_at DESC, key, generation DESC LIMIT ?4",
            target, action, wanted, n)
        .ForEach([&](const Statement& row) {
          SendRecord send;
          send.action = action;
          send.key = row.Text(0);
          send.generation = static_cast<int>(row.Int(1));
          send.idempotency_key = row.Text(2);
          send.status = SendStatusFrom(row.Text(3));
          send.attempts = static_cast<int>(row.Int(4));
          send.run = row.Text(5);
          send.intent = row.Int(6);
          send.result = row.Int(7);
          send.detail = row.Text(8);
          sends.push_back(std::move(send));
        });
  }));
  return sends;
}

}  // namespace headrace::store
