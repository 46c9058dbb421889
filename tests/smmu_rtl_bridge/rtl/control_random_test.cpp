// SPDX-License-Identifier: Apache-2.0
#include <cinttypes>

#include "tests/smmu_rtl_bridge/rtl/control_bench.h"
#include "tlm_models/smmuv3/event.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::smmu_rtl_bridge::rtl_test {
namespace {

namespace smmuv3 = tlm_models::smmuv3;

// The model of the same features beside the control half: register accesses, commands, records and bus errors are the
// same for both, one thing at a time, and then registers, memory and wires must be the same.
class ControlRandom : public ControlTest {
 protected:
  class Port : public smmuv3::MemoryPort {
   public:
    explicit Port(BenchMemory& shared) : shared_(shared) {}
    bool read(uint64_t address, void* data, size_t size_bytes, const smmuv3::MemoryAttributes&,
              smmuv3::AccessKind) override {
      if (shared_.broken_pages.count(address >> 12)) return false;
      for (size_t i = 0; i < size_bytes; ++i) {
        const auto found = bytes.find(address + i);
        static_cast<uint8_t*>(data)[i] = found == bytes.end() ? 0 : found->second;
      }
      return true;
    }
    bool write(uint64_t address, const void* data, size_t size_bytes, const smmuv3::MemoryAttributes&,
               smmuv3::AccessKind) override {
      if (shared_.broken_pages.count(address >> 12)) return false;
      for (size_t i = 0; i < size_bytes; ++i) bytes[address + i] = static_cast<const uint8_t*>(data)[i];
      return true;
    }
    smmuv3::ExchangeResult exchange(uint64_t, uint64_t, uint64_t, const smmuv3::MemoryAttributes&,
                                    smmuv3::AccessKind) override {
      return smmuv3::ExchangeResult::kBusError;
    }
    std::map<uint64_t, uint8_t> bytes;

   private:
    BenchMemory& shared_;
  };
  class Around : public smmuv3::Environment {
   public:
    void raise(smmuv3::Interrupt interrupt) override { ++raised[static_cast<size_t>(interrupt)]; }
    void send_event() override { ++events_sent; }
    void resolved(uint64_t, const smmuv3::TranslateResult&) override {}
    smmuv3::AtcAnswer invalidate_atc(const smmuv3::AtcInvalidation&) override { return smmuv3::AtcAnswer::kDone; }
    void page_response(const smmuv3::PageResponse&) override {}
    bool downstream_quiet() override { return true; }
    std::array<unsigned, 4> raised{};
    unsigned events_sent = 0;
  };

  static const smmuv3::RegisterRow& row_of(smmuv3::RegisterId id) {
    for (const auto& row : smmuv3::register_rows())
      if (row.id == id) return row;
    std::abort();
  }

  uint32_t random_index(unsigned log2) { return static_cast<uint32_t>(random() & ((2u << log2) - 1)); }

  uint64_t random_command_word() {
    static constexpr uint8_t kOpcodes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x20,
                                           0x21, 0x22, 0x23, 0x28, 0x2a, 0x30, 0x46, 0x46, 0x46, 0x46, 0x46};
    uint64_t word = random();
    if (!chance(2)) word = (word & ~uint64_t{0xff}) | kOpcodes[random() % std::size(kOpcodes)];
    if (!chance(5)) word &= ~uint64_t{0x400};
    if ((word & 0xff) == 0x46 && chance(80)) word &= ~uint64_t{0x2000};
    // Most commands are legal, so that some are consumed.
    if ((word & 0xff) != 0x46 && chance(80)) word |= 0x1000;
    return word;
  }
  uint64_t random_second_word() {
    switch (random() % 4) {
      case 0:
        return 0;
      case 1:
        return kMessages + random() % 0x3000 / 4 * 4;
      case 2:
        return random();
      default:
        return kMessages + (random() & 0xfff);
    }
  }
  uint64_t random_value(uint32_t offset) {
    using Id = smmuv3::RegisterId;
    for (const auto& row : smmuv3::register_rows()) {
      if (row.offset != offset) continue;
      switch (row.id) {
        case Id::kCr0:
          return chance(70) ? 0xc | (random() & 0x1c1) : random();
        case Id::kIrqCtrl:
          return chance(70) ? 5 : random();
        case Id::kCmdqBase:
          return (kCommands + random() % 16 * 0x400) | random() % 9;
        case Id::kEventqBase:
          return (kEvents + random() % 16 * 0x400) | random() % 6;
        case Id::kCmdqProd:
        case Id::kCmdqCons:
          return chance(80) ? random_index(8) : random();
        case Id::kEventqProd:
        case Id::kEventqCons:
          return (chance(80) ? random_index(4) : random()) | (random() & 0x80000000);
        case Id::kEventqIrqCfg0:
        case Id::kGerrorIrqCfg0:
          return chance(30) ? 0 : chance(80) ? kMessages + random() % 0x3000 : random();
        case Id::kGerrorN:
          return chance(70) ? model_register(0x60) : random();
        default:
          return random();
      }
    }
    return random();
  }
  uint32_t model_register(uint32_t offset) { return static_cast<uint32_t>(model->read_register(offset, 4)); }

  void write_both(uint32_t offset, uint32_t value) {
    model->write_register(offset, 4, value);
    write32(offset, value);
  }

