// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <deque>
#include <optional>

#include "Vsmmu_memory_port.h"
#include "tests/smmu_rtl_bridge/rtl/bench.h"
#include "tests/smmu_rtl_bridge/rtl/bench_memory.h"

namespace lockstep::smmu_rtl_bridge::rtl_test {
namespace {

constexpr uint32_t kWalks = 0, kConfiguration = 1, kCommands = 2;

class MemoryPort : public ModuleTest<Vsmmu_memory_port> {
 protected:
  struct Question {
    uint64_t address;
    unsigned beats;
    uint32_t attributes;
    bool failed;
    unsigned done = 0;
  };
  struct Client {
    bool valid = false;
    uint64_t address = 0;
    unsigned beats = 1;
    uint32_t tag = 0;
    uint32_t attributes = 0;
    std::array<std::optional<Question>, 16> open;
    unsigned served = 0;
    unsigned waited = 0;
    unsigned waited_max = 0;
  };

  void play(unsigned cycles, unsigned busy_percent, unsigned latency_max, unsigned held_up_percent) {
    reset_module();
    BenchMemory memory(random, latency_max, held_up_percent);
    for (unsigned i = 0; i < 4096; ++i) memory.bytes[0x1000 + i] = static_cast<uint8_t>(random());
    memory.broken_pages = {5};
    std::array<Client, 3> clients;
    bool event_valid = false, message_valid = false, event_open = false, message_open = false;
    std::array<uint64_t, 4> record{};
    uint64_t event_address = 0, message_address = 0;
    uint32_t message_data = 0;
    unsigned events = 0, messages = 0;
    const auto place = [&] { return (chance(10) ? 0x5000 : 0x1000) + (random() % 64) * 64; };

    for (unsigned cycle = 0; cycle < cycles || !idle_; ++cycle) {
      ASSERT_LT(cycle, cycles + 10'000) << "never idle";
      const bool draining = cycle >= cycles;
      for (uint32_t who = 0; who < 3; ++who) {
        Client& client = clients[who];
        if (client.valid || draining || !chance(busy_percent)) continue;
        client.tag = who == kCommands ? 0 : (who == kWalks ? 0 : 8) + random() % 8;
        if (client.open[client.tag]) continue;
        client.valid = true;
        client.beats = who == kWalks ? 1 : 1u << random() % 4;
        client.address = place() + (who == kWalks ? random() % 8 * 8 : 0);
        client.attributes = random() % 1024;
      }
      if (!event_valid && !event_open && !draining && chance(busy_percent)) {
        event_valid = true;
        event_address = place();
        for (uint64_t& word : record) word = random();
      }
      if (!message_valid && !message_open && !draining && chance(busy_percent)) {
        message_valid = true;
        message_address = place() + random() % 16 * 4;
        message_data = static_cast<uint32_t>(random());
      }
      drive(clients);
      top->evt_wr_valid = event_valid;
      top->evt_wr_addr = event_address;
      for (unsigned i = 0; i < 8; ++i) top->evt_wr_data[i] = static_cast<uint32_t>(record[i / 2] >> (32 * (i % 2)));
      top->evt_wr_attr = 0x155;
      top->msi_wr_valid = message_valid;
      top->msi_wr_addr = message_address;
      top->msi_wr_data = message_data;
      top->msi_wr_attr = 0x2aa;
      memory.drive(*top);
      settle();

      ASSERT_EQ(bool(top->idle), !under_way(clients) && !event_open && !message_open);
      const std::array<bool, 3> ready = {bool(top->walk_rd_ready), bool(top->cfg_rd_ready), bool(top->cmd_rd_ready)};
      for (uint32_t who = 0; who < 3; ++who) {
        Client& client = clients[who];
        if (!client.valid) continue;
        client.waited_max = std::max(client.waited_max, ++client.waited);
        if (!ready[who]) continue;
        client.open[client.tag] = {client.address, client.beats, client.attributes, client.address >> 12 == 5};
        client.valid = false;
        client.waited = 0;
      }
      const std::array<bool, 3> answers = {bool(top->walk_rsp_valid), bool(top->cfg_rsp_valid),
                                           bool(top->cmd_rsp_valid)};
      ASSERT_LE(answers[0] + answers[1] + answers[2], 1);
      for (uint32_t who = 0; who < 3; ++who) {
        if (!answers[who]) continue;
        Client& client = clients[who];
        auto& question = client.open[who == kCommands ? 0u : uint32_t{top->rsp_tag}];
        ASSERT_TRUE(question.has_value());
        ASSERT_EQ(bool(top->rsp_err), question->failed);
        if (!question->failed) {
          ASSERT_EQ(uint64_t{top->rsp_data}, memory.word(question->address + 8 * question->done));
        }
        ++question->done;
        ASSERT_EQ(bool(top->rsp_last), question->done == question->beats);
        if (question->done == question->beats) {
          question.reset();
          ++client.served;
        }
      }
      if (top->evt_wr_done) {
        ASSERT_TRUE(event_open);
        ASSERT_EQ(bool(top->evt_wr_err), event_address >> 12 == 5);
        event_open = false;
        ++events;
      }
      if (top->msi_wr_done) {
        ASSERT_TRUE(message_open);
        ASSERT_EQ(bool(top->msi_wr_err), message_address >> 12 == 5);
        message_open = false;
        ++messages;
      }
      if (event_valid && top->evt_wr_ready) {
        event_valid = false;
        event_open = true;
      }
      if (message_valid && top->msi_wr_ready) {
        message_valid = false;
        message_open = true;
      }
      const size_t before = memory.log.size();
      memory.sample(*top);
      for (size_t i = before; i < memory.log.size(); ++i) check(memory.log[i], record, message_data);
      bool nothing = !event_open && !message_open && !event_valid && !message_valid;
      for (const Client& client : clients) {
        nothing = nothing && !client.valid;
        for (const auto& question : client.open) nothing = nothing && !question;
      }
      edge();
      idle_ = nothing;
    }
    settle();
    EXPECT_TRUE(top->idle);
    EXPECT_EQ(memory.protocol_errors, 0u);
    for (const Client& client : clients) {
      EXPECT_GT(client.served, 0u);
      waited_max_ = std::max(waited_max_, client.waited_max);
    }
    EXPECT_GT(events, 0u);
    EXPECT_GT(messages, 0u);
    reads_open_max_ = memory.reads_open_max;
  }

  static bool under_way(const std::array<Client, 3>& clients) {
    for (const Client& client : clients)
      for (const auto& question : client.open)
        if (question) return true;
    return false;
  }

  void check(const BenchMemory::Access& access, const std::array<uint64_t, 4>& record, uint32_t message) {
    if (!access.write) return;
    if (access.id == 0) {
      ASSERT_EQ(access.size_bytes, 32u);
      ASSERT_EQ(access.user, 0x155u);
      for (unsigned i = 0; i < 32; ++i) ASSERT_EQ(access.data[i], uint8_t(record[i / 8] >> (8 * (i % 8))));
    } else {
      ASSERT_EQ(access.id, 1u);
      ASSERT_EQ(access.size_bytes, 4u);
      ASSERT_EQ(access.user, 0x2aau);
      for (unsigned i = 0; i < 4; ++i) ASSERT_EQ(access.data[i], uint8_t(message >> (8 * i)));
    }
  }

  void drive(const std::array<Client, 3>& clients) {
    const Client& walks = clients[kWalks];
    top->walk_rd_valid = walks.valid;
    top->walk_rd_addr = walks.address;
    top->walk_rd_beats = walks.beats;
    top->walk_rd_tag = walks.tag;
    top->walk_rd_attr = walks.attributes;
    const Client& configuration = clients[kConfiguration];
    top->cfg_rd_valid = configuration.valid;
    top->cfg_rd_addr = configuration.address;
    top->cfg_rd_beats = configuration.beats;
    top->cfg_rd_tag = configuration.tag;
    top->cfg_rd_attr = configuration.attributes;
    const Client& commands = clients[kCommands];
    top->cmd_rd_valid = commands.valid;
    top->cmd_rd_addr = commands.address;
    top->cmd_rd_beats = commands.beats;
    top->cmd_rd_attr = commands.attributes;
  }

  bool idle_ = false;
  unsigned waited_max_ = 0;
  size_t reads_open_max_ = 0;
};

TEST_F(MemoryPort, AnswersComeBackToWhoAskedUnderBackPressure) { play(20'000, 40, 30, 40); }

TEST_F(MemoryPort, WithoutBackPressureNobodyWaitsLongAndManyReadsAreUnderWay) {
  play(20'000, 100, 100, 0);
  EXPECT_LE(waited_max_, 3u);
  EXPECT_GE(reads_open_max_, 16u);
}

TEST_F(MemoryPort, OneAtATime) { play(20'000, 3, 0, 0); }

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge::rtl_test
