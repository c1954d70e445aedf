// Processes are forked before any thread runs (beats are off, except in one test).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>

#include "store/sqlite_store.h"
#include "store/store_fixture.h"

namespace headrace::store {
namespace {

/// Runs `turn` at every sleep, after turning the clock.
class TurningClock : public ManualClock {
 public:
  using ManualClock::ManualClock;
  void SleepMicros(int64_t micros) const override {
    ManualClock::SleepMicros(micros);
    if (turn) turn();
  }
  std::function<void()> turn;
};

/// The machine's clock, with naps of 0.2 ms whatever is asked for.
class HastyClock : public Clock {
 public:
  Timestamp Now() const override { return SystemClock().Now(); }
  int64_t MonotonicNanos() const override { return SystemClock().MonotonicNanos(); }
  void SleepMicros(int64_t) const override { usleep(200); }
};

/// A pipe, for processes to tell each other that they are ready.
class Signal {
 public:
  Signal() { EXPECT_EQ(pipe(ends_), 0); }
  ~Signal() {
    for (const int end : ends_) close(end);
  }
  void Send(char byte = 'x') { EXPECT_EQ(write(ends_[1], &byte, 1), 1); }
  char Wait() {
    char byte = 0;
    EXPECT_EQ(read(ends_[0], &byte, 1), 1);
    return byte;
  }

