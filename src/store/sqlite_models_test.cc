#include "store/store_fixture.h"

namespace headrace::store {
namespace {

class StoreModelsTest : public StoreTest {
 protected:
  void Train(int version, ModelStatus status) {
    NodeCommit commit = Commit("churn", "");
    commit.kind = "model";
    commit.fingerprint = "fp" + std::to_string(version);
    ModelVersion model;
    model.model = "churn";
    model.version = version;
    model.status = status;
    model.fingerprint = commit.fingerprint;
    model.content_hash = "hash";
    model.package = "models/churn/" + std::to_string(version);
    model.training = {"features", "b" + std::to_string(version)};
    model.rows = 100;
    model.metrics = R"({"roc_auc":0.84})";
    commit.model = model;
    Must(store_->CommitNode(claim(), commit));
  }
  int Champion() {
    const auto champion = Must(store_->ResolveModel("dev", "churn", "champion"));
    return champion ? champion->version : 0;
  }
  ModelStatus StatusOf(int version) {
    return Must(store_->ResolveModel("dev", "churn", std::to_string(version)))->status;
  }
};

TEST_F(StoreModelsTest, VersionsAndTheChampion) {
  Begin();
  EXPECT_EQ(Must(store_->NextModelVersion("dev", "churn")), 1);
  Train(1, ModelStatus::kChampion);
  EXPECT_EQ(Must(store_->NextModelVersion("dev", "churn")), 2);
  Train(2, ModelStatus::kRefused);
  EXPECT_EQ(Champion(), 1);
  Train(3, ModelStatus::kChampion);
  EXPECT_EQ(Champion(), 3);
  EXPECT_EQ(StatusOf(1), ModelStatus::kRetired);
  EXPECT_EQ(StatusOf(2), ModelStatus::kRefused);

  const auto refused = Must(store_->FindModelVersion("dev", "churn", "fp2"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, ModelStatus::kRefused);
  EXPECT_EQ(refused->training, (BuildRef{"features", "b2"}));
  EXPECT_EQ(refused->run, "run1");
  EXPECT_EQ(refused->metrics, R"({"roc_auc":0.84})");
  EXPECT_FALSE(Must(store_->FindModelVersion("dev", "churn", "fp9")));
  EXPECT_FALSE(Must(store_->ResolveModel("dev", "churn", "99")));
  EXPECT_FALSE(Must(store_->ResolveModel("prod", "churn", "champion")));

  const std::vector<ModelVersion> versions = Must(store_->ListModelVersions("dev", ""));
  ASSERT_EQ(versions.size(), 3u);
  EXPECT_EQ(versions[0].version, 3);
}

TEST_F(StoreModelsTest, AVersionIsCommittedOnce) {
  Begin();
  Train(1, ModelStatus::kCandidate);
  NodeCommit again = Commit("churn", "");
  again.model = Must(store_->ResolveModel("dev", "churn", "1"));
  EXPECT_EQ(CodeOf(store_->CommitNode(claim(), again)), "internal");
}

TEST_F(StoreModelsTest, PromoteMovesOneStatusAtATime) {
  Begin();
  Train(1, ModelStatus::kChampion);
  Train(2, ModelStatus::kChallenger);
  ASSERT_OK(store_->Promote(claim(), "churn", "champion", 2, "ada", "looks better"));
  EXPECT_EQ(Champion(), 2);
  EXPECT_FALSE(Must(store_->ResolveModel("dev", "churn", "challenger")));
  ASSERT_OK(store_->Promote(claim(), "churn", "shadow", 1, "ada", "to watch"));
  EXPECT_EQ(StatusOf(1), ModelStatus::kShadow);
  EXPECT_EQ(Must(store_->ListAliases("dev", "churn")).size(), 2u);

  const std::vector<ModelMove> moves = Must(store_->ListMoves("dev", "churn", 10));
  ASSERT_EQ(moves.size(), 4u);
  EXPECT_EQ(moves[1].alias, "champion");
  EXPECT_EQ(moves[1].from, 1);
  EXPECT_EQ(moves[1].to, 2);
  EXPECT_EQ(moves[1].who, "ada");
  EXPECT_EQ(moves[1].why, "looks better");
}

TEST_F(StoreModelsTest, RollbackPinsUntilANewVersionPasses) {
  Begin();
  Train(1, ModelStatus::kChampion);
  Train(2, ModelStatus::kChampion);
  Train(3, ModelStatus::kChampion);
  EXPECT_EQ(Must(store_->Rollback(claim(), "churn", 0, "ada", "bad scores")), 2);
  EXPECT_TRUE(Must(store_->ListAliases("dev", "churn"))[0].pinned);
  EXPECT_EQ(Must(store_->Rollback(claim(), "churn", 0, "ada", "still bad")), 1);
  EXPECT_EQ(Champion(), 1);
  EXPECT_EQ(StatusOf(3), ModelStatus::kRetired);
  EXPECT_EQ(CodeOf(store_->Rollback(claim(), "churn", 0, "ada", "")), "no_older_champion");
  Train(4, ModelStatus::kRefused);
  EXPECT_TRUE(Must(store_->ListAliases("dev", "churn"))[0].pinned);
  Train(5, ModelStatus::kChampion);
  EXPECT_FALSE(Must(store_->ListAliases("dev", "churn"))[0].pinned);
  EXPECT_EQ(Champion(), 5);
}

TEST_F(StoreModelsTest, WrongNamesSayWhatThereIs) {
  Begin();
  Train(1, ModelStatus::kChampion);
  const Status version = store_->Promote(claim(), "churn", "champion", 7, "", "");
  ASSERT_FALSE(version.ok());
  EXPECT_EQ(Render(version.error()),
            "error[unknown_version]: model 'churn' has no version 7\n"
            "  hint: its newest versions are 1");
  EXPECT_EQ(CodeOf(store_->Promote(claim(), "chrun", "champion", 1, "", "")), "unknown_version");
  EXPECT_EQ(CodeOf(store_->Promote(claim(), "churn", "champoin", 1, "", "")), "unknown_alias");
  EXPECT_EQ(CodeOf(store_->Rollback(claim(), "none", 0, "", "")), "no_older_champion");
}

}  // namespace
}  // namespace headrace::store
