// SPDX-License-Identifier: Apache-2.0
// The SMMU behind its sockets: what goes in, what comes out, and who is told.
#include "tlm_models/smmuv3/smmu_module.h"

#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <map>

#include "tests/tlm_models/bench.h"
#include "tests/tlm_models/smmuv3/simple_world.h"
#include "tlm_models/kernel/memory_access.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;
using testing::TestInitiator;

constexpr uint64_t kInput = 0x123456000;
constexpr uint64_t kBroken = 0x55550000;  // answers a bus error
constexpr uint32_t kStream = 3;

// Memory behind the SMMU, which is that of the tests' world; remembers what came.
class Target : public sc_core::sc_module, public tlm::tlm_fw_transport_if<> {
 public:
  struct Seen {
    uint64_t address;
    unsigned length;
    bool write;
    bool dma;
    DownstreamExtension extension;
  };
  tlm::tlm_target_socket<> socket;
  std::vector<Seen> seen;
  std::function<void()> during;  // called inside an access of a requester
  // One page that is granted by DMI.
  uint64_t direct_page = 0;
  std::array<uint8_t, 4096> direct{};

  Target(sc_core::sc_module_name name, smmuv3_reference::SparseMemory& memory)
      : sc_module(name), socket("socket"), memory_(memory) {
    socket.bind(*this);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) override {
    const auto* extension = payload.get_extension<DownstreamExtension>();
    ASSERT_NE(extension, nullptr);
    const uint64_t address = payload.get_address();
    seen.push_back({address, payload.get_data_length(), payload.is_write(),
                    payload.get_extension<DmaExtension>() != nullptr, *extension});
    if (during && extension->origin == DownstreamExtension::Origin::kRequester) during();
    bool good = true;
    for (unsigned i = 0; i < payload.get_data_length(); ++i) {
      const unsigned char* enables = payload.get_byte_enable_ptr();
      if (enables && enables[i % payload.get_byte_enable_length()] == 0) continue;
      unsigned char* byte = payload.get_data_ptr() + i;
      good &= payload.is_write() ? memory_.write(address + i, byte, 1) : memory_.read(address + i, byte, 1);
    }
    payload.set_dmi_allowed(true);
    payload.set_response_status(good ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) override {
    if (direct_page == 0 || (payload.get_address() & ~uint64_t{0xfff}) != direct_page) return false;
    // More than the page, as a memory grants all of itself.
    dmi.set_start_address(direct_page);
    dmi.set_end_address(direct_page + 0xffff);
    dmi.set_dmi_ptr(direct.data());
    dmi.set_granted_access(tlm::tlm_dmi::DMI_ACCESS_READ_WRITE);
    return true;
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override {
    const bool good = payload.is_write()
                          ? memory_.write(payload.get_address(), payload.get_data_ptr(), payload.get_data_length())
                          : memory_.read(payload.get_address(), payload.get_data_ptr(), payload.get_data_length());
    return good ? payload.get_data_length() : 0;
  }

 private:
  smmuv3_reference::SparseMemory& memory_;
};

// A device behind the SMMU.
class Requester : public sc_core::sc_module, public tlm::tlm_bw_transport_if<>, public RequesterListener {
 public:
  tlm::tlm_initiator_socket<> socket;
  tlm::tlm_generic_payload payload;
  RequesterExtension extension;
  std::vector<StallEnd> ends;
  std::function<void(const StallEnd&)> on_end;
  unsigned told_of_free_stalls = 0;
  unsigned dmi_taken_back = 0;
  std::vector<AtcInvalidation> invalidations;
  AtcAnswer atc_answer = AtcAnswer::kDone;
  std::vector<PageResponse> responses;

  explicit Requester(sc_core::sc_module_name name) : sc_module(name), socket("socket") {
    socket.bind(*this);
    extension.transaction.stream_id = kStream;
    extension.transaction.privileged = true;
    payload.set_extension(&extension);
  }
  ~Requester() override { payload.clear_extension(&extension); }

  tlm::tlm_response_status access(tlm::tlm_command command, uint64_t address, void* data, unsigned length) {
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    EXPECT_EQ(payload.get_address(), address);
    EXPECT_EQ(payload.get_data_length(), length);
    EXPECT_EQ(payload.get_extension<DownstreamExtension>(), nullptr);
    return payload.get_response_status();
  }
  tlm::tlm_response_status read(uint64_t address, uint64_t& value) {
    return access(tlm::TLM_READ_COMMAND, address, &value, sizeof value);
  }
  tlm::tlm_response_status write(uint64_t address, uint64_t value) {
    return access(tlm::TLM_WRITE_COMMAND, address, &value, sizeof value);
  }
  bool ask_dmi(tlm::tlm_command command, uint64_t address, tlm::tlm_dmi& dmi) {
    payload.set_command(command);
    payload.set_address(address);
    return socket->get_direct_mem_ptr(payload, dmi);
  }

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override { ++dmi_taken_back; }
  void stall_ended(const StallEnd& end) override {
    ends.push_back(end);
    if (on_end) on_end(end);
  }
  void stalls_are_free() override { ++told_of_free_stalls; }
  AtcAnswer invalidate_atc(const AtcInvalidation& invalidation) override {
    invalidations.push_back(invalidation);
    return atc_answer;
  }
  void page_response(const PageResponse& response) override { responses.push_back(response); }
};

SmmuModuleConfig two_ports(const Config& core) { return {.core = core, .requesters = {{0, 15}, {16, 63}}}; }

// A world's tables behind a module, with its registers behind a socket.
struct ModuleWorld : SimpleWorld {
  Target target{"target", memory.memory};
  SmmuModule module;
  Requester device{"device"};
  Requester other{"other"};
  TestInitiator software{"software"};
  std::map<const IrqLine*, unsigned> pulses;

  explicit ModuleWorld(const Config& config = default_config()) : ModuleWorld(two_ports(config)) {}
  explicit ModuleWorld(const SmmuModuleConfig& config) : SimpleWorld(config.core), module("smmu", config) {
    device.socket.bind(module.upstream(0));
    other.socket.bind(module.upstream(1));
    module.downstream.bind(target.socket);
    software.socket.bind(module.socket);
    module.set_listener(0, &device);
    module.set_listener(1, &other);
    for (IrqLine* line :
         {&module.eventq_irq, &module.priq_irq, &module.cmdq_sync_irq, &module.gerror_irq, &module.combined_irq})
      line->connect([this, line](bool level) { pulses[line] += level; });
    memory.memory.break_page(kBroken);
  }
  // Stage 1 with one page, caught by nothing of the inner world's own SMMU.
  void begin(uint64_t leaf = kPage | kStage1Leaf, bool stall = false) {
    start_stage1(kInput, leaf);
    Words words = cd(root);
    set_field(words, 44, 44, stall);
    put_cd(0, words);
    testing::Bench::advance();
    set(Id::kStrtabBase, kStreamTable);
    set(Id::kStrtabBaseCfg, 6);
    set(Id::kCr2, kCr2RecordInvalidStream);
    set(Id::kCmdqBase, kCommandQueue | kQueueLog2);
    set(Id::kEventqBase, kEventQueue | kQueueLog2);
    set(Id::kPriqBase, kPriQueue | kQueueLog2);
    set(Id::kIrqCtrl, 7);
    set(Id::kCr0, kCr0SmmuEnable | kCr0EventQueueEnable | kCr0CommandQueueEnable | kCr0PriQueueEnable);
    EXPECT_EQ(get(Id::kCr0Ack), get(Id::kCr0));
  }
  static const RegisterRow& row(Id id) {
    for (const RegisterRow& each : register_rows())
      if (each.id == id) return each;
    throw std::logic_error("no such register");
  }
  void set(Id id, uint64_t value) { software.write(row(id).offset, value, row(id).size_bytes); }
  uint64_t get(Id id) { return software.read(row(id).offset, row(id).size_bytes); }
  bool order(uint64_t low, uint64_t high = 0) {
    const uint64_t index = get(Id::kCmdqProd);
    put_words(kCommandQueue + (index & 63) * 16, {low, high});
    set(Id::kCmdqProd, (index + 1) & 127);
    return get(Id::kCmdqProd) == get(Id::kCmdqCons);
  }
  bool resume_stall(uint16_t tag, unsigned response) {
    return order(0x44 | uint64_t{response} << 12 | uint64_t{kStream} << 32, tag);
  }
  EventRecord event(unsigned index) {
    EventRecord record;
    memory.memory.read(kEventQueue + index * 32, record.data(), sizeof record);
    return record;
  }
};

TEST(SmmuModule, RegistersAreReachedInWordsAndDoubleWords) {
  ModuleWorld world;
  testing::Bench::advance();
  uint64_t value = 0;
  EXPECT_EQ(world.get(Id::kAidr), 2u);
  EXPECT_EQ(world.software.read(0, 8), world.get(Id::kIdr1) << 32 | world.get(Id::kIdr0));
  world.software.write(0x80, 0x1000, 4);
  world.software.write(0x84, 0x40000002, 4);
  EXPECT_EQ(world.software.read(0x80, 8), 0x4000000200001000u);
  for (const unsigned size : {1u, 2u})
    EXPECT_EQ(world.software.access(tlm::TLM_READ_COMMAND, 0, size, value), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(world.software.access(tlm::TLM_READ_COMMAND, 4, 8, value), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(world.software.read(0x700), 0u);
  EXPECT_EQ(world.software.read(0x1a0fc), 0u);
  testing::check_registers(world.module, world.software, 0);
}

TEST(SmmuModule, AccessIsTranslatedAndCarriesItsAttributes) {
  ModuleWorld world;
  world.begin();
  world.memory.memory.put64(SimpleWorld::kPage + 0x18, 0x1122334455667788);
  world.target.seen.clear();
  uint64_t value = 0;
  EXPECT_EQ(world.device.read(kInput + 0x18, value), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(value, 0x1122334455667788u);
  EXPECT_EQ(world.device.extension.verdict, Verdict::kPassed);
  EXPECT_EQ(world.device.extension.bytes_done, 8u);
  ASSERT_FALSE(world.target.seen.empty());
  const Target::Seen& last = world.target.seen.back();
  EXPECT_EQ(last.address, SimpleWorld::kPage + 0x18);
  EXPECT_EQ(last.extension.origin, DownstreamExtension::Origin::kRequester);
  EXPECT_EQ(last.extension.stream_id, kStream);
  EXPECT_TRUE(last.extension.privileged);
  EXPECT_EQ(last.extension.attributes.shareability, Shareability::kInner);
  EXPECT_FALSE(last.dma);
  // The SMMU's own accesses before it: stream table, context, four descriptors.
  std::map<AccessKind, unsigned> kinds;
  for (const Target::Seen& seen : world.target.seen) {
    if (seen.extension.origin == DownstreamExtension::Origin::kRequester) continue;
    ++kinds[seen.extension.kind];
    EXPECT_TRUE(seen.dma);
  }
  EXPECT_EQ(kinds[AccessKind::kStreamTableEntry], 1u);
  EXPECT_EQ(kinds[AccessKind::kContextDescriptor], 1u);
  EXPECT_EQ(kinds[AccessKind::kStage1Descriptor], 4u);
  EXPECT_EQ(world.device.write(kInput + 0x20, 0xabc), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(world.memory.memory.get64(SimpleWorld::kPage + 0x20), 0xabcu);
}

TEST(SmmuModule, AccessWithoutExtensionIsOfTheDefaultStream) {
  ModuleWorld world;
  world.begin();
  uint64_t value = 0;
  world.other.payload.clear_extension(&world.other.extension);
  EXPECT_EQ(world.other.read(kInput, value), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(world.event(0)[0] >> 32, 16u);
  world.other.payload.set_extension(&world.other.extension);
}

TEST(SmmuModule, AnswersFromDownstreamStand) {
  ModuleWorld world;
  world.begin(kBroken | SimpleWorld::kStage1Leaf);
  uint64_t value = 0;
  EXPECT_EQ(world.device.read(kInput, value), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(world.device.extension.verdict, Verdict::kPassed);
}

TEST(SmmuModule, AccessesAreCutAtPages) {
  ModuleWorld world;
  world.begin();
  world.map(world.root, kInput + 0x1000, 0x50000000 | SimpleWorld::kStage1Leaf);
  std::vector<uint8_t> bytes(0x1800, 0x5a);
  world.target.seen.clear();
  EXPECT_EQ(world.device.access(tlm::TLM_WRITE_COMMAND, kInput + 0x700, bytes.data(), 0x1800), tlm::TLM_OK_RESPONSE);
  std::vector<std::pair<uint64_t, unsigned>> pieces;
  for (const Target::Seen& seen : world.target.seen)
    if (seen.extension.origin == DownstreamExtension::Origin::kRequester)
      pieces.emplace_back(seen.address, seen.length);
  const std::vector<std::pair<uint64_t, unsigned>> wanted = {{SimpleWorld::kPage + 0x700, 0x900}, {0x50000000, 0xf00}};
  EXPECT_EQ(pieces, wanted);
  EXPECT_EQ(world.device.extension.bytes_done, 0x1800u);
  // Up to a page that fails.
  EXPECT_EQ(world.device.access(tlm::TLM_WRITE_COMMAND, kInput + 0x1f00, bytes.data(), 0x800),
            tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(world.device.extension.verdict, Verdict::kAborted);
  EXPECT_EQ(world.device.extension.event, EventType::kTranslation);
  EXPECT_EQ(world.device.extension.bytes_done, 0x100u);
}

TEST(SmmuModule, ByteEnablesGoWithTheirPieces) {
  ModuleWorld world;
  world.begin();
  world.map(world.root, kInput + 0x1000, 0x50000000 | SimpleWorld::kStage1Leaf);
  uint8_t enables[3] = {0xff, 0, 0xff};
  uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  world.device.payload.set_byte_enable_ptr(enables);
  world.device.payload.set_byte_enable_length(3);
  EXPECT_EQ(world.device.access(tlm::TLM_WRITE_COMMAND, kInput + 0xffc, bytes, 8), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(world.device.payload.get_byte_enable_ptr(), enables);
  world.device.payload.set_byte_enable_ptr(nullptr);
  EXPECT_EQ(world.memory.memory.get64(SimpleWorld::kPage + 0xff8) >> 32, 0x04030001u);
  EXPECT_EQ(world.memory.memory.get64(0x50000000), 0x00070600u);
}

TEST(SmmuModule, WhatCannotBeExpressedIsUnsupported) {
  ModuleWorld world;
  world.begin();
  uint8_t bytes[16] = {};
  EXPECT_EQ(world.device.access(tlm::TLM_READ_COMMAND, kInput, bytes, 0), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(world.device.extension.event, EventType::kUut);
  world.device.extension.transaction.atomic = true;
  EXPECT_EQ(world.device.access(tlm::TLM_WRITE_COMMAND, kInput + 0xff8, bytes, 16), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(world.device.extension.event, EventType::kUut);
  EXPECT_EQ(world.event(0)[0] & 0xff, 1u);
  EXPECT_EQ(world.event(1)[1] & 0xffff, 3u);
}

TEST(SmmuModule, TerminatedWithoutAbortReadsZero) {
  ModuleWorld world;
  world.begin();
  Words words = SimpleWorld::cd(world.root);
  set_field(words, 46, 46, 0);
  world.put_cd(0, words);
  uint64_t value = ~uint64_t{0};
  EXPECT_EQ(world.device.read(kInput + 0x1000, value), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(value, 0u);
  EXPECT_EQ(world.device.extension.verdict, Verdict::kIgnored);
}

TEST(SmmuModule, StalledAccessGoesOnInsideTheCommandThatRetriesIt) {
  ModuleWorld world;
  world.begin(SimpleWorld::kPage | SimpleWorld::kStage1Leaf, true);
  world.device.extension.token = 77;
  EXPECT_EQ(world.device.write(kInput + 0x1008, 0x99), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(world.device.extension.verdict, Verdict::kStalled);
  const uint16_t tag = world.device.extension.stall_tag;
  world.map(world.root, kInput + 0x1000, 0x50000000 | SimpleWorld::kStage1Leaf);
  unsigned walks = 0;
  world.device.on_end = [&](const StallEnd& end) {
    EXPECT_EQ(end.outcome, Outcome::kPass);
    world.target.seen.clear();
    EXPECT_EQ(world.device.write(end.address, 0x99), tlm::TLM_OK_RESPONSE);
    walks = static_cast<unsigned>(world.target.seen.size()) - 1;
  };
  EXPECT_TRUE(world.resume_stall(tag, 1));
  ASSERT_EQ(world.device.ends.size(), 1u);
  EXPECT_EQ(world.device.ends[0].token, 77u);
  EXPECT_EQ(world.device.ends[0].address, kInput + 0x1008);
  EXPECT_EQ(walks, 0u) << "the translation that ended the stall is used";
  EXPECT_EQ(world.memory.memory.get64(0x50000008), 0x99u);
  EXPECT_TRUE(world.other.ends.empty());
}

TEST(SmmuModule, StalledAccessIsTerminated) {
  ModuleWorld world;
  world.begin(SimpleWorld::kPage | SimpleWorld::kStage1Leaf, true);
  uint64_t value = 0;
  for (const auto& [response, outcome] : {std::pair{2u, Outcome::kAbort}, {0u, Outcome::kZeroIgnored}}) {
    world.device.read(kInput + 0x1000, value);
    EXPECT_TRUE(world.resume_stall(world.device.extension.stall_tag, response));
    ASSERT_FALSE(world.device.ends.empty());
    EXPECT_EQ(world.device.ends.back().outcome, outcome);
  }
}

TEST(SmmuModule, AccessIsHeldWhileNoStallIsFree) {
  Config config = SimpleWorld::default_config();
  config.stalled_transactions_max = 1;
  ModuleWorld world(config);
  world.begin(SimpleWorld::kPage | SimpleWorld::kStage1Leaf, true);
  uint64_t value = 0;
  world.device.read(kInput + 0x1000, value);
  const uint16_t tag = world.device.extension.stall_tag;
  world.other.extension.transaction.stream_id = kStream;
  EXPECT_EQ(world.other.read(kInput + 0x2000, value), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(world.other.extension.verdict, Verdict::kHeld);
  EXPECT_EQ(world.other.told_of_free_stalls, 0u);
  world.resume_stall(tag, 2);
  EXPECT_EQ(world.other.told_of_free_stalls, 1u);
  EXPECT_EQ(world.device.told_of_free_stalls, 0u);
}

TEST(SmmuModule, DmiIsGrantedForAPageAndTakenBack) {
  ModuleWorld world;
  world.begin();
  world.target.direct_page = SimpleWorld::kPage;
  world.target.direct[0x40] = 0x77;
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(world.device.ask_dmi(tlm::TLM_WRITE_COMMAND, kInput + 0x123, dmi));
  EXPECT_EQ(dmi.get_start_address(), kInput);
  EXPECT_EQ(dmi.get_end_address(), kInput + 0xfff);
  EXPECT_TRUE(dmi.is_read_write_allowed());
  EXPECT_EQ(dmi.get_dmi_ptr()[0x40], 0x77);
  EXPECT_FALSE(world.device.ask_dmi(tlm::TLM_READ_COMMAND, kInput + 0x1000, dmi));
  EXPECT_EQ(world.get(Id::kEventqProd), 0u) << "asking raises no event";
  EXPECT_EQ(world.device.dmi_taken_back, 0u);
  world.order(0x46);
  EXPECT_GT(world.device.dmi_taken_back, 0u);
  EXPECT_EQ(world.other.dmi_taken_back, 0u);
  // A change of control takes it back, and there is none while translation is off.
  ASSERT_TRUE(world.device.ask_dmi(tlm::TLM_READ_COMMAND, kInput, dmi));
  const unsigned before = world.device.dmi_taken_back;
  world.set(Id::kCr0, 0);
  EXPECT_EQ(world.device.dmi_taken_back, before + 1);
  EXPECT_FALSE(world.device.ask_dmi(tlm::TLM_READ_COMMAND, kInput, dmi));
}

TEST(SmmuModule, DmiIsTakenBackByAnInvalidationAlone) {
  ModuleWorld world;
  world.begin();
  world.target.direct_page = SimpleWorld::kPage;
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(world.device.ask_dmi(tlm::TLM_READ_COMMAND, kInput, dmi));
  world.order(0x12 | uint64_t{9} << 48, kInput | 1);
  EXPECT_EQ(world.device.dmi_taken_back, 1u);
}

TEST(SmmuModule, DmiNeverWritesAReadOnlyOrACleanPage) {
  ModuleWorld world;
  // Read-only, but DBM: a first write makes it writable and dirty.
  world.begin(SimpleWorld::kPage | SimpleWorld::kStage1Leaf | uint64_t{1} << 7 | uint64_t{1} << 51);
  Words words = SimpleWorld::cd(world.root);
  set_field(words, 43, 43, 1);
  set_field(words, 42, 42, 1);
  world.put_cd(0, words);
  world.target.direct_page = SimpleWorld::kPage;
  tlm::tlm_dmi dmi;
  EXPECT_FALSE(world.device.ask_dmi(tlm::TLM_WRITE_COMMAND, kInput, dmi));
  ASSERT_TRUE(world.device.ask_dmi(tlm::TLM_READ_COMMAND, kInput, dmi));
  EXPECT_FALSE(dmi.is_write_allowed());
  EXPECT_NE(world.memory.memory.get64(world.last_leaf) & 1 << 7, 0u) << "still clean";
  EXPECT_EQ(world.device.write(kInput, 1), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(world.memory.memory.get64(world.last_leaf) & 1 << 7, 0u);
  ASSERT_TRUE(world.device.ask_dmi(tlm::TLM_WRITE_COMMAND, kInput, dmi));
}

TEST(SmmuModule, DebuggerSeesThroughAndChangesNothing) {
  ModuleWorld world;
  world.begin((SimpleWorld::kPage | SimpleWorld::kStage1Leaf) & ~uint64_t{1 << 10});
  Words words = SimpleWorld::cd(world.root);
  set_field(words, 43, 43, 1);
  world.put_cd(0, words);
  world.map(world.root, kInput + 0x1000, 0x50000000 | SimpleWorld::kStage1Leaf);
  world.memory.memory.put64(SimpleWorld::kPage + 0xff8, 0x1111);
  world.memory.memory.put64(0x50000000, 0x2222);
  const uint64_t leaf = world.memory.memory.get64(world.last_leaf);
  uint64_t values[4] = {};
  tlm::tlm_generic_payload& payload = world.device.payload;
  payload.set_command(tlm::TLM_READ_COMMAND);
  payload.set_address(kInput + 0xff8);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(values));
  payload.set_data_length(16);
  world.target.seen.clear();
  EXPECT_EQ(world.device.socket->transport_dbg(payload), 16u);
  EXPECT_EQ(values[0], 0x1111u);
  EXPECT_EQ(values[1], 0x2222u);
  payload.set_address(kInput + 0x1ff8);
  EXPECT_EQ(world.device.socket->transport_dbg(payload), 8u) << "up to a page that is not mapped";
  EXPECT_TRUE(world.target.seen.empty());
  EXPECT_EQ(world.memory.memory.get64(world.last_leaf), leaf);
  EXPECT_EQ(world.get(Id::kEventqProd), 0u);
}

TEST(SmmuModule, LinesPulse) {
  ModuleWorld world;
  world.begin();
  uint64_t value = 0;
  world.device.read(kInput + 0x1000, value);
  EXPECT_EQ(world.pulses[&world.module.eventq_irq], 1u);
  EXPECT_FALSE(world.module.eventq_irq.level());
  world.order(0x46 | 1 << 12);
  EXPECT_EQ(world.pulses[&world.module.cmdq_sync_irq], 1u);
  world.order(0xff);
  EXPECT_EQ(world.pulses[&world.module.gerror_irq], 1u);
  EXPECT_EQ(world.pulses[&world.module.combined_irq], 0u);
}

TEST(SmmuModule, LinesMayBeOneOrNone) {
  SmmuModuleConfig config = two_ports(SimpleWorld::default_config());
  config.combined_interrupt = true;
  ModuleWorld world(config);
  world.begin();
  world.order(0x46 | 1 << 12);
  world.order(0xff);
  EXPECT_EQ(world.pulses[&world.module.combined_irq], 2u);
  EXPECT_EQ(world.pulses[&world.module.cmdq_sync_irq], 0u);
}

TEST(SmmuModule, SyncWaitsForAccessesDownstream) {
  ModuleWorld world;
  world.begin();
  bool consumed_meanwhile = true;
  world.target.during = [&] { consumed_meanwhile = world.order(0x46); };
  uint64_t value = 0;
  world.device.read(kInput, value);
  EXPECT_FALSE(consumed_meanwhile);
  EXPECT_EQ(world.get(Id::kCmdqProd), world.get(Id::kCmdqCons)) << "and goes on by itself";
}

TEST(SmmuModule, AtsGoesToThePortOfItsStream) {
  ModuleWorld world;
  world.begin();
  Words ste = SimpleWorld::stage1_ste();
  set_field(ste, 64 + 29, 64 + 28, 1);
  world.put_ste(kStream, ste);
  AtsRequest request;
  request.stream_id = kStream;
  request.address = kInput;
  const AtsCompletion completion = world.module.ats(0).translate(request);
  EXPECT_EQ(completion.status, AtsStatus::kSuccess);
  EXPECT_EQ(completion.address, SimpleWorld::kPage);
  world.device.atc_answer = AtcAnswer::kPending;
  world.order(0x40 | uint64_t{kStream} << 32, kInput);
  ASSERT_EQ(world.device.invalidations.size(), 1u);
  EXPECT_TRUE(world.other.invalidations.empty());
  EXPECT_FALSE(world.order(0x46));
  world.module.ats(0).invalidated(false);
  EXPECT_EQ(world.get(Id::kCmdqProd), world.get(Id::kCmdqCons));
  world.order(0x40 | uint64_t{20} << 32, kInput);
  EXPECT_EQ(world.other.invalidations.size(), 1u);
  PageRequest page;
  page.stream_id = kStream;
  page.address = kInput;
  page.read = page.last = true;
  world.module.ats(0).page_request(page);
  EXPECT_EQ(world.pulses[&world.module.priq_irq], 1u);
  EXPECT_EQ(world.get(Id::kPriqProd), 1u);
  world.order(0x41 | uint64_t{kStream} << 32, uint64_t{2} << 12);
  ASSERT_EQ(world.device.responses.size(), 1u);
  EXPECT_EQ(world.device.responses[0].code, PageResponseCode::kSuccess);
}

TEST(SmmuModule, SnapshotHoldsRegistersAndStalls) {
  ModuleWorld world;
  world.begin(SimpleWorld::kPage | SimpleWorld::kStage1Leaf, true);
  world.device.extension.token = 5;
  world.device.write(kInput + 0x1000, 0x42);
  const uint16_t tag = world.device.extension.stall_tag;
  SnapshotSection saved("smmu");
  world.module.save(saved);
  world.module.reset();
  EXPECT_EQ(world.get(Id::kCr0), 0u);
  ASSERT_TRUE(world.module.restore(saved).ok());
  EXPECT_EQ(world.get(Id::kEventqProd), 1u);
  EXPECT_EQ(world.module.core().stalled_transactions(), 1u);
  world.map(world.root, kInput + 0x1000, 0x50000000 | SimpleWorld::kStage1Leaf);
  world.device.on_end = [&](const StallEnd& end) { world.device.write(end.address, 0x42); };
  EXPECT_TRUE(world.resume_stall(tag, 1));
  EXPECT_EQ(world.memory.memory.get64(0x50000000), 0x42u);
  // A stall of a port that is not there.
  saved.put("sync_waits", 0);
  world.device.write(kInput + 0x3000, 0x42);
  SnapshotSection other("smmu");
  world.module.save(other);
  auto words = other.bytes("core.stalled");
  ASSERT_TRUE(words.ok());
  (*words)[5 * 8 + 7] = 200;
  other.put_bytes("core.stalled", *words);
  EXPECT_FALSE(world.module.restore(other).ok());
}

TEST(SmmuModule, SecureRegistersAreSecureSoftwaresAlone) {
  SmmuModuleConfig config = two_ports(SimpleWorld::default_config());
  config.secure_interface = true;
  ModuleWorld world(config);
  TestInitiator secure_software("secure_software");
  secure_software.socket.bind(*world.module.secure_socket());
  testing::Bench::advance();
  EXPECT_EQ(world.software.read(0x8004), 0u);
  EXPECT_NE(secure_software.read(0x8004) >> 31, 0u) << "SECURE_IMPL of S_IDR1";
  world.software.write(0x8080, 0x1000, 8);
  EXPECT_EQ(secure_software.read(0x8080, 8), 0u);
  secure_software.write(0x8080, 0x1000, 8);
  EXPECT_EQ(secure_software.read(0x8080, 8), 0x1000u);
  EXPECT_EQ(world.software.read(0x8080, 8), 0u);
  secure_software.write(0x80, 0x2000, 8);
  EXPECT_EQ(world.software.read(0x80, 8), 0x2000u);
}

TEST(SmmuModule, AnSmmuWithoutStagesBypassesAndAborts) {
  Config config = SimpleWorld::default_config();
  config.stage1 = config.stage2 = config.hypervisor = config.ats = config.pri = config.ats_record_errors = false;
  config.substream_id_bits = 0;
  config.stall_model = StallModel::kTerminateOnly;
  ASSERT_TRUE(check(config).ok());
  ModuleWorld world(config);
  world.begin();
  EXPECT_EQ(world.get(Id::kIdr0) & 3, 0u);
  uint64_t value = 0;
  EXPECT_EQ(world.device.read(kInput, value), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(world.device.extension.event, EventType::kBadSte);
  world.put_ste(kStream, SimpleWorld::bypass_ste());
  world.order(0x04, 31);
  EXPECT_EQ(world.device.read(SimpleWorld::kPage, value), tlm::TLM_OK_RESPONSE);
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
