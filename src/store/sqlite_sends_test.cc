#include <set>

#include "store/store_fixture.h"

namespace headrace::store {
namespace {

class StoreSendsTest : public StoreTest {
 protected:
  std::vector<IntentDecision> Intend(const std::vector<std::string>& keys, int64_t again = 0) {
    return Must(store_->RecordIntents(claim(), "run1", "calls", keys, again));
  }
  void Finish(const std::string& key, SendStatus status) {
    const SendResult result{key, status, "HTTP 200"};
    Must(store_->RecordResults(claim(), "calls", {&result, 1}));
  }
  std::vector<SendRecord> All() {
    return Must(store_->ListSends("dev", "calls", std::nullopt, 100));
  }
};

TEST_F(StoreSendsTest, SentOnce) {
  Begin();
  const auto first = Intend({"1", "2"});
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].state, IntentState::kNew);
  EXPECT_EQ(first[0].attempts, 1);
  EXPECT_EQ(first[0].idempotency_key.size(), 32u);
  EXPECT_NE(first[0].idempotency_key, first[1].idempotency_key);
  Finish("1", SendStatus::kSent);
  const auto second = Intend({"1", "2"});
  EXPECT_EQ(second[0].state, IntentState::kAlreadySent);
  EXPECT_EQ(second[1].state, IntentState::kInDoubt);
  EXPECT_EQ(second[1].attempts, 2);
  EXPECT_EQ(second[1].idempotency_key, first[1].idempotency_key);
  EXPECT_EQ(Must(store_->ListSends("dev", "calls", SendStatus::kSent, 10)).size(), 1u);
  EXPECT_EQ(All().size(), 2u);
}

TEST_F(StoreSendsTest, KeysAreTheSameInEveryUndisturbedRun) {
  Begin();
  const std::string key = Intend({"1"})[0].idempotency_key;
  StoreOptions other = options_;
  other.folder = root_ + "/other";
  const std::unique_ptr<Store> twin = Must(OpenSqliteStore(other));
  const std::unique_ptr<Lease> lease = Must(twin->AcquireLease("dev", "x", LeaseOptions()));
  const std::vector<std::string> keys = {"1"};
  EXPECT_EQ(Must(twin->RecordIntents(lease->claim(), "x", "calls", keys, 0))[0].idempotency_key,
            key);
  EXPECT_NE(Must(twin->RecordIntents(lease->claim(), "x", "mails", keys, 0))[0].idempotency_key,
            key);
}

TEST_F(StoreSendsTest, AgainAfterOpensANewGeneration) {
  Begin();
  const auto first = Intend({"1"}, 100);
  Finish("1", SendStatus::kSent);
  clock_.Advance(99);
  EXPECT_EQ(Intend({"1"}, 100)[0].state, IntentState::kAlreadySent);
  clock_.Advance(1);
  const auto again = Intend({"1"}, 100);
  EXPECT_EQ(again[0].state, IntentState::kNew);
  EXPECT_EQ(again[0].attempts, 1);
  EXPECT_NE(again[0].idempotency_key, first[0].idempotency_key);
  // Killed here: the same generation goes on.
  const auto doubt = Intend({"1"}, 100);
  EXPECT_EQ(doubt[0].state, IntentState::kInDoubt);
  EXPECT_EQ(doubt[0].idempotency_key, again[0].idempotency_key);
  Finish("1", SendStatus::kSent);
  EXPECT_EQ(All().size(), 2u);
}

TEST_F(StoreSendsTest, RefusedOnesAreTriedAgainWithTheSameKey) {
  Begin();
  const auto first = Intend({"1"});
  Finish("1", SendStatus::kFailed);
  const auto second = Intend({"1"});
  EXPECT_EQ(second[0].state, IntentState::kRetryFailed);
  EXPECT_EQ(second[0].idempotency_key, first[0].idempotency_key);
  EXPECT_EQ(second[0].attempts, 2);
  EXPECT_EQ(All()[0].status, SendStatus::kIntent);
}

TEST_F(StoreSendsTest, DryRunsCountAsNeverSent) {
  Begin();
  Intend({"sent", "doubt"});
  Finish("sent", SendStatus::kSent);
  const std::vector<std::string> keys = {"sent", "doubt", "new"};
  const auto dry = Must(store_->RecordDryRun(claim(), "run1", "calls", keys, 0));
  EXPECT_EQ(dry[0].state, IntentState::kAlreadySent);
  EXPECT_EQ(dry[1].state, IntentState::kInDoubt);
  EXPECT_EQ(dry[2].state, IntentState::kNew);
  EXPECT_EQ(Must(store_->ListSends("dev", "calls", SendStatus::kDryRun, 10)).size(), 1u);
  const auto real = Intend({"new"});
  EXPECT_EQ(real[0].state, IntentState::kNew);
  EXPECT_EQ(real[0].attempts, 1);
  EXPECT_EQ(real[0].idempotency_key, dry[2].idempotency_key);
}

TEST_F(StoreSendsTest, AResultNeedsAnIntent) {
  Begin();
  const SendResult result{"1", SendStatus::kSent, ""};
  EXPECT_EQ(CodeOf(store_->RecordResults(claim(), "calls", {&result, 1})), "internal");
}

TEST_F(StoreSendsTest, AnswersAreMasked) {
  redactor_.AddSecret("topsecret");
  Begin();
  Intend({"1"});
  const SendResult result{"1", SendStatus::kFailed, "401 for topsecret"};
  ASSERT_OK(store_->RecordResults(claim(), "calls", {&result, 1}));
  EXPECT_EQ(All()[0].detail, "401 for ***");
}

TEST_F(StoreSendsTest, ManyKeysInOneTransaction) {
  Begin();
  std::vector<std::string> keys;
  for (int i = 0; i < 10'000; ++i) keys.push_back("customer " + std::to_string(i));
  const auto decisions = Intend(keys);
  std::set<std::string> distinct;
  for (const IntentDecision& decision : decisions) distinct.insert(decision.idempotency_key);
  EXPECT_EQ(distinct.size(), keys.size());
}

}  // namespace
}  // namespace headrace::store
