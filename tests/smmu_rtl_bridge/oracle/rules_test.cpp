// SPDX-License-Identifier: Apache-2.0
// Every rule of the judge, from both sides: a device that is right, or that uses the freedom, passes, and one that is
// wrong by just this much is found under the rule's name.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/smmu_rtl_bridge/oracle/small_world.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using Id = core_smmu::RegisterId;
using core_smmu::AccessKind;
using core_smmu::Words;
using Simple = core_smmu::SimpleWorld;

// `wrong` false: nothing may be found, and a freedom must have been used. True: `finds` must be found.
struct Case {
  const char* rule;
  const char* finds;
  std::function<void(SmallWorld&, bool wrong)> run;
  core_smmu::Config (*config)() = nullptr;
};

Words that_stalls(Words words) {
  core_smmu::set_field(words, 44, 44, 1);
  return words;
}
Words with_updates(Words words) {
  core_smmu::set_field(words, 43, 42, 3);
  return words;
}
constexpr uint64_t kLeaf = Simple::kPage | Simple::kStage1Leaf;
constexpr uint64_t kMoved = (Simple::kPage + 0x100000) | Simple::kStage1Leaf;
constexpr uint64_t kNoFlag = kLeaf & ~uint64_t{1 << 10};
constexpr uint64_t kUnmapped = SmallWorld::kInput + 0x40000;

// The device answers as though it had kept what memory was at the time of the call.
void keep(SmallWorld& w, uint64_t address, size_t size_bytes) {
  std::vector<uint8_t> old(size_bytes);
  w.memory.read(address, old.data(), size_bytes);
  w.stale_read = [=](uint64_t at, void* data, size_t size) {
    if (at > address || at + size < address + size_bytes) return false;
    std::memcpy(static_cast<uint8_t*>(data) + (address - at), old.data(), size_bytes);
    return true;
  };
}
void forget(SmallWorld& w, unsigned opcode) {
  w.forget_command = [=](const core_smmu::CommandWords& words) { return (words[0] & 0xff) == opcode; };
}
// The next event is lost without a trace.
void lose_event(SmallWorld& w) {
  w.change_write = [](uint64_t&, std::array<uint8_t, 64>&, size_t, AccessKind kind) {
    return kind == AccessKind::kEvent ? 0u : 1u;
  };
  w.lose_pulses = true;
  w.change_register = [](Id id, uint64_t& value) { value -= id == Id::kEventqProd; };
}