 private:
  int ends_[2];
};

// Forking is dear under the sanitizers.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRaces = 20;
#else
constexpr int kRaces = 200;
#endif

class StoreLeaseTest : public StoreTest {
 protected:
  std::unique_ptr<Lease> Acquire(Store& store, const std::string& run) {
    return Must(store.AcquireLease("dev", run, LeaseOptions()));
  }
  /// Runs `work` in a child process, which ends with its answer.
  static pid_t Fork(const std::function<int()>& work) {
    const pid_t child = fork();
    if (child == 0) _exit(work());
    return child;
  }
  static int Join(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

TEST_F(StoreLeaseTest, EpochsGrowAndTargetsAreApart) {
  store_ = OpenStore();
  std::unique_ptr<Lease> lease = Acquire(*store_, "run1");
  EXPECT_EQ(lease->claim().epoch, 1);
  EXPECT_TRUE(std::filesystem::exists(options_.folder + "/lease/dev.1.lock"));
  const LeaseHolder holder = *Must(store_->ReadLease("dev"));
  EXPECT_EQ(holder.run, "run1");
  EXPECT_EQ(holder.pid, getpid());
  EXPECT_EQ(holder.since, clock_.Now());
  const auto other = Must(store_->AcquireLease("prod", "run2", LeaseOptions()));
  EXPECT_EQ(other->claim().epoch, 1);
  ASSERT_OK(lease->Release());
  ASSERT_OK(lease->Release());
  EXPECT_FALSE(std::filesystem::exists(options_.folder + "/lease/dev.1.lock"));
  EXPECT_FALSE(Must(store_->ReadLease("dev")));
  lease = Acquire(*store_, "run3");
  EXPECT_EQ(lease->claim().epoch, 2);
}

TEST_F(StoreLeaseTest, NoWaitSaysWhoHoldsIt) {
  store_ = OpenStore();
  const std::unique_ptr<Lease> lease = Acquire(*store_, "run1");
  LeaseOptions options;
  options.no_wait = true;
  const auto second = OpenStore()->AcquireLease("dev", "run2", options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(ExitCode(second.error()), 1);
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  EXPECT_EQ(Render(second.error()),
            fmt::format("error[target_busy]: target 'dev' is in use by run run1 (process {} on {}, "
                        "since 2026-01-01T00:00:00Z)\n"
                        "  hint: run without --no-wait to wait for it",
                        getpid(), host));
}

TEST_F(StoreLeaseTest, WaitsUntilItIsReleased) {
  store_ = OpenStore();
  std::unique_ptr<Lease> first = Acquire(*store_, "run1");
  int told = 0;
  LeaseOptions options;
  options.on_wait = [&](const LeaseHolder& holder) {
    EXPECT_EQ(holder.run, "run1");
    ++told;
    Must(first->Release());
  };
  const std::unique_ptr<Store> other = OpenStore();
  const auto second = Must(other->AcquireLease("dev", "run2", options));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(second->claim().epoch, 2);
}

TEST_F(StoreLeaseTest, AHangingHolderIsOvertaken) {
  store_ = OpenStore();
  const std::unique_ptr<Lease> hangs = Acquire(*store_, "run1");
  const Timestamp start = clock_.Now();
  const std::unique_ptr<Lease> next = Acquire(*store_, "run2");
  EXPECT_EQ(next->claim().epoch, 2);
  EXPECT_NEAR(static_cast<double>(clock_.Now() - start), 10e6, 0.2e6);
  const Status lost = store_->CommitNode(hangs->claim(), Commit("a", "b1"));
  EXPECT_EQ(CodeOf(lost), "lease_lost");
  EXPECT_EQ(lost.error().message.find("this run lost target 'dev' to run run2 (process"), 0u);
  // Letting go of a lost lease doesn't hurt the new holder.
  ASSERT_OK(hangs->Release());
  ASSERT_OK(store_->CheckClaim(next->claim()));
}

TEST_F(StoreLeaseTest, ABeatingHolderIsNotOvertaken) {
  TurningClock clock(clock_.Now());
  options_.clock = &clock;
  store_ = OpenStore();
  const std::unique_ptr<Lease> lease = Acquire(*store_, "run1");
  LeaseOptions options;
  const Timestamp end = clock.Now() + 60'000'000;
  const std::string file = options_.folder + "/lease/dev.1.lock";
  clock.turn = [&] {
    Must(RealFileSystem().Write(file, fmt::format("{:020}", clock.Now())));
    if (clock.Now() > end) options.cancel.Cancel();
  };
  EXPECT_EQ(CodeOf(store_->AcquireLease("dev", "run2", options)), "cancelled");
}

TEST_F(StoreLeaseTest, TheWaitersOwnSleepIsNotTheHolders) {
  TurningClock clock(clock_.Now());
  options_.clock = &clock;
  store_ = OpenStore();
  const std::unique_ptr<Lease> lease = Acquire(*store_, "run1");
  int looks = 0;
  clock.turn = [&] {
    clock.Advance(3600'000'000);  // the machine was asleep
    ++looks;
  };
  const std::unique_ptr<Lease> next = Acquire(*store_, "run2");
  EXPECT_GE(looks, 10);
}

TEST_F(StoreLeaseTest, TheHeartBeats) {
  options_.beat_micros = 1000;
  store_ = OpenStore();
  const std::unique_ptr<Lease> lease = Acquire(*store_, "run1");
  const std::string file = options_.folder + "/lease/dev.1.lock";
  const std::string before = Must(RealFileSystem().Read(file));
  EXPECT_EQ(before.size(), 20u);
  while (Must(RealFileSystem().Read(file)) == before) usleep(200);
}

TEST_F(StoreLeaseTest, ADeadHolderIsOvertakenAtOnce) {
  Signal ready;
  const pid_t child = Fork([&] {
    const std::unique_ptr<Store> store = OpenStore();
    const std::unique_ptr<Lease> lease = Acquire(*store, "run1");
    ready.Send();
    pause();
    return 0;
  });
  ready.Wait();
  store_ = OpenStore();
  LeaseOptions options;
  options.no_wait = true;
  EXPECT_EQ(CodeOf(store_->AcquireLease("dev", "run2", options)), "target_busy");
  kill(child, SIGKILL);
  Join(child);
  const Timestamp start = clock_.Now();
  const auto next = Must(store_->AcquireLease("dev", "run2", options));
  EXPECT_EQ(next->claim().epoch, 2);
  EXPECT_EQ(clock_.Now(), start);
  EXPECT_FALSE(std::filesystem::exists(options_.folder + "/lease/dev.1.lock"));
}

TEST_F(StoreLeaseTest, AStoppedHolderWritesNothingWhenItWakes) {
  Signal ready;
  const pid_t child = Fork([&] {
    const std::unique_ptr<Store> store = OpenStore();
    const std::unique_ptr<Lease> lease = Acquire(*store, "run1");
    RunRecord run;
    run.id = "run1";
    Must(store->BeginRun(lease->claim(), run));
    ready.Send();
    raise(SIGSTOP);
    const Status commit = store->CommitNode(lease->claim(), Commit("a", "b1"));
    const std::vector<std::string> keys = {"1"};
    const auto send = store->RecordIntents(lease->claim(), "run1", "calls", keys, 0);
    return CodeOf(commit) == "lease_lost" && CodeOf(send) == "lease_lost" ? 42 : 1;
  });
  ready.Wait();
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  ASSERT_TRUE(WIFSTOPPED(status));
  Begin("run2");
  EXPECT_EQ(claim().epoch, 2);
  ASSERT_OK(store_->CommitNode(claim(), Commit("a", "b2", "run2")));
  kill(child, SIGCONT);
  EXPECT_EQ(Join(child), 42);
  EXPECT_EQ(Must(store_->ReadNode("dev", "a"))->snapshot->build, "b2");
  EXPECT_EQ(Must(store_->ReadRun("dev", "run1")).status, RunStatus::kLost);
  ASSERT_OK(store_->CheckClaim(claim()));
}

TEST_F(StoreLeaseTest, OfTwoThatRaceOneHoldsIt) {
  // Each takes the lease, alone makes and removes a file, and dies holding the lease.
  HastyClock hasty;
  options_.clock = &hasty;
  OpenStore();
  const std::string alone = root_ + "/alone";
  auto work = [&] {
    const std::unique_ptr<Store> store = OpenStore();
    const std::unique_ptr<Lease> lease = Acquire(*store, "run");
    const int file = open(alone.c_str(), O_CREAT | O_EXCL, 0600);
    const bool claimed = store->CheckClaim(lease->claim()).ok();
    const bool removed = unlink(alone.c_str()) == 0;
    _exit(file >= 0 && claimed && removed ? 0 : 1);
  };
  for (int i = 0; i < kRaces; ++i) {
    const pid_t first = Fork([&]() -> int {
      work();
      return 1;
    });
    const pid_t second = Fork([&]() -> int {
      work();
      return 1;
    });
    ASSERT_EQ(Join(first), 0);
    ASSERT_EQ(Join(second), 0);
  }
  EXPECT_EQ(Must(OpenStore()->ReadLease("dev"))->epoch, 2 * kRaces);
}

TEST_F(StoreLeaseTest, OfThreeThatStartAtOnceOneWins) {
  for (int round = 0; round < kRaces / 6; ++round) {
    Signal start, answers, end;
    auto work = [&]() -> int {
      const std::unique_ptr<Store> store = OpenStore();  // new in the first round
      LeaseOptions options;
      options.no_wait = true;
      start.Wait();
      const auto lease = store->AcquireLease("dev", "run", options);
      answers.Send(lease.ok() ? 'W' : CodeOf(lease) == "target_busy" ? 'B' : 'E');
      end.Wait();
      _exit(0);  // a winner dies with its lease: the next round takes it from a dead one
    };
    pid_t children[3];
    for (pid_t& child : children) child = Fork(work);
    for (int i = 0; i < 3; ++i) start.Send();
    std::string all;
    for (int i = 0; i < 3; ++i) all += answers.Wait();
    std::sort(all.begin(), all.end());
    for (int i = 0; i < 3; ++i) end.Send();
    for (const pid_t child : children) Join(child);
    ASSERT_EQ(all, "BBW");
  }
}

TEST_F(StoreLeaseTest, AWriterThatIsStoppedIsNamed) {
  options_.busy_timeout_micros = 1000;
  OpenStore();
  const pid_t child = Fork([&] {
    auto store = Must(SqliteStore::Open(options_, Migrations()));
    (void)store->Write([](Connection&) -> Status {
      raise(SIGSTOP);
      return Ok();
    });
    return 0;
  });
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  store_ = OpenStore();
  const auto lease = store_->AcquireLease("dev", "run", LeaseOptions());
  EXPECT_EQ(CodeOf(lease), "store_busy");
  const std::string text = Render(lease.error());
  if (std::filesystem::exists("/proc/locks")) {
    EXPECT_NE(text.find(fmt::format("process {} (", child)), std::string::npos) << text;
    EXPECT_NE(text.find(fmt::format("kill -CONT {}", child)), std::string::npos) << text;
  }
  kill(child, SIGKILL);
  Join(child);
  ASSERT_OK(store_->AcquireLease("dev", "run", LeaseOptions()));
}

}  // namespace
}  // namespace headrace::store
