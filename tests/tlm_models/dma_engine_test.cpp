// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/dma_engine/dma_engine.h"

#include <gtest/gtest.h>

#include <tlm_utils/simple_target_socket.h>

#include "tests/tlm_models/bench.h"
#include "tlm_models/kernel/memory_access.h"

namespace lockstep::tlm_models {
namespace {

using smmuv3::Outcome;
using smmuv3::RequesterExtension;
using smmuv3::Verdict;

constexpr uint64_t kBase = 0x10000;
constexpr uint64_t kBytes = 0x8000;

// Stands where the SMMU does: memory at 0, with a verdict for the next access.
class Upstream : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<Upstream> socket;
  std::vector<uint8_t> bytes = std::vector<uint8_t>(kBytes);
  std::vector<Verdict> next;  // of the accesses to come; then they pass
  RequesterExtension last;
  std::vector<std::pair<uint64_t, unsigned>> writes;

  explicit Upstream(sc_core::sc_module_name name) : sc_module(name), socket("socket") {
    socket.register_b_transport(this, &Upstream::b_transport);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    auto* extension = payload.get_extension<RequesterExtension>();
    ASSERT_NE(extension, nullptr);
    ASSERT_NE(payload.get_extension<DmaExtension>(), nullptr) << "memory alone is meant";
    extension->verdict = next.empty() ? Verdict::kPassed : next.front();
    if (!next.empty()) next.erase(next.begin());
    last = *extension;
    if (extension->verdict != Verdict::kPassed) {
      const bool ignored = extension->verdict == Verdict::kIgnored;
      if (ignored && payload.is_read()) std::memset(payload.get_data_ptr(), 0, payload.get_data_length());
      payload.set_response_status(ignored ? tlm::TLM_OK_RESPONSE : tlm::TLM_GENERIC_ERROR_RESPONSE);
      return;
    }
    if (payload.get_address() + payload.get_data_length() > kBytes) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    if (payload.is_write()) {
      writes.emplace_back(payload.get_address(), payload.get_data_length());
      std::memcpy(&bytes[payload.get_address()], payload.get_data_ptr(), payload.get_data_length());
    } else {
      std::memcpy(payload.get_data_ptr(), &bytes[payload.get_address()], payload.get_data_length());
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

struct EngineBench : testing::Bench {
  TimerQueue timers{"timers"};
  DmaEngine engine{"engine", timers, 7};
  Upstream upstream{"upstream"};

  EngineBench() {
    add(engine, kBase, DmaEngine::kSizeBytes);
    engine.dma.bind(upstream.socket);
    advance();
    for (size_t i = 0; i < kBytes; ++i) upstream.bytes[i] = static_cast<uint8_t>(i * 7 + i / 256);
  }
  void start(uint64_t source, uint64_t destination, uint64_t length) {
    cpu.write(kBase + 0x00, source, 8);
    cpu.write(kBase + 0x08, destination, 8);
    cpu.write(kBase + 0x10, length);
    cpu.write(kBase + 0x20, 1);
  }
  void copy(uint64_t source, uint64_t destination, uint64_t length) {
    start(source, destination, length);
    advance(DmaEngine::kStartNs + length + 10);
  }
  uint64_t status() { return cpu.read(kBase + 0x24); }
  bool equal(uint64_t a, uint64_t b, uint64_t length) {
    return std::equal(&upstream.bytes[a], &upstream.bytes[a] + length, &upstream.bytes[b]);
  }
};

TEST(DmaEngine, RegistersKeepTheirTable) {
  EngineBench bench;
  EXPECT_EQ(bench.cpu.read(kBase + 0x14), 7u);
  testing::check_registers(bench.engine, bench.cpu, kBase);
}

TEST(DmaEngine, CopiesPieceByPieceWithinPages) {
  EngineBench bench;
  bench.cpu.write(kBase + 0x14, 9);
  bench.cpu.write(kBase + 0x18, 0x80000005);
  bench.cpu.write(kBase + 0x1c, 1);
  bench.cpu.write(kBase + 0x44, 1);
  bench.start(0x100, 0x4200, 0x2000);
  EXPECT_EQ(bench.status(), 1u);
  EXPECT_FALSE(bench.engine.irq.level());
  bench.cpu.write(kBase + 0x10, 1);  // for the next copy
  bench.advance(DmaEngine::kStartNs + 0x2010);
  EXPECT_EQ(bench.status(), 4u);
  EXPECT_TRUE(bench.equal(0x100, 0x4200, 0x2000));
  EXPECT_TRUE(bench.engine.irq.level());
  bench.cpu.write(kBase + 0x48, 1);
  EXPECT_FALSE(bench.engine.irq.level());
  EXPECT_EQ(bench.cpu.read(kBase + 0x38), 0x2000u);
  for (const auto& [address, length] : bench.upstream.writes) EXPECT_LE(address % 4096 + length, 4096u);
  EXPECT_EQ(bench.upstream.last.transaction.stream_id, 9u);
  EXPECT_TRUE(bench.upstream.last.transaction.substream_valid);
  EXPECT_EQ(bench.upstream.last.transaction.substream_id, 5u);
  EXPECT_TRUE(bench.upstream.last.transaction.privileged);
}

TEST(DmaEngine, ErrorsSayWhereAndWhich) {
  EngineBench bench;
  bench.copy(kBytes - 8, 0, 64);
  EXPECT_EQ(bench.cpu.read(kBase + 0x38), 8u) << "up to the end of a page all is well";
  EXPECT_EQ(bench.status(), 12u);
  EXPECT_EQ(bench.cpu.read(kBase + 0x28), 2u);
  EXPECT_EQ(bench.cpu.read(kBase + 0x30, 8), kBytes);
  bench.upstream.next = {Verdict::kPassed, Verdict::kAborted};
  bench.copy(0, 0x1000, 64);
  EXPECT_EQ(bench.cpu.read(kBase + 0x28), 0x101u);
  bench.copy(0, 0x1000, DmaEngine::kMaxLengthBytes + 1);
  EXPECT_EQ(bench.cpu.read(kBase + 0x28), 3u);
  bench.copy(0, 0x1000, 0);
  EXPECT_EQ(bench.status(), 4u);
}

TEST(DmaEngine, StallHoldsTheCopyUntilItsEnd) {
  EngineBench bench;
  bench.upstream.next = {Verdict::kPassed, Verdict::kStalled};
  bench.copy(0, 0x4000, 64);
  EXPECT_EQ(bench.status(), 3u);
  EXPECT_EQ(bench.cpu.read(kBase + 0x3c), 1u);
  const uint64_t token = bench.upstream.last.token;
  bench.engine.stall_ended({token + 1, 0x4000, Outcome::kPass});
  EXPECT_EQ(bench.status(), 3u) << "an end of something else";
  bench.engine.stall_ended({token, 0x4000, Outcome::kPass});
  EXPECT_EQ(bench.status(), 4u);
  EXPECT_EQ(bench.upstream.last.token, token) << "repeated under the same name";
  EXPECT_TRUE(bench.equal(0, 0x4000, 64));

  bench.upstream.next = {Verdict::kStalled};
  bench.copy(0, 0x5000, 64);
  bench.engine.stall_ended({bench.upstream.last.token, 0, Outcome::kZeroIgnored});
  EXPECT_EQ(bench.status(), 4u);
  EXPECT_EQ(bench.cpu.read(kBase + 0x40), 1u);
  EXPECT_EQ(bench.upstream.bytes[0x5001], 0);

  bench.upstream.next = {Verdict::kStalled};
  bench.copy(0, 0x5000, 64);
  bench.engine.stall_ended({bench.upstream.last.token, 0, Outcome::kAbort});
  EXPECT_EQ(bench.status(), 12u);

  // A copy that was stopped has nothing to go on with.
  bench.upstream.next = {Verdict::kStalled};
  bench.copy(0, 0x5000, 64);
  bench.cpu.write(kBase + 0x20, 2);
  EXPECT_EQ(bench.status(), 0u);
  bench.engine.stall_ended({bench.upstream.last.token, 0, Outcome::kPass});
  EXPECT_EQ(bench.status(), 0u);
}

TEST(DmaEngine, HeldAccessIsTriedAgain) {
  EngineBench bench;
  bench.upstream.next = {Verdict::kHeld};
  bench.copy(0, 0x4000, 64);
  EXPECT_EQ(bench.status(), 3u);
  bench.engine.stalls_are_free();
  EXPECT_EQ(bench.status(), 4u);
  EXPECT_TRUE(bench.equal(0, 0x4000, 64));
}

TEST(DmaEngine, SnapshotHoldsACopyUnderWay) {
  EngineBench bench;
  bench.upstream.next = {Verdict::kPassed, Verdict::kStalled};
  bench.copy(0x10, 0x4000, 64);
  const uint64_t token = bench.upstream.last.token;
  SnapshotSection saved("engine");
  bench.engine.save(saved);
  bench.engine.reset();
  EXPECT_EQ(bench.status(), 0u);
  ASSERT_TRUE(bench.engine.restore(saved).ok());
  EXPECT_EQ(bench.status(), 3u);
  bench.engine.stall_ended({token, 0x4000, Outcome::kPass});
  EXPECT_EQ(bench.status(), 4u);
  EXPECT_TRUE(bench.equal(0x10, 0x4000, 64));
  saved.put("reg.STEP", 0);
  EXPECT_FALSE(bench.engine.restore(saved).ok());
}

}  // namespace
}  // namespace lockstep::tlm_models