core_smmu::Config with_merging() {
  core_smmu::Config config = Simple::default_config();
  config.merge_events = true;
  return config;
}
core_smmu::Config one_stall() {
  core_smmu::Config config = Simple::default_config();
  config.stalled_transactions_max = 1;
  return config;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"answer-once", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         const uint64_t id = w.read();
         if (wrong) w.judge.answered(id, AccessEnd::kDone);
       }},
      {"answer-missing", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.hold_accesses = true;
         w.read();
         if (!wrong) w.release();
       }},
      {"answer-end", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         if (wrong) w.change_result = [](core_smmu::TranslateResult& r) { r.outcome = core_smmu::Outcome::kAbort; };
         w.read();
       }},
      {"forward-once", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.hold_downstream = true;
         w.read();
         if (wrong) w.judge.forwarded(w.downstream.front());
         w.release_downstream();
       }},
      {"forward-address", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         if (wrong) w.change_result = [](core_smmu::TranslateResult& r) { r.address ^= 0x40; };
         w.read();
       }},
      {"forward-attributes", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         if (wrong)
           w.change_result = [](core_smmu::TranslateResult& r) {
             r.attributes = core_smmu::device_attributes(core_smmu::DeviceType::kGRE);
           };
         w.read();
       }},
      {"forward-privilege", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         if (wrong) w.change_result = [](core_smmu::TranslateResult& r) { r.privileged = !r.privileged; };
         w.read();
       }},
      {"stale-stream-entry", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read();
         if (wrong) forget(w, 0x03);
         w.put_ste(Simple::bypass_ste());
         w.invalidate_ste();
         w.sync();
         w.read();
       }},
      {"stale-context", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read(kUnmapped);
         if (wrong) forget(w, 0x05);
         Words words = Simple::cd(w.root);
         core_smmu::set_field(words, 46, 46, 0);  // reads as zero
         w.put_cd(words);
         w.invalidate_cd();
         w.sync();
         w.read(kUnmapped);
       }},
      {"stale-translation", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read();
         if (wrong) forget(w, 0x12);
         w.put64(w.place, kMoved);
         w.invalidate_page();
         w.sync();
         w.read();
       }},
      {"fault-cached", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start(0);
         w.read();
         if (wrong) keep(w, w.place, 8);
         w.put64(w.place, kLeaf);
         w.read();
       }},
      {"sync-waits", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read();
         w.quiet_downstream = !wrong;
         w.hold_downstream = true;
         w.read();
         w.put64(w.place, kMoved);
         w.invalidate_page();
         w.sync();
         w.release_downstream();
         w.smmu.resume_commands();
       }},
      {"sync-events", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         core_smmu::EventRecord late{};
         if (wrong) {
           lose_event(w);
           w.change_write = [&](uint64_t&, std::array<uint8_t, 64>& data, size_t, AccessKind kind) {
             if (kind == AccessKind::kEvent) std::memcpy(late.data(), data.data(), sizeof late);
             return kind == AccessKind::kEvent ? 0u : 1u;
           };
         }
         w.read(kUnmapped);
         w.sync();
         if (wrong) w.judge.device_wrote(kEventQueue, late.data(), sizeof late, w.queue_attributes(), false);
         w.change_write = nullptr;
       }},
      {"update-missing", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start(kNoFlag, with_updates);
         if (wrong) w.change_exchange = [](uint64_t& desired) { desired &= ~uint64_t{1 << 10}; };
         w.read();
       }},
      {"update-unexpected", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start(kNoFlag, with_updates);
         if (wrong) {
           w.judge.device_exchanged(w.place, kNoFlag, kNoFlag | 1 << 10, {}, true, false);
           w.memory.put64(w.place, kNoFlag | 1 << 10);
         } else {
           w.read();
         }
       }},
      {"event-missing", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         if (wrong) lose_event(w);
         w.read(kUnmapped);
       }},
      {"event-unexpected", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read(kUnmapped);
         if (!wrong) return;
         const std::vector<core_smmu::EventRecord> events = w.take_events();
         w.judge.device_wrote(kEventQueue + 32, events[0].data(), 32, w.queue_attributes(), false);
       }},
      {"event-field", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         if (wrong)
           w.change_write = [](uint64_t&, std::array<uint8_t, 64>& data, size_t, AccessKind kind) {
             if (kind == AccessKind::kEvent) data[12] ^= 2;  // PnU
             return 1u;
           };
         w.read(kUnmapped);
       }},
      {"event-slot", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         if (wrong)
           w.change_write = [](uint64_t& address, std::array<uint8_t, 64>&, size_t, AccessKind kind) {
             if (kind == AccessKind::kEvent) address += 32;
             return 1u;
           };
         w.read(kUnmapped);
       }},
      {"stall-tag", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start(kLeaf, that_stalls);
         w.read(kUnmapped);
         if (wrong)
           w.change_write = [](uint64_t&, std::array<uint8_t, 64>& data, size_t, AccessKind kind) {
             if (kind == AccessKind::kEvent) data[8] = 0;
             return 1u;
           };
         w.read(kUnmapped + 0x1000);
       }},
      {"stall-end", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start(kLeaf, that_stalls);
         const uint64_t id = w.read(kUnmapped);
         if (wrong) {
           w.judge.answered(id, AccessEnd::kAborted);
         } else {
           w.command(0x44 | uint64_t{3} << 32 | 1 << 13, 0);
         }
       }},
      {"command-illegal", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.command(0xff);
         if (wrong) w.change_register = [](Id id, uint64_t& value) { value += id == Id::kCmdqCons; };
         w.get(Id::kCmdqCons);
       }},
      {"command-stuck", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.put_words(kCommandQueue, {0x46, 0});
         if (wrong) {
           w.judge.register_written(0x98, 4, 1);
         } else {
           w.set(Id::kCmdqProd, 1);
         }
       }},
      {"command-order", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.put_words(kCommandQueue, {0x46, 0});
         if (wrong) {
           w.judge.register_written(0x98, 4, 1);
           w.judge.register_read(0x9c, 4, 1);
         } else {
           w.sync();
         }
       }},
      {"sync-signal", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.command(0x46 | 1 << 12);
         if (wrong) w.judge.pulsed(Wire::kCommandSync);
       }},
      {"sync-atc", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.command(0x40 | uint64_t{3} << 32, 0);
         if (wrong) {
           w.put_words(kCommandQueue + 16, {0x40 | uint64_t{3} << 32, 0, 0x46, 0});
           const uint64_t words[4] = {0x40 | uint64_t{3} << 32, 0, 0x46, 0};
           w.judge.register_written(0x98, 4, 3);
           w.judge.device_read(kCommandQueue + 16, words, 32, w.queue_attributes(), false);
           AtcInvalidation invalidation;
           invalidation.stream_id = 3;
           w.judge.atc_invalidated(invalidation);
           w.judge.register_read(0x9c, 4, 3);
           w.judge.atc_invalidation_done(false);
         }
         if (!wrong) w.sync();
       }},
      {"atc-invalidation", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.command(0x40 | uint64_t{3} << 32, 0);
         AtcInvalidation invalidation;
         invalidation.stream_id = 4;
         if (wrong) w.judge.atc_invalidated(invalidation);
         if (wrong) w.judge.atc_invalidation_done(false);
       }},
      {"ats-answer", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         Words words = Simple::stage1_ste();
         core_smmu::set_field(words, 64 + 29, 64 + 28, 1);
         w.put_ste(words, 4);
         if (wrong) w.change_ats = [](AtsAnswer& answer) { answer.write = !answer.write; };
         AtsQuestion question;
         question.stream_id = 4;
         question.address = SmallWorld::kInput;
         w.ask_ats(question);
       }},
      {"page-record", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.enable(core_smmu::kCr0PriQueueEnable);
         if (wrong)
           w.change_write = [](uint64_t&, std::array<uint8_t, 64>& data, size_t, AccessKind kind) {
             if (kind == AccessKind::kPageRequest) data[8] ^= 1;  // group
             return 1u;
           };
         PageQuestion question;
         question.stream_id = 3;
         question.address = 0x5000;
         question.last = question.read = true;
         w.ask_page(question);
       }},
      {"page-answer", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.command(0x41 | uint64_t{3} << 32, 2 << 12 | 5);
         if (wrong) w.judge.page_answered({3, 0, false, 6, 0});
       }},
      {"interrupt-missing", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.lose_pulses = wrong;
         w.read(kUnmapped);
       }},
      {"interrupt-unexpected", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read(kUnmapped);
         if (wrong) w.judge.pulsed(Wire::kEventQueue);
       }},
      {"message", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.set(Id::kIrqCtrl, 0);
         w.get(Id::kIrqCtrlAck);
         w.set(Id::kEventqIrqCfg0, 0x7000000);
         w.set(Id::kEventqIrqCfg1, 0x1234);
         w.set(Id::kIrqCtrl, 7);
         w.get(Id::kIrqCtrlAck);
         w.start();
         if (wrong)
           w.change_write = [](uint64_t&, std::array<uint8_t, 64>& data, size_t, AccessKind kind) {
             if (kind == AccessKind::kMsi) data[0] ^= 1;
             return 1u;
           };
         w.read(kUnmapped);
       }},
      {"fetch-enabled", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read();
         w.set(Id::kCr0, 0xc);
         if (!wrong) w.judge.device_read(w.place, &kLeaf, 8, w.queue_attributes(), false);
         w.get(Id::kCr0Ack);
         if (wrong) w.judge.device_read(w.place, &kLeaf, 8, w.queue_attributes(), false);
       }},
      {"fetch-attributes", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.wrong_attributes = wrong ? AccessKind::kStage1Descriptor : AccessKind::kCount;
         w.read();
       }},
      {"queue-attributes", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.wrong_attributes = wrong ? AccessKind::kEvent : AccessKind::kCount;
         w.read(kUnmapped);
       }},
      {"write-unexpected", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         const uint64_t nothing = 0;
         if (wrong) w.judge.device_wrote(0x9000, &nothing, 8, {}, false);
       }},
      {"register-value", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         if (wrong) w.change_register = [](Id id, uint64_t& value) { value ^= id == Id::kStrtabBaseCfg; };
         w.get(Id::kStrtabBaseCfg);
         w.get(Id::kIdr0);
         w.get(Id::kCr0);
       }},
      {"global-error", nullptr,
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.command(0xff);
         w.judge.quiet();
         if (wrong) w.change_register = [](Id id, uint64_t& value) { value ^= id == Id::kGerror; };
         w.get(Id::kGerror);
       }},
      {"may-keep-stream-entry", "stale-stream-entry",
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read();
         w.put_ste(Simple::bypass_ste());
         w.read();
         if (!wrong) return;
         forget(w, 0x03);
         w.invalidate_ste();
         w.sync();
         w.read();
       }},
      {"may-keep-context", "stale-context",
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read(kUnmapped);
         w.put_cd({});  // invalid, but what was kept is not
         w.read(kUnmapped);
         if (!wrong) return;
         forget(w, 0x05);
         w.invalidate_cd();
         w.sync();
         w.read(kUnmapped);
       }},
      {"may-keep-translation", "stale-translation",
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read();
         w.put64(w.place, 0);
         w.read();
         if (!wrong) return;
         forget(w, 0x12);
         w.invalidate_page();
         w.sync();
         w.read();
       }},
      // Without break-before-make: both, but nothing in between.
      {"may-see-change", "forward-address",
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.hold_downstream = true;
         w.read();
         w.put64(w.place, kMoved);
         if (wrong) w.downstream.front().address ^= 0x100000 ^ 0x200000;
         w.release_downstream();
         w.invalidate_page();
         w.sync();
       }},
      {"may-answer-for-group", "stale-translation",
       [](SmallWorld& w, bool wrong) {
         constexpr uint64_t kHint = uint64_t{1} << 52;
         w.start();
         const uint64_t first = SmallWorld::kInput & ~uint64_t{0xffff};
         uint64_t last = 0;
         for (uint64_t i = 0; i < 16; ++i)
           last = w.map(w.root, first + i * 4096, ((kLeaf & ~uint64_t{0xffff}) + i * 4096) | kHint | (kLeaf & 0xfff));
         w.command(0x30);
         w.sync();
         w.read(first);
         w.put64(last, 0);
         w.invalidate_page(first + 15 * 4096);
         w.sync();
         w.read(first);
         w.read(first + 15 * 4096);
         if (wrong) {
           for (uint64_t i = 0; i < 15; ++i) w.put64(last - 8 * (i + 1), 0);
           forget(w, 0x30);
           w.command(0x30);
           w.sync();
         }
         w.read(first + 15 * 4096);
       }},
      {"may-keep-regime", "forward-address",
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.read();
         const uint64_t other = w.new_table();
         w.map(other, SmallWorld::kInput, kMoved);
         w.put_cd(Simple::cd(other));
         w.invalidate_cd();
         w.sync();
         if (wrong) w.change_result = [](core_smmu::TranslateResult& r) { r.address ^= 0x100000 ^ 0x200000; };
         w.read();  // of the old tables, by the same ASID
       }},
      {"may-see-control-change", "answer-end",
       [](SmallWorld& w, bool wrong) {
         w.start();
         w.hold_accesses = true;
         w.read(kUnmapped);
         w.set(Id::kGbpa, core_smmu::kGbpaAbort | core_smmu::kGbpaUpdate);
         w.set(Id::kCr0, 0xc);
         if (wrong)
           w.change_result = [](core_smmu::TranslateResult& r) { r.outcome = core_smmu::Outcome::kZeroIgnored; };
         w.release();
       }},
      {"may-merge-events", "event-missing",
       [](SmallWorld& w, bool wrong) {
         Words words = Simple::stage1_ste();
         core_smmu::set_field(words, 64 + 19, 64 + 19, !wrong);
         w.start();
         w.put_ste(words, 5);
         w.read(kUnmapped, 5);
         if (wrong) lose_event(w);
         w.read(kUnmapped + 8, 5);
       },
       with_merging},
      {"may-lose-events", "event-missing",
       [](SmallWorld& w, bool wrong) {
         w.start();
         if (!wrong) w.set(Id::kCr0, 0x9);
         w.get(Id::kCr0Ack);
         if (wrong) lose_event(w);
         w.read(kUnmapped);
       }},
      {"may-hold-stalls", "answer-missing",
       [](SmallWorld& w, bool wrong) {
         w.start(kLeaf, that_stalls);
         w.read(kUnmapped);
         w.read(kUnmapped + 0x1000);
         if (!wrong) return;
         w.hold_accesses = true;
         w.read();
       },
       one_stall},
      {"may-set-access-flag", "update-unexpected",
       [](SmallWorld& w, bool wrong) {
         w.start(kNoFlag, with_updates);
         const uint64_t desired = wrong ? kNoFlag | 1 << 7 : kNoFlag | 1 << 10;
         w.judge.device_exchanged(w.place, kNoFlag, desired, {}, true, false);
         w.memory.put64(w.place, desired);
       }},
  };
  return kCases;
}

