// SPDX-License-Identifier: Apache-2.0
// Designs that hang, say things twice or never stop end with a verdict that names what they did. The little SMMU works;
// something between it and the bench does not.
#include <gtest/gtest.h>

#include "smmu_rtl_bridge/campaign/run.h"
#include "smmu_rtl_bridge/rtl_device.h"
#include "smmu_rtl_bridge/rtl_device/load.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr const char* kScript =
    "smmu-script 1\nstream s1 5\nmap 5 0x1000 pa=0x90001000\naccess read 5 0x1008 size=16\naccess write 5 0x1010\n"
    "access read 5 0x2000\nquiet\nsync cs=1\n";

enum class Spoil {
  kNothing,
  kNeverAnswers,
  kAnswersTwice,
  kEventsForEver,
  kNeverIdle,
  kRegistersDie,
  kTakesNothing,
  kAddressWavers,
  kComesOutUnasked,
  kLosesData,
  kStops,
  kInterruptsForEver,
  kForgetsSync,
  kIdleWavers,
  kIdleDropsLate,  // two cycles after a register access, where nothing has happened in between
};

class Spoiled : public Design {
 public:
  Spoiled(std::unique_ptr<Design> good, Spoil spoil) : good_(std::move(good)), spoil_(spoil) {}

  bool has_idle() const override { return spoil_ >= Spoil::kIdleWavers || spoil_ == Spoil::kNeverIdle; }
  std::string complaint() override { return "assertion of a test"; }

  void clock(const DesignInputs& inputs, DesignOutputs& out) override {
    DesignInputs in = inputs;
    if (in.reset) cycle_ = 0;
    ++cycle_;
    switch (spoil_) {
      case Spoil::kNeverAnswers:
        in.client.r_ready = in.client.b_ready = false;
        break;
      case Spoil::kTakesNothing:
        in.client.ar = in.client.aw = {};
        break;
      case Spoil::kForgetsSync:
        if (in.registers.address == 0x98) in.registers.strobe = 0;
        break;
      default:
        break;
    }
    good_->clock(in, out);
    switch (spoil_) {
      case Spoil::kNeverAnswers:
        out.client.r = {};
        out.client.b = {};
        break;
      case Spoil::kAnswersTwice:
        if (answered_) out.client.r = again_;
        if (out.client.r.valid && out.client.r.last && in.client.r_ready) {
          again_ = out.client.r;
          answered_ = true;
        }
        break;
      case Spoil::kEventsForEver:
        // What memory is given belongs to nobody, and has no end.
        if (in.reset || cycle_ < 400) break;
        out.memory.ar = {};
        out.memory.aw = {};
        out.memory.aw.valid = true;
        out.memory.aw.address = 0x6800000;
        out.memory.w = {true, 0x10, 0xff, true};
        out.memory.b_ready = true;
        break;
      case Spoil::kRegistersDie:
        if (cycle_ > 300) out.registers.ready = false;
        break;
      case Spoil::kTakesNothing:
        out.client.ar_ready = out.client.aw_ready = false;
        break;
      case Spoil::kAddressWavers:
        if (out.downstream.ar.valid) out.downstream.ar.address ^= (cycle_ & 1) << 20;
        break;
      case Spoil::kComesOutUnasked:
        if (cycle_ == 40) out.downstream.ar.valid = true;
        break;
      case Spoil::kLosesData:
        if (out.client.r.valid && out.client.r.response == kAxiOkay) out.client.r.data ^= 1;
        break;
      case Spoil::kStops:
        out.stopped = cycle_ > 200;
        break;
      case Spoil::kInterruptsForEver:
        out.wires[0] = out.wires[0] || cycle_ > 300;
        break;
      case Spoil::kIdleWavers:
        out.idle = (cycle_ & 4) != 0;
        break;
      case Spoil::kIdleDropsLate:
        unasked_ = in.registers.select ? 0 : unasked_ + 1;
        out.idle = cycle_ > 1000 && unasked_ != 2;
        break;
      default:
        break;
    }
  }

 private:
  std::unique_ptr<Design> good_;
  Spoil spoil_;
  uint64_t cycle_ = 0;
  bool answered_ = false;
  unsigned unasked_ = 0;  // cycles since a register access
  AxiReadData again_;
};

std::string verdict(Spoil spoil, const std::vector<Setting>& settings = {}, const char* text = kScript) {
  const auto file = load_design_file(design_path("little_smmu", "plain"));
  if (!file) return file.message();
  RtlOptions options;
  options.make = [&] { return std::make_unique<Spoiled>(std::unique_ptr<Design>((*file)->make()), spoil); };
  const auto factory = make_rtl_factory(options);
  auto script = parse_script(text, "test");
  script->settings = settings;
  RunOptions run;
  run.limits.ticks_per_wait = 20'000;
  run.limits.device_accesses_per_line = 2'000;
  const auto result = run_script(DeviceFactory(*factory), *script, run);
  return result ? result->rule : result.message();
}

TEST(Spoiled, NothingSpoiledIsNothingWrong) { EXPECT_EQ(verdict(Spoil::kNothing), ""); }
TEST(Spoiled, NeverAnswers) { EXPECT_EQ(verdict(Spoil::kNeverAnswers), "player.never_taken"); }
TEST(Spoiled, AnswersTwice) { EXPECT_EQ(verdict(Spoil::kAnswersTwice), "pins.unasked"); }
TEST(Spoiled, RecordsEventsForEver) { EXPECT_EQ(verdict(Spoil::kEventsForEver), "event-slot"); }
TEST(Spoiled, NeverComesToRest) { EXPECT_EQ(verdict(Spoil::kNeverIdle), "player.never_idle"); }
TEST(Spoiled, RegistersDie) { EXPECT_EQ(verdict(Spoil::kRegistersDie), "pins.apb"); }
TEST(Spoiled, TakesNothing) { EXPECT_EQ(verdict(Spoil::kTakesNothing), "player.never_taken"); }
TEST(Spoiled, AddressWavers) {
  EXPECT_EQ(verdict(Spoil::kAddressWavers, {{"downstream_stall", "90"}, {"pin_seed", "3"}}), "pins.unstable");
}
TEST(Spoiled, ComesOutUnasked) { EXPECT_EQ(verdict(Spoil::kComesOutUnasked), "pins.unasked"); }
TEST(Spoiled, LosesData) { EXPECT_EQ(verdict(Spoil::kLosesData), "pins.data"); }
TEST(Spoiled, AnAssertionFails) { EXPECT_EQ(verdict(Spoil::kStops), "rtl.assertion"); }
TEST(Spoiled, InterruptsForEver) { EXPECT_EQ(verdict(Spoil::kInterruptsForEver), "interrupt-unexpected"); }
TEST(Spoiled, CommandsAreNeverConsumed) { EXPECT_EQ(verdict(Spoil::kForgetsSync), "player.sync_never_completes"); }
TEST(Spoiled, IdleWavers) {
  EXPECT_EQ(verdict(Spoil::kIdleWavers, {}, "smmu-script 1\nstream bypass 5\naccess read 5 0\ntick 50\n"), "pins.idle");
}
TEST(Spoiled, IdleDropsLateAfterARegisterAccess) {
  EXPECT_EQ(verdict(Spoil::kIdleDropsLate, {}, "smmu-script 1\ntick 1500\nread IDR0\ntick 20\n"), "pins.idle");
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
