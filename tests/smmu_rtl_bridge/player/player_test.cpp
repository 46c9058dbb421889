// SPDX-License-Identifier: Apache-2.0
// Small scripts on the model: each shows that what a line leaves out makes something legal, and what it says counts.
#include "smmu_rtl_bridge/player/player.h"

#include <gtest/gtest.h>

#include <sstream>

#include "smmu_rtl_bridge/player/timeline.h"
#include "smmu_rtl_bridge/tlm_device.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

// What came of each access, in order: the address downstream, or "abort", "zero", "error"; and records of events by
// type.
class Outcomes : public Observer {
 public:
  void forwarded(const ForwardedAccess& access) override { address_ = access.address; }
  void answered(uint64_t, AccessEnd end) override {
    std::ostringstream text;
    if (end == AccessEnd::kDone) text << std::hex << address_;
    if (end == AccessEnd::kAborted) text << "abort";
    if (end == AccessEnd::kZero) text << "zero";
    if (end == AccessEnd::kFailed) text << "error";
    ends.push_back(text.str());
  }
  void device_wrote(uint64_t, const void* data, size_t size_bytes, const Attributes&, bool) override {
    if (size_bytes == 32) events.push_back(*static_cast<const uint8_t*>(data));
  }
  void ats_answered(const AtsAnswer& answer) override { ats.push_back(answer); }
  void page_answered(const PageAnswer& answer) override { pages.push_back(answer); }
  void finished() override { is_finished = true; }

  std::vector<std::string> ends;
  std::vector<int> events;
  std::vector<AtsAnswer> ats;
  std::vector<PageAnswer> pages;
  bool is_finished = false;

 private:
  uint64_t address_ = 0;
};

struct Played {
  PlayResult result;
  Outcomes outcomes;
  std::string timeline;
};

using Ends = std::vector<std::string>;
using Events = std::vector<int>;

Played play(const std::string& lines, const DeviceSettings& settings = {}) {
  Played played;
  const auto script = parse_script("smmu-script 1\n" + lines, "test");
  EXPECT_TRUE(script) << script.message();
  std::ostringstream text;
  Timeline timeline(text);
  Player player({&played.outcomes, &timeline});
  auto device = make_core_device(settings, player);
  EXPECT_TRUE(device) << device.message();
  played.result = player.play(**device, *script);
  EXPECT_TRUE(played.result.ok()) << played.result.rule << ": " << played.result.text;
  EXPECT_TRUE(played.outcomes.is_finished);
  played.timeline = text.str();
  return played;
}

TEST(Player, OneLineMakesAStreamAndOneAMapping) {
  for (const char* granule : {"granule_4k", "granule_16k", "granule_64k"}) {
    DeviceSettings settings = {
        {"granule_4k", "0"}, {"granule_16k", "0"}, {"granule_64k", "0"}, {"va52", "0"}, {"oas_bits", "48"}};
    settings.push_back({granule, "1"});
    for (const char* kind : {"s1", "nested"}) {
      const Played played = play(std::string("stream ") + kind +
                                     " 5\nmap 5 0x10000 pa=0x90000000\naccess read 5 0x10010\naccess write 5 0x20000\n",
                                 settings);
      EXPECT_EQ(played.outcomes.ends, (Ends{"90000010", "abort"})) << granule << " " << kind << "\n" << played.timeline;
      EXPECT_EQ(played.outcomes.events, (Events{0x10}));
    }
    const Played second = play("stream s2 5\nmap 5/s2 0x10000 pa=0x90000000\naccess read 5 0x10010\n", settings);
    EXPECT_EQ(second.outcomes.ends, (Ends{"90000010"})) << granule << second.timeline;
  }
}

TEST(Player, EveryDeviceHasALegalDefault) {
  const std::vector<DeviceSettings> devices = {{{"oas_bits", "32"}, {"va52", "0"}},
                                               {{"oas_bits", "36"}},
                                               {{"stall_model", "2"}},
                                               {{"stall_model", "1"}},
                                               {{"table_endianness", "3"}},
                                               {{"table_endianness", "2"}},
                                               {{"terminate_abort_only", "1"}},
                                               {{"asid16", "0"}},
                                               {{"vmid16", "0"}},
                                               {{"two_level_cd", "0"}},
                                               {{"pri", "0"}},
                                               {{"ats", "0"}, {"pri", "0"}},
                                               {{"command_queue_log2", "0"}},
                                               {{"event_queue_log2", "0"}},
                                               {{"hardware_update", "0"}},
                                               {{"deferred_updates", "1"}},
                                               {{"msi", "0"}},
                                               {{"substream_id_bits", "0"}},
                                               {{"hypervisor", "0"}},
                                               {{"stream_id_bits", "6"}, {"two_level_stream_table", "0"}}};
  for (const DeviceSettings& settings : devices) {
    for (const char* kind : {"s1", "nested"}) {
      const Played played =
          play(std::string("stream ") + kind + " 5\nmap 5 0x10000 pa=0x90000000\naccess read 5 0x10010\n", settings);
      EXPECT_EQ(played.outcomes.ends, (Ends{"90000010"})) << settings[0].name << played.timeline;
    }
  }
}

