// SPDX-License-Identifier: Apache-2.0
// Each directed script on the model's core: the judge has nothing against it, and the events are those that the script
// is for.
#include "smmu_rtl_bridge/stimulus/directed/directed.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "smmu_rtl_bridge/campaign/run.h"
#include "smmu_rtl_bridge/tlm_device.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

class EventTypes : public Observer {
 public:
  explicit EventTypes(std::vector<unsigned>& types) : types_(types) {}
  void device_wrote(uint64_t, const void* data, size_t size_bytes, const Attributes&, bool failed) override {
    if (size_bytes == 32 && !failed) types_.push_back(*static_cast<const uint8_t*>(data));
  }

 private:
  std::vector<unsigned>& types_;
};

TEST(Directed, EveryScriptParsesAndHasANameOfItsOwn) {
  std::set<std::string> names;
  for (const DirectedScript& directed : directed_scripts()) {
    EXPECT_TRUE(names.insert(directed.name).second) << directed.name;
    const auto script = parse_script("smmu-script 1\n" + directed.lines, directed.name);
    EXPECT_TRUE(script) << script.message();
    EXPECT_TRUE(check_settings(directed.settings))
        << directed.name << " " << check_settings(directed.settings).message();
    EXPECT_FALSE(directed.section.empty());
  }
  EXPECT_GT(names.size(), 250u);
}

TEST(Directed, TheModelDoesWhatEachIsFor) {
  for (const DirectedScript& directed : directed_scripts()) {
    std::vector<unsigned> types;
    std::ostringstream timeline;
    RunOptions options;
    options.timeline = &timeline;
    options.watchers.push_back([&](const Features&) { return std::make_unique<EventTypes>(types); });
    const auto result = run_script(make_core_device, script_of(directed), options);
    ASSERT_TRUE(result) << directed.name << ": " << result.message();
    EXPECT_TRUE(result->ok()) << directed.name << ": " << result->rule << ": " << result->text << "\n"
                              << directed.lines << timeline.str();
    EXPECT_EQ(types, directed.events) << directed.name << "\n" << directed.lines;
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
