// SPDX-License-Identifier: Apache-2.0
// The model in the shadow of a design: no difference in scripts in which nothing is wrong, although it finds the
// changes of memory by itself; and one where either of them has a bug.
#include "smmu_rtl_bridge/shadow/shadow.h"

#include <gtest/gtest.h>

#include "smmu_rtl_bridge/campaign/beside.h"
#include "smmu_rtl_bridge/rtl_device.h"
#include "smmu_rtl_bridge/rtl_device/load.h"
#include "smmu_rtl_bridge/stimulus/directed/directed.h"
#include "smmu_rtl_bridge/stimulus/generator.h"
#include "smmu_rtl_bridge/tlm_device.h"
#include "tests/core/seed.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

uint64_t first_seed() { return test::from_environment("LOCKSTEP_SEED", 1); }
uint64_t seeds_of_a_mix() { return test::from_environment("LOCKSTEP_SEEDS", 6); }

RtlFactory factory_of(const std::string& name) {
  RtlOptions options;
  options.file = design_path(name, "plain");
  const auto factory = make_rtl_factory(options);
  EXPECT_TRUE(factory) << factory.message();
  return factory ? *factory : RtlFactory();
}

// Uses a device as a machine does: one access at a time, and everything comes to rest before the next thing happens.
class OneAtATime : public Device {
 public:
  explicit OneAtATime(std::unique_ptr<Device> device) : device_(std::move(device)) {}
  void watched_by(Shadow& shadow) { shadow_ = &shadow; }

  void reset() override { device_->reset(); }
  bool read_register(uint32_t offset, unsigned size_bytes, uint64_t& value) override {
    tell_rest();
    return device_->read_register(offset, size_bytes, value);
  }
  bool write_register(uint32_t offset, unsigned size_bytes, uint64_t value) override {
    const bool good = device_->write_register(offset, size_bytes, value);
    come_to_rest();
    // The observers hear of the end of the write first.
    untold_ = true;
    return good;
  }
  bool offer(const ClientAccess& access) override {
    for (unsigned tries = 0; tries < 100'000; ++tries) {
      if (device_->offer(access)) {
        come_to_rest();
        untold_ = true;
        tell_rest();
        return true;
      }
      device_->tick(1);
    }
    return false;
  }
  bool ask_ats(const AtsQuestion&) override { return false; }
  bool ask_page(const PageQuestion&) override { return false; }
  void atc_invalidation_done(bool) override {}
  void tick(unsigned cycles) override { device_->tick(cycles); }
  bool idle() const override { return device_->idle(); }

 private:
  void come_to_rest() {
    // A design says some cycles later that it is no longer idle.
    device_->tick(4);
    for (unsigned cycles = 0; cycles < 1'000'000 && !device_->idle(); ++cycles) device_->tick(1);
  }
  void tell_rest() {
    if (untold_ && shadow_ != nullptr) shadow_->quiet();
    untold_ = false;
  }

  std::unique_ptr<Device> device_;
  Shadow* shadow_ = nullptr;
  bool untold_ = false;
};

// A device that plays a script, with the shadow as one who watches.
struct Stage {
  Stage(const DeviceFactory& factory, const std::vector<Setting>& settings, const DeviceFactory& model) {
    auto made = factory(settings, player);
    EXPECT_TRUE(made) << made.message();
    device = std::make_unique<OneAtATime>(std::move(*made));
    auto beside = Shadow::make(id_registers_of(*device), model);
    EXPECT_TRUE(beside) << beside.message();
    shadow = std::move(*beside);
    device->watched_by(*shadow);
    shadow->set_memory([this](uint64_t page, void* data) {
      if (player.memory().broken(page)) return false;
      player.memory().read(page, data, WatchedMemory::kPageBytes);
      return true;
    });
    player.add_observer(*shadow);
  }
  std::string play(const Script& script) {
    player.set_before_line([this](size_t, const Line&) { return shadow->differences().empty(); });
    const PlayResult result = player.play(*device, script);
    if (!shadow->differences().empty()) {
      const ShadowDifference& first = shadow->differences().front();
      return first.rule + " during " + first.during + ": " + first.text;
    }
    return result.rule.empty() ? std::string() : result.rule + ": " + result.text;
  }

  Player player{{}};
  std::unique_ptr<OneAtATime> device;
  std::unique_ptr<Shadow> shadow;
};

class Designs : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, Designs, ::testing::Values("little_smmu", "smmu"),
                         [](const auto& design) { return std::string(design.param); });

TEST_P(Designs, AgreeWithTheirShadowInDirectedScripts) {
  const RtlFactory factory = factory_of(GetParam());
  ASSERT_TRUE(factory);
  uint64_t accesses = 0;
  for (const DirectedScript& directed : directed_scripts()) {
    const Script script = for_pins(script_of(directed));
    Stage stage(factory, script.settings, make_core_device);
    EXPECT_EQ(stage.play(script), "") << directed.name;
    accesses += stage.shadow->counts().accesses;
  }
  EXPECT_GT(accesses, 100u);
}