TEST(Player, StreamsOfEachKind) {
  const Played played =
      play("stream bypass 1\nstream abort 2\naccess read 1 0x123000\naccess read 2 0x123000\naccess read 3 0x123000\n");
  EXPECT_EQ(played.outcomes.ends, (Ends{"123000", "abort", "abort"}));
  EXPECT_EQ(played.outcomes.events, (Events{0x04}));
}

TEST(Player, TwoLevelTablesOfStreamsAndContexts) {
  const Played played = play(
      "setup STRTAB_BASE_CFG=0x10210\n"
      "stream s1 0x1234 S1CDMax=8 S1Fmt=1 S1DSS=2\n"
      "cd 0x1234.0xc5\n"
      "map 0x1234.0xc5 0x7000 pa=0x90007000\nmap 0x1234 0x7000 pa=0x91007000\n"
      "access read 0x1234.0xc5 0x7000\naccess read 0x1234 0x7000\n");
  EXPECT_EQ(played.outcomes.ends, (Ends{"90007000", "91007000"})) << played.timeline;
}

TEST(Player, BlocksUpperHalfContiguousAndBigEndian) {
  const Played played = play(
      "stream s1 5\ncd 5 EPD1=0 T1SZ=16 ENDI=1\n"
      "map 5 0xffffff8000200000 level=2 pa=0x90200000\n"
      "map 5 0x40000 cont pa=0x90040000\n"
      "access read 5 0xffffff8000234000\naccess read 5 0x4f000\n");
  EXPECT_EQ(played.outcomes.ends, (Ends{"90234000", "9004f000"})) << played.timeline;
}

TEST(Player, NestedTablesLieWhereStage2SaysThatTheyDo) {
  const Played played = play(
      "stream nested 5 S2TTB=0x31000000 identity=0 S1ContextPtr=0x100000\n"
      "map 5/s2 0x100000 pa=0xa0000000\nmap 5/s2 0x200000 pa=0xa0001000\n"
      "map 5/s2 0x300000 pa=0xa0002000\nmap 5/s2 0x301000 pa=0xa0003000\nmap 5/s2 0x302000 pa=0xa0004000\n"
      "map 5/s2 0x400000 pa=0xa0009000\n"
      "cd 5 TTB0=0x200000\nmap 5 0x1000 pa=0x400000 tables=0x300000\naccess write 5 0x1008\n");
  EXPECT_EQ(played.outcomes.ends, (Ends{"a0009008"})) << played.timeline;
}

TEST(Player, BrokenFetchesAreTheArchitectedEvents) {
  const std::string world = "stream nested 5\nmap 5 0x1000\n";
  const std::string access = "access read 5 0x1000\n";
  EXPECT_EQ(play(world + "break ste 5\n" + access).outcomes.events, (Events{0x03}));
  EXPECT_EQ(play(world + "break cd 5\n" + access).outcomes.events, (Events{0x09}));
  EXPECT_EQ(play(world + "break desc 5 0x1000 level=2\n" + access).outcomes.events, (Events{0x0b}));
  EXPECT_EQ(play(world + "break desc 5 0x1000 level=2\n" + "mend desc 5 0x1000 level=2\n" + access).outcomes.events,
            (Events{}));
  EXPECT_EQ(play(world + "break page 0x80001000\n" + access).outcomes.ends, (Ends{"error"}));
}

TEST(Player, StallsAreResumedByTheirTags) {
  const Played played = play(
      "stream s1 5\ncd 5 S=1\naccess read 5 0x1000\naccess read 5 0x2000\naccess read 5 0x3000\n"
      "map 5 0x1000 pa=0x90001000\nresume retry 5\nresume terminate 5\nresume abort 5\nsync\n");
  EXPECT_EQ(played.outcomes.ends, (Ends{"90001000", "zero", "abort"})) << played.timeline;
}

TEST(Player, MoreStallsThanTheDeviceHoldsWait) {
  const Played played = play(
      "stream s1 5\ncd 5 S=1\naccess read 5 0x1000\naccess read 5 0x2000\nquiet\nresume terminate 5\nsync\n"
      "resume terminate 5\nsync\n",
      {{"stalled_transactions_max", "1"}});
  EXPECT_EQ(played.outcomes.ends, (Ends{"zero", "zero"})) << played.timeline;
}

TEST(Player, IllegalCommandsAreRecoveredFrom) {
  const Played played = play(
      "cmd RAW w0=0xff\nsync\nread GERROR\nrecover\nsync\nread CMDQ_CONS\nstream bypass 5\naccess read 5 0x1000\n");
  EXPECT_EQ(played.outcomes.ends, (Ends{"1000"})) << played.timeline;
}

