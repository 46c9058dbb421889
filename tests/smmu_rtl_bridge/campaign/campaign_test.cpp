// SPDX-License-Identifier: Apache-2.0
// Campaigns on devices with planted bugs: each is found, named and made small. The bugs are between the model and its
// pins, so that nothing of the model has to change.
#include "smmu_rtl_bridge/campaign/campaign.h"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "smmu_rtl_bridge/campaign/isolated.h"
#include "smmu_rtl_bridge/tlm_device.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

enum class Bug {
  kNone,
  kWrongAddress,     // of privileged instruction reads
  kWrongEvent,       // F_ACCESS is recorded as F_TRANSLATION
  kForgetsEvents,    // every record of a write
  kIgnoresContexts,  // CMD_CFGI_CD does nothing
  kCrashes,
  kHangs,
};

// The model's surroundings as a bug shows them to the outside, and the outside as it shows it to the model.
class Between : public Surroundings {
 public:
  Between(Bug bug, Surroundings& outside) : bug_(bug), outside_(outside) {}

  MemoryAnswer read(uint64_t address, void* data, size_t size_bytes, const Attributes& attributes) override {
    const MemoryAnswer answer = outside_.read(address, data, size_bytes, attributes);
    auto* words = static_cast<uint64_t*>(data);
    constexpr uint64_t kCfgiCd = 5, kSync = 0x46;
    if (bug_ == Bug::kIgnoresContexts && size_bytes == 16 && (words[0] & 0xff) == kCfgiCd) words[0] = kSync;
    return answer;
  }
  MemoryAnswer write(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes) override {
    if (size_bytes == 32 && (bug_ == Bug::kWrongEvent || bug_ == Bug::kForgetsEvents)) {
      std::array<uint64_t, 4> record;
      std::memcpy(record.data(), data, sizeof record);
      if (bug_ == Bug::kForgetsEvents && !(record[1] >> 35 & 1)) return MemoryAnswer::kDone;
      if (bug_ == Bug::kWrongEvent && (record[0] & 0xff) == 0x12) record[0] -= 2;
      return outside_.write(address, record.data(), size_bytes, attributes);
    }
    return outside_.write(address, data, size_bytes, attributes);
  }
  MemoryAnswer exchange(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes) override {
    return outside_.exchange(address, expected, desired, attributes);
  }
  MemoryAnswer forward(const ForwardedAccess& access) override {
    ForwardedAccess changed = access;
    if (bug_ == Bug::kWrongAddress && access.privileged && access.instruction) changed.address ^= 0x1000;
    if (bug_ == Bug::kCrashes && access.privileged && access.instruction) std::abort();
    while (bug_ == Bug::kHangs && access.privileged && access.instruction) pause();
    return outside_.forward(changed);
  }
  void answered(uint64_t id, AccessEnd end) override { outside_.answered(id, end); }
  void ats_answered(const AtsAnswer& answer) override { outside_.ats_answered(answer); }
  void page_answered(const PageAnswer& answer) override { outside_.page_answered(answer); }
  void invalidate_atc(const AtcInvalidation& invalidation) override { outside_.invalidate_atc(invalidation); }
  void pulse(Wire wire) override { outside_.pulse(wire); }

 private:
  Bug bug_;
  Surroundings& outside_;
};

class BuggyDevice : public Device {
 public:
  BuggyDevice(Bug bug, Surroundings& outside) : between_(bug, outside) {}
  core::Status make(const DeviceSettings& settings) {
    auto made = make_core_device(settings, between_);
    if (!made) return made.error();
    device_ = std::move(*made);
    return {};
  }
  void reset() override { device_->reset(); }
  bool read_register(uint32_t offset, unsigned size_bytes, uint64_t& value) override {
    return device_->read_register(offset, size_bytes, value);
  }
  bool write_register(uint32_t offset, unsigned size_bytes, uint64_t value) override {
    return device_->write_register(offset, size_bytes, value);
  }
  bool offer(const ClientAccess& access) override { return device_->offer(access); }
  bool ask_ats(const AtsQuestion& question) override { return device_->ask_ats(question); }
  bool ask_page(const PageQuestion& question) override { return device_->ask_page(question); }
  void atc_invalidation_done(bool timed_out) override { device_->atc_invalidation_done(timed_out); }
  void tick(unsigned cycles) override { device_->tick(cycles); }
  bool idle() const override { return device_->idle(); }