TEST_P(Designs, AgreeWithTheirShadowInRandomScripts) {
  const RtlFactory factory = factory_of(GetParam());
  ASSERT_TRUE(factory);
  ShadowCounts all;
  for (const char* name : {"default", "faults", "invalidation", "commands", "nested", "hits"}) {
    const Mix mix = *load_mix(name);
    for (uint64_t seed = first_seed(); seed < first_seed() + seeds_of_a_mix(); ++seed) {
      Stage stage(factory, draw_rtl_device(seed), make_core_device);
      const Script script = generate(seed, mix, Player::read_features(*stage.device));
      EXPECT_EQ(stage.play(script), "") << "mix " << name << " LOCKSTEP_SEED=" << seed;
      const ShadowCounts counts = stage.shadow->counts();
      all.accesses += counts.accesses;
      all.no_choice += counts.no_choice;
      all.register_reads += counts.register_reads;
      all.events += counts.events;
      all.interrupts += counts.interrupts;
    }
  }
  // What is compared bit by bit is nearly all.
  EXPECT_GT(all.no_choice * 10, all.accesses * 8) << all.no_choice << " of " << all.accesses;
  EXPECT_GT(all.register_reads, 1000u);
  EXPECT_GT(all.events, 100u);
  EXPECT_GT(all.interrupts, 10u);
}

constexpr const char* kScript =
    "smmu-script 1\nstream s1 5\nmap 5 0x1000 pa=0x90001000\nmap 5 0x2000 pa=0x90002000\naccess read 5 0x1008\n"
    "access write 5 0x1010\naccess read 5 0x2000\naccess read 5 0x3000\nquiet\nsync cs=1\n";

std::string verdict_of(const DeviceFactory& factory, const DeviceFactory& model) {
  const auto script = parse_script(kScript, "test");
  Stage stage(factory, {}, model);
  const std::string verdict = stage.play(*script);
  EXPECT_EQ(stage.shadow->counts().differences != 0, !verdict.empty()) << verdict;
  return verdict;
}

// A model whose surroundings see something else than what it does.
class Spoiling : public Surroundings {
 public:
  enum class What { kNothing, kAddress, kAnswer, kRecord, kInterrupt };
  Spoiling(Surroundings& real, What what) : real_(real), what_(what) {}

  MemoryAnswer read(uint64_t address, void* data, size_t size_bytes, const Attributes& attributes) override {
    return real_.read(address, data, size_bytes, attributes);
  }
  MemoryAnswer write(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes) override {
    std::vector<uint8_t> bytes(static_cast<const uint8_t*>(data), static_cast<const uint8_t*>(data) + size_bytes);
    // The address of a record.
    if (what_ == What::kRecord && size_bytes == 32) bytes[17] ^= 0x10;
    return real_.write(address, bytes.data(), size_bytes, attributes);
  }
  MemoryAnswer exchange(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes) override {
    return real_.exchange(address, expected, desired, attributes);
  }
  MemoryAnswer forward(const ForwardedAccess& access) override {
    ForwardedAccess other = access;
    if (what_ == What::kAddress && access.address == 0x90002000) other.address ^= 0x1000;
    return real_.forward(other);
  }
  void answered(uint64_t id, AccessEnd end) override {
    real_.answered(id, what_ == What::kAnswer && end == AccessEnd::kAborted ? AccessEnd::kZero : end);
  }
  void ats_answered(const AtsAnswer& answer) override { real_.ats_answered(answer); }
  void page_answered(const PageAnswer& answer) override { real_.page_answered(answer); }
  void invalidate_atc(const AtcInvalidation& invalidation) override { real_.invalidate_atc(invalidation); }
  void pulse(Wire wire) override {
    if (what_ != What::kInterrupt || wire != Wire::kCommandSync) real_.pulse(wire);
  }

 private:
  Surroundings& real_;
  What what_;
};

// The surroundings live as long as the device that has them.
DeviceFactory spoiled_model(Spoiling::What what) {
  auto spoiling = std::make_shared<std::unique_ptr<Spoiling>>();
  return [spoiling, what](const std::vector<Setting>& settings, Surroundings& real) {
    *spoiling = std::make_unique<Spoiling>(real, what);
    return make_core_device(settings, **spoiling);
  };
}

TEST(ShadowOfTheDesign, FindsWhatIsWrongWithTheModel) {
  const RtlFactory design = factory_of("smmu");
  ASSERT_TRUE(design);
  EXPECT_EQ(verdict_of(design, spoiled_model(Spoiling::What::kNothing)), "");
  const auto begins = [](const std::string& text, const char* with) { return text.starts_with(with); };
  for (const auto& [what, rule] : {std::pair(Spoiling::What::kAddress, "model.forward-address during access 3, a read"),
                                   {Spoiling::What::kAnswer, "model.answer-end during access 4, a read"},
                                   {Spoiling::What::kRecord, "model.event"},
                                   {Spoiling::What::kInterrupt, "model.sync-signal"}}) {
    const std::string verdict = verdict_of(design, spoiled_model(what));
    EXPECT_PRED2(begins, verdict, rule);
  }
}

// What a shadow cannot stand beside is refused with the register's name.
TEST(ShadowOfTheDesign, RefusesWhatHasNoPins) {
  tlm_models::smmuv3::Config config;
  for (const auto& [change, name] :
       {std::pair<void (*)(tlm_models::smmuv3::Config&), const char*>([](tlm_models::smmuv3::Config&) {},
                                                                      "SMMU_IDR0.ATS"),
        {[](tlm_models::smmuv3::Config& c) { c.ats = c.pri = c.ats_record_errors = false; }, "SMMU_IDR0.STALL_MODEL"},
        {[](tlm_models::smmuv3::Config& c) {
           c.ats = c.pri = c.ats_record_errors = false;
           c.stall_model = tlm_models::smmuv3::StallModel::kTerminateOnly;
         },
         "SMMU_IDR0.HTTU"}}) {
    tlm_models::smmuv3::Config changed = config;
    change(changed);
    const auto shadow = Shadow::make(id_registers(changed), make_core_device);
    ASSERT_FALSE(shadow) << name;
    EXPECT_NE(shadow.message().find(name), std::string::npos) << shadow.message();
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