class OracleRules : public ::testing::TestWithParam<size_t> {
 protected:
  static void run(const Case& one, bool wrong) {
    JudgeProfile profile;
    profile.speculative_access_flag = std::string(one.rule) == "may-set-access-flag";
    SmallWorld world(one.config ? one.config() : Simple::default_config(), profile);
    one.run(world, wrong);
    world.rest();
    std::string text;
    bool found = false;
    for (const Failure& failure : world.judge.failures()) {
      text += std::string("\n  ") + failure.rule + ": " + failure.text;
      found = found || std::string(failure.rule) == (one.finds ? one.finds : one.rule);
    }
    if (wrong) {
      EXPECT_TRUE(found) << "not found: " << (one.finds ? one.finds : one.rule) << text;
      return;
    }
    EXPECT_TRUE(text.empty()) << one.rule << text;
    if (one.finds) {
      EXPECT_NE(world.judge.statistics().by_rule.count(one.rule), 0u) << one.rule << " was not used";
    }
  }
};

TEST_P(OracleRules, ARightDevicePasses) { run(cases()[GetParam()], false); }

TEST_P(OracleRules, AWrongDeviceIsFound) { run(cases()[GetParam()], true); }

INSTANTIATE_TEST_SUITE_P(Each, OracleRules, ::testing::Range(size_t{0}, cases().size()), [](const auto& one) {
  std::string name = cases()[one.param].rule;
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
});