 private:
  Between between_;
  std::unique_ptr<Device> device_;
};

DeviceFactory with(Bug bug) {
  return [bug](const DeviceSettings& settings, Surroundings& outside) -> core::Result<std::unique_ptr<Device>> {
    auto device = std::make_unique<BuggyDevice>(bug, outside);
    if (const core::Status status = device->make(settings); !status) return status.error();
    return std::unique_ptr<Device>(std::move(device));
  };
}

CampaignResult campaign(Bug bug, uint64_t seeds) {
  CampaignOptions options;
  options.first_seed = 1;
  options.last_seed = seeds;
  options.jobs = 2;
  options.silence_ms = bug == Bug::kHangs ? 1500 : 20'000;
  // Whatever the judge thinks of stalls and lost records is not what is tried here.
  options.seed.settings = {{"stall_model", "1"}, {"pri", "0"}};
  options.seed.mix.small_queues = 0;
  options.shrink_limits.time_ms = 60'000;
  const auto result = run_campaign(with(bug), options, [](const CampaignProgress&) {});
  EXPECT_TRUE(result) << result.message();
  return *result;
}

void expect_found(Bug bug, const std::vector<std::string>& rules, size_t lines) {
  const CampaignResult result = campaign(bug, 60);
  ASSERT_EQ(result.findings.size(), 1u);
  const Finding& finding = result.findings[0];
  EXPECT_NE(std::find(rules.begin(), rules.end(), finding.result.rule), rules.end())
      << finding.result.rule << ": " << finding.result.text;
  EXPECT_LE(finding.shrunk.lines.size(), lines) << print(finding.shrunk);
  // The smaller script shows it by itself.
  const auto again = run_script_isolated(with(bug), finding.shrunk, {}, 1500);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->rule, finding.result.rule) << print(finding.shrunk);
  // And nothing where the bug is not.
  const auto without = run_script_isolated(with(Bug::kNone), finding.shrunk, {}, 20'000);
  ASSERT_TRUE(without);
  EXPECT_TRUE(without->ok()) << without->rule << ": " << without->text;
}

TEST(Campaign, AWrongAddressIsFoundAndShrunk) { expect_found(Bug::kWrongAddress, {"forward-address"}, 4); }
TEST(Campaign, AWrongEventIsFoundAndShrunk) {
  expect_found(Bug::kWrongEvent, {"event-field", "event-missing", "event-unexpected"}, 5);
}
TEST(Campaign, AMissingEventIsFoundAndShrunk) {
  expect_found(Bug::kForgetsEvents, {"event-missing", "event-slot", "register-value", "interrupt-unexpected"}, 5);
}
TEST(Campaign, AMissingInvalidationIsFoundAndShrunk) {
  expect_found(Bug::kIgnoresContexts, {"stale-context", "answer-end", "event-field"}, 10);
}
TEST(Campaign, ACrashIsAResult) { expect_found(Bug::kCrashes, {"process.crash"}, 4); }
TEST(Campaign, AHangIsAResult) {
  CampaignOptions options;
  options.first_seed = 1;
  options.last_seed = 60;
  options.jobs = 2;
  options.silence_ms = 300;
  options.shrinks = false;
  options.seed.settings = {{"stall_model", "1"}, {"pri", "0"}};
  const auto result = run_campaign(with(Bug::kHangs), options, [](const CampaignProgress&) {});
  ASSERT_TRUE(result) << result.message();
  ASSERT_EQ(result->findings.size(), 1u);
  EXPECT_EQ(result->findings[0].result.rule, "process.hang");
}