TEST(Player, QueuesWrapAndOverflow) {
  std::string lines = "setup EVENTQ_BASE=0x6800001 CMDQ_BASE=0x6000001\n";
  for (int i = 0; i < 20; ++i)
    lines += "access read " + std::to_string(i) + " 0x1000\n" + std::string(i % 7 == 6 ? "events\n" : "");
  for (int i = 0; i < 20; ++i) lines += "cmd CFGI_STE sid=7\n";
  const Played played = play(lines + "sync\n");
  EXPECT_EQ(played.outcomes.events.size(), 6u) << played.timeline;
}

TEST(Player, AtsAndPageRequestsAreAnswered) {
  const Played played = play(
      "stream s1 5 EATS=1\nmap 5 0x1000 pa=0x90001000\nats 5 0x1000\naccess read 5 0x90001000 translated\n"
      "page 5 0x2000 read last group=3\nsync\ncmd PRI_RESP sid=5 group=3 code=2\n"
      "cmd ATC_INV sid=5 va=0x1000\natc later\ncmd ATC_INV sid=5 va=0x1000\nsync\natc timeout\ncmd ATC_INV sid=5\n"
      "sync\nrecover\nsync\n");
  ASSERT_EQ(played.outcomes.ats.size(), 1u);
  EXPECT_EQ(played.outcomes.ats[0].address, 0x90001000u);
  EXPECT_EQ(played.outcomes.ends, (Ends{"90001000"}));
  ASSERT_EQ(played.outcomes.pages.size(), 1u) << played.timeline;
  EXPECT_EQ(played.outcomes.pages[0].group, 3);
}

TEST(Player, ASmmuThatIsOffPassesByGbpa) {
  EXPECT_EQ(play("setup CR0=0\naccess read 5 0x1000\n").outcomes.ends, (Ends{"1000"}));
  EXPECT_EQ(play("setup CR0=0 GBPA=0x100000\naccess read 5 0x1000\n").outcomes.ends, (Ends{"abort"}));
}

// A device that is broken in the ways of a stranger's RTL.
class Hanging : public Device {
 public:
  enum class Way { kNeverIdle, kNeverTakes, kNeverAnswers, kAnswersTwice, kWritesForEver, kNeverAcknowledges };
  Hanging(Way way, Surroundings& surroundings) : way_(way), surroundings_(surroundings) {}
  void reset() override {}
  bool read_register(uint32_t offset, unsigned, uint64_t& value) override {
    value = offset == 0x98 || offset == 0x9c ? produced_ : offset == 0x14 ? 0x55 : offset == 0 ? 0x1000002 : 0;
    if (offset == 0x20) value = control_;
    if (offset == 0x24 && way_ != Way::kNeverAcknowledges) value = control_;
    if (offset == 0x50 || offset == 0x54) value = 0;
    return true;
  }
  bool write_register(uint32_t offset, unsigned, uint64_t value) override {
    if (offset == 0x98) produced_ = value;
    if (offset == 0x20) control_ = value;
    return true;
  }
  bool offer(const ClientAccess& access) override {
    if (way_ == Way::kNeverTakes) return false;
    if (way_ == Way::kAnswersTwice) surroundings_.answered(access.id, AccessEnd::kAborted);
    if (way_ != Way::kNeverAnswers) surroundings_.answered(access.id, AccessEnd::kAborted);
    return true;
  }
  bool ask_ats(const AtsQuestion&) override { return true; }
  bool ask_page(const PageQuestion&) override { return true; }
  void atc_invalidation_done(bool) override {}
  void tick(unsigned) override {
    const uint64_t record[4] = {};
    if (way_ == Way::kWritesForEver) surroundings_.write(0x1000, record, sizeof record, {});
  }
  bool idle() const override { return way_ != Way::kNeverIdle && way_ != Way::kWritesForEver; }

 private:
  Way way_;
  Surroundings& surroundings_;
  uint64_t produced_ = 0, control_ = 0;
};

std::string verdict(Hanging::Way way) {
  const auto script = parse_script("smmu-script 1\naccess read 5 0x1000\nquiet\n", "test");
  Player player({}, {.ticks_per_wait = 1000, .device_accesses_per_line = 500});
  Hanging device(way, player);
  return player.play(device, *script).rule;
}

TEST(Player, DevicesThatHangEndWithAVerdict) {
  EXPECT_EQ(verdict(Hanging::Way::kNeverIdle), "player.never_idle");
  EXPECT_EQ(verdict(Hanging::Way::kNeverTakes), "player.never_taken");
  EXPECT_EQ(verdict(Hanging::Way::kAnswersTwice), "player.unasked");
  EXPECT_EQ(verdict(Hanging::Way::kWritesForEver), "player.runs_wild");
  EXPECT_EQ(verdict(Hanging::Way::kNeverAcknowledges), "player.handshake");
  EXPECT_EQ(verdict(Hanging::Way::kNeverAnswers), "player.never_answered");
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