TEST(OracleRuleTable, EveryRuleHasACaseAndAReason) {
  for (const RuleRow& rule : rules()) {
    EXPECT_EQ(&row(rule.rule), &rule) << rule.name << " is not in its place";
    EXPECT_GT(std::string(rule.reason).size(), 20u) << rule.name;
    bool has_case = false;
    for (const Case& one : cases()) has_case = has_case || std::string(one.rule) == rule.name;
    EXPECT_TRUE(has_case) << rule.name << " has no case in this file";
  }
}

// docs/oracle.md lists every rule with its reason, and none that is not there.
TEST(OracleRuleTable, DocumentListsTheRules) {
  std::ifstream file(LOCKSTEP_SOURCE_DIR "/docs/oracle.md");
  ASSERT_TRUE(file) << "docs/oracle.md cannot be read";
  std::stringstream text;
  text << file.rdbuf();
  size_t rows = 0;
  std::string line;
  while (std::getline(text, line)) rows += line.rfind("| `", 0) == 0;
  EXPECT_EQ(rows, rules().size());
  for (const RuleRow& rule : rules()) {
    const std::string expected = std::string("| `") + rule.name + "` | " +
                                 (rule.kind == RuleKind::kObligation ? "must" : "may") + " | " + rule.section + " | " +
                                 rule.reason + " |";
    EXPECT_NE(text.str().find(expected), std::string::npos) << "missing in docs/oracle.md:\n" << expected;
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