// A process and what it has isolated are stopped together for longer than the silence that counts as a hang: they go
// on.
TEST(Campaign, AJobThatWasStoppedDidNotHang) {
  constexpr uint64_t kSilenceMs = 2000;
  constexpr clock_t kBusy = CLOCKS_PER_SEC * 3 / 10;
  const pid_t job = ::fork();
  ASSERT_GE(job, 0);
  if (job == 0) {
    ::setpgid(0, 0);
    const auto busy = [] {
      while (std::clock() < kBusy) {
      }
      return std::string("done");
    };
    const IsolatedResult result = run_isolated(busy, kSilenceMs);
    ::_exit(result.end == ProcessEnd::kDone && result.text == "done" ? 0 : 1);
  }
  ::setpgid(job, job);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_EQ(::kill(-job, SIGSTOP), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(kSilenceMs + 500));
  ASSERT_EQ(::kill(-job, SIGCONT), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(job, &status, 0), job);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Campaign, SeedsAreCountedWhateverTheNumberOfProcesses) {
  RunCounts counts[2];
  for (unsigned i = 0; i < 2; ++i) {
    CampaignOptions options;
    options.first_seed = 5;
    options.last_seed = 30;
    options.jobs = 1 + 2 * i;
    options.seeds_per_process = 1 + 6 * i;
    options.findings_max = 1000;
    options.shrinks = false;
    uint64_t told = 0;
    const auto result =
        run_campaign(make_core_device, options, [&](const CampaignProgress& p) { told = p.seeds_done; });
    ASSERT_TRUE(result);
    EXPECT_EQ(result->progress.seeds_done, 26u);
    EXPECT_EQ(told, 26u);
    counts[i] = result->progress.counts;
  }
  EXPECT_EQ(counts[0].accesses, counts[1].accesses);
  EXPECT_EQ(counts[0].events, counts[1].events);
  EXPECT_EQ(counts[0].answers, counts[1].answers);
}

TEST(Campaign, TheLargestSeedIsOneAsAnyOther) {
  CampaignOptions options;
  options.first_seed = options.last_seed = ~uint64_t{0};
  const auto campaign = run_campaign(make_core_device, options, [](const CampaignProgress&) {});
  ASSERT_TRUE(campaign) << campaign.message();
  EXPECT_EQ(campaign->progress.seeds_done, 1u);
  for (const Finding& finding : campaign->findings) ADD_FAILURE() << finding.result.rule << ": " << finding.result.text;
}

// Seeds are told to processes when these come to them.
TEST(Campaign, AnyNumberOfSeedsCanWait) {
  CampaignOptions options;
  options.last_seed = uint64_t{1} << 60;
  options.seeds_per_process = 1;
  options.shrinks = false;
  const auto campaign = run_campaign(with(Bug::kCrashes), options, [](const CampaignProgress&) {});
  ASSERT_TRUE(campaign) << campaign.message();
  EXPECT_EQ(campaign->findings.size(), 1u);
}

TEST(Campaign, SettingsThatNoDeviceHasAreAnError) {
  CampaignOptions options;
  options.seed.settings = {{"oas_bits", "33"}};
  const auto result = run_campaign(make_core_device, options, [](const CampaignProgress&) {});
  ASSERT_FALSE(result);
  EXPECT_NE(result.message().find("oas_bits"), std::string::npos) << result.message();
  EXPECT_NE(check_settings({{"tlb_wayz", "1"}}).message().find("tlb_wayz"), std::string::npos);
}

TEST(Shrink, KeepsWhatTheFailureNeeds) {
  const auto script = parse_script(
      "smmu-script 1\nsettings tlb=0 oas_bits=40\nstream s1 5 MEV=1 S1DSS=2\nmap 5 0x1000\n@9 access read 5 0x1008 "
      "priv\n"
      "quiet\naccess write 5 0x7777 size=4\nsync\n",
      "test");
  ASSERT_TRUE(script);
  ShrinkReport report;
  const Script small = shrink(
      *script,
      [](const Script& candidate) {
        for (const Line& line : candidate.lines)
          if (line.verb == Verb::kAccess && line.word == "write") return true;
        return false;
      },
      {}, report);
  EXPECT_EQ(print(small), "smmu-script 1\naccess write 5 0\n");
  EXPECT_FALSE(report.ran_out);
  EXPECT_GT(report.runs, 3u);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