  void something() {
    const unsigned what = random() % 100;
    if (what < 30) {
      const auto rows = smmuv3::register_rows();
      const auto& row = rows[random() % rows.size()];
      const uint64_t value = random_value(row.offset);
      write_both(row.offset, static_cast<uint32_t>(value));
      if (row.size_bytes == 8) write_both(row.offset + 4, static_cast<uint32_t>(value >> 32));
    } else if (what < 65) {
      const unsigned log2 = std::min<unsigned>(model_register(kCmdqBase) & 0x1f, 19);
      const uint32_t count = random() % ((1u << std::min(log2, 6u)) + 1);
      const uint32_t consumed = model_register(kCmdqCons);
      const uint64_t base = model->read_register(kCmdqBase, 8) & 0xfffffffffffe0 & ~((uint64_t{16} << log2) - 1);
      for (uint32_t i = 0; i < count; ++i)
        if (base >= kCommands && base < kCommands + 0x8000)
          write_command(base + ((consumed + i) & ((1u << log2) - 1)) * 16);
      write_both(kCmdqProd, (consumed + count) & ((2u << log2) - 1));
    } else if (what < 80) {
      smmuv3::Event event;
      event.stream_id = static_cast<uint32_t>(random());
      event.input_address = random();
      event.type = smmuv3::EventType::kPageRequestHint;
      const auto record = smmuv3::encode(event);
      model->page_hint(event);
      records.push_back({record[0], record[1], record[2], record[3]});
    } else if (what < 90) {
      write_both(kGerrorN, model_register(kGerror));
      if (chance(50)) write_both(kEventqCons, model_register(kEventqProd));
    } else if (what < 95) {
      static constexpr uint64_t kPlaces[] = {kCommands, kEvents, kMessages};
      const uint64_t page = (kPlaces[random() % 3] >> 12) + random() % 4;
      if (!memory.broken_pages.erase(page)) memory.broken_pages.insert(page);
    } else if (what < 97) {
      // What a driver does after something went wrong.
      write_both(kCr0, 0);
      if (!settle_down()) return;
      write_both(kCmdqBase, static_cast<uint32_t>(kCommands | random() % 9));
      write_both(kCmdqBase + 4, 0);
      write_both(kCmdqProd, 0);
      write_both(kCmdqCons, 0);
      write_both(kEventqBase, static_cast<uint32_t>(kEvents | random() % 5));
      write_both(kEventqBase + 4, 0);
      write_both(kEventqProd, 0);
      write_both(kEventqCons, 0);
      write_both(kGerrorN, model_register(kGerror));
      write_both(kIrqCtrl, 5);
      write_both(kCr0, 0xc);
    } else {
      const uint32_t offset = static_cast<uint32_t>(random()) & 0x1fffc;
      write_both(offset, static_cast<uint32_t>(random()));
    }
  }

  void compare(unsigned step) {
    for (const auto& row : smmuv3::register_rows())
      for (uint32_t word = 0; word < row.size_bytes; word += 4)
        ASSERT_EQ(read32(row.offset + word), model_register(row.offset + word)) << row.name << " after step " << step;
    if (step % 16 == 0) {
      ASSERT_TRUE(port->bytes == memory.bytes) << "memory after step " << step;
    }
    ASSERT_EQ(pulses_events, around.raised[0]) << "after step " << step;
    ASSERT_EQ(pulses_syncs, around.raised[2]) << "after step " << step;
    ASSERT_EQ(pulses_errors != 0, around.raised[3] != 0) << "after step " << step;
    ASSERT_EQ(pulses_sev != 0, around.events_sent != 0) << "after step " << step;
    ASSERT_EQ(memory.protocol_errors, 0u);
    causes[0] += pulses_events;
    causes[1] += pulses_syncs;
    causes[2] += pulses_errors;
    pulses_events = pulses_syncs = pulses_errors = pulses_sev = 0;
    around.raised = {};
    around.events_sent = 0;
  }

  void write_command(uint64_t at) {
    for (const uint64_t word : {random_command_word(), random_second_word()}) {
      memory.set_word(at, word);
      for (unsigned i = 0; i < 8; ++i) port->bytes[at + i] = static_cast<uint8_t>(word >> (8 * i));
      at += 8;
    }
  }
  void make_model() {
    port = std::make_unique<Port>(memory);
    model = std::make_unique<smmuv3::Smmu>(model_config(), *port, around);
    for (uint64_t at = kCommands; at < kCommands + 0x4000; at += 16) write_command(at);
  }

  Around around;
  std::unique_ptr<Port> port;
  std::unique_ptr<smmuv3::Smmu> model;
  std::array<unsigned, 3> causes{};
};

TEST_F(ControlRandom, DoesWhatTheModelDoes) {
  make_model();
  for (unsigned step = 0; step < 4000; ++step) {
    something();
    ASSERT_TRUE(settle_down());
    compare(step);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(causes[0], 20u);
  EXPECT_GT(causes[1], 50u);
  EXPECT_GT(causes[2], 20u);
}

// Nothing waits for anything: software may write what it likes while all goes on. The device must keep its protocols,
// and come to rest.
TEST_F(ControlRandom, SurvivesSoftwareThatDoesNotWait) {
  make_model();
  for (unsigned step = 0; step < 20'000; ++step) {
    something();
    if (chance(20)) run(static_cast<unsigned>(random() % 60));
    if (step % 500 == 499) {
      ASSERT_TRUE(settle_down());
    }
  }
  EXPECT_EQ(memory.protocol_errors, 0u);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge::rtl_test
