// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "farm/protocol/codec.h"
#include "tests/core/seed.h"

namespace lockstep::farm {
namespace {

std::vector<HeldAttempt> some_held() { return {{"job", {"farm", 1, 2}, HeldState::kRunning, 10, 20}}; }

JobSpec some_job() {
  JobSpec job;
  job.id = "a1b2";
  job.title = "boot default";
  job.argv = {"{lockstep}", "--append", "x y\xfe", "{scratch}/c"};
  job.limits = {1, 2, 3};
  job.judge = Judge::kExitStatus;
  job.groups = {{"g", Grade::kBehavioural}};
  job.needed_files = {"/k"};
  job.missing_hint = "make k";
  job.keep_lines = {"^A"};
  job.drop_lines = {"^B"};
  job.pass_codes = {0, -7};
  job.features = {{"jit", "off"}};
  job.skip_reason = "no";
  return job;
}

JobResult some_result() {
  JobResult r;
  r.status = JobStatus::kFail;
  r.message = "no";
  r.retryable = true;
  r.exit_code = 3;
  r.signal = 11;
  r.exit_reason = "guest-fail";
  r.guest_code = -1;
  r.observables = Observables{5, "a", "b", "c"};
  r.behaviour_sha256 = "d";
  r.wall_ms = 1;
  r.cpu_ms = 2;
  r.peak_rss_bytes = 3;
  r.log_excerpt = "log";
  r.artifacts = {{"console.log", "00", 3}};
  r.coverage = PlanCoverage{"plan 1", 3, {{"a.b", 7}, {"c", 1}}};
  return r;
}

std::vector<WorkerMessage> worker_messages() {
  const WorkerIdentity w{"worker-1", 2, 3};
  return {Hello{w, "host", 2, 4, some_held()}, Heartbeat{w, some_held()},
          ResultReport{w, "job", {"farm", 1, 2}, some_result()}, Goodbye{w, some_held()}};
}

std::vector<CoordinatorMessage> coordinator_messages() {
  const AttemptId id{"farm", 1, 2};
  return {Welcome{1, "farm", 5},
          HeartbeatAck{1},
          Reregister{2},
          Assign{1, id, some_job()},
          ResultAck{1, id, Disposition::kDuplicate},
          Cancel{1, id, "x"},
          Drain{1},
          Reject{1, "y"}};
}

std::vector<JournalEvent> journal_events() {
  const AttemptId id{"farm", 1, 2};
  return {EpochStarted{1, "farm"},
          JobAdded{some_job()},
          PlanCompleted{4},
          WorkerJoined{"w", 1, "h", 2},
          LeaseGranted{"j", id, "w", 1},
          AttemptLost{"j", id, "x"},
          AttemptFailed{"j", id, some_result()},
          ResultRecorded{"j", id, some_result()}};
}

// One input of any bytes: no decoder may crash, and what a decoder accepts must survive another round.
void decode_anything(std::string_view bytes) {
  if (auto m = decode_worker_message(bytes); m.ok()) {
    auto again = decode_worker_message(encode(*m));
    ASSERT_TRUE(again.ok()) << again.message();
    EXPECT_EQ(*again, *m);
  } else {
    EXPECT_FALSE(m.message().empty());
  }
  if (auto m = decode_coordinator_message(bytes); m.ok()) {
    auto again = decode_coordinator_message(encode(*m));
    ASSERT_TRUE(again.ok()) << again.message();
    EXPECT_EQ(*again, *m);
  }
  if (auto e = decode_journal_event(bytes); e.ok()) {
    auto again = decode_journal_event(encode(*e));
    ASSERT_TRUE(again.ok()) << again.message();
    EXPECT_EQ(*again, *e);
  }
}

TEST(Protocol, EveryMessageComesBackAsItWas) {
  for (const WorkerMessage& m : worker_messages()) {
    auto back = decode_worker_message(encode(m));
    ASSERT_TRUE(back.ok()) << back.message();
    EXPECT_EQ(*back, m);
  }
  for (const CoordinatorMessage& m : coordinator_messages()) {
    auto back = decode_coordinator_message(encode(m));
    ASSERT_TRUE(back.ok()) << back.message();
    EXPECT_EQ(*back, m);
  }
  for (const JournalEvent& e : journal_events()) {
    auto back = decode_journal_event(encode(e));
    ASSERT_TRUE(back.ok()) << back.message();
    EXPECT_EQ(*back, e);
  }
}

TEST(Protocol, BoundsAreEnforcedWithAReason) {
  const WorkerIdentity w{"worker-1", 2, 3};
  EXPECT_FALSE(decode_worker_message(std::string(kMaxMessageBytes + 1, 'x')).ok());
  EXPECT_FALSE(decode_worker_message("").ok());
  EXPECT_FALSE(decode_worker_message(encode(WorkerMessage(Hello{{"../w", 1, 1}, "h", 1, 1, {}}))).ok());
  EXPECT_FALSE(decode_worker_message(encode(WorkerMessage(Hello{w, "h", 0, 1, {}}))).ok());
  EXPECT_FALSE(decode_worker_message(encode(WorkerMessage(Hello{w, "h", 1, kMaxWindow + 1, {}}))).ok());
  EXPECT_FALSE(decode_worker_message(
                   encode(WorkerMessage(Heartbeat{w, std::vector<HeldAttempt>(kMaxHeldAttempts + 1, some_held()[0])})))
                   .ok());
  EXPECT_FALSE(
      decode_worker_message(encode(WorkerMessage(ResultReport{w, "j", {"../../etc", 1, 1}, some_result()}))).ok())
      << "the farm's name becomes part of a file name";
  EXPECT_FALSE(decode_coordinator_message(encode(CoordinatorMessage(Drain{0}))).ok());
}

TEST(Protocol, OtherVersionIsNamed) {
  // Field 1, the version, comes first in the encoding.
  std::string bytes = encode(WorkerMessage(Heartbeat{{"w", 1, 1}, {}}));
  bytes[1] = static_cast<char>(kProtocolVersion + 1);
  auto message = decode_worker_message(bytes);
  ASSERT_FALSE(message.ok());
  EXPECT_NE(message.message().find("version"), std::string::npos);
}

TEST(Protocol, CleanUtf8KeepsTextAndReplacesTheRest) {
  EXPECT_EQ(clean_utf8("gr\xc3\xbc\xc3\x9f", 100), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(clean_utf8("a\xff\xc3", 100), "a??");
  EXPECT_EQ(clean_utf8("\xed\xa0\x80", 100), "???") << "a surrogate";
  EXPECT_EQ(clean_utf8("abc\xc3\xbc", 2), "\xc3\xbc") << "the end is kept";
  EXPECT_EQ(clean_utf8("abc\xc3\xbc", 1), "") << "and never half a character";
}

// LOCKSTEP_SEED=N gives another sequence of inputs.
TEST(ProtocolFuzz, GarbageAndMutationsAreRefusedWithoutACrash) {
  const uint64_t seed = test::from_environment("LOCKSTEP_SEED", 1);
  SCOPED_TRACE("LOCKSTEP_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<std::string> corpus;
  for (const auto& m : worker_messages()) corpus.push_back(encode(m));
  for (const auto& m : coordinator_messages()) corpus.push_back(encode(m));
  for (const auto& e : journal_events()) corpus.push_back(encode(e));
  for (int i = 0; i < 60'000; ++i) {
    std::string input;
    if (i % 4 == 0) {
      input.resize(random() % 200);
      for (char& c : input) c = static_cast<char>(random());
    } else {
      input = corpus[random() % corpus.size()];
      const size_t edits = 1 + random() % 6;
      for (size_t k = 0; k < edits; ++k) {
        switch (random() % 4) {
          case 0:
            if (!input.empty()) input[random() % input.size()] = static_cast<char>(random());
            break;
          case 1:
            input.insert(random() % (input.size() + 1), 1, static_cast<char>(random()));
            break;
          case 2:
            if (!input.empty()) input.erase(random() % input.size(), 1 + random() % 4);
            break;
          default: {
            const std::string& other = corpus[random() % corpus.size()];
            input.insert(random() % (input.size() + 1), other.substr(random() % other.size()));
          }
        }
      }
    }
    decode_anything(input);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace lockstep::farm
