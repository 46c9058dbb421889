// SPDX-License-Identifier: Apache-2.0
// Bytes as a program of an SMMU: register writes, memory, transactions, requests. Whatever they say, a call ends after
// a bounded number of accesses, addresses stay inside the output size, and what software cannot change stays.
// LOCKSTEP_SEED chooses the inputs, LOCKSTEP_FUZZ_SECONDS how much processor time. Built with -fsanitize=fuzzer,
// LLVMFuzzerTestOneInput is the same check for a real fuzzer.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <stdexcept>
#include <vector>

#include "tests/core/seed.h"
#include "tlm_models/smmuv3/bits.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

// Bytes one after another; zero when they are used up.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ >= size_; }
  uint8_t byte() { return empty() ? 0 : data_[at_++]; }
  uint64_t word() {
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) value |= static_cast<uint64_t>(byte()) << 8 * i;
    return value;
  }
  // Often something that means something.
  uint64_t value() {
    switch (byte() % 6) {
      case 0:
        return word();
      case 1:
        return byte();
      case 2:
        return static_cast<uint64_t>(byte()) << 12;
      case 3:
        return uint64_t{1} << byte() % 64;
      case 4:
        return ~uint64_t{0} >> byte() % 64;
      default:
        return static_cast<uint64_t>(byte()) << 12 | byte();
    }
  }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

// A mebibyte that repeats itself through the address space, so that every pointer leads somewhere; some pages fail.
class FuzzMemory : public MemoryPort {
 public:
  static constexpr size_t kSize = 1 << 20;
  // A queue of the largest size has 2^19 commands, each read once.
  static constexpr uint64_t kAccessesMax = uint64_t{1} << 22;

  bool read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes&, AccessKind) override {
    check(address, size_bytes);
    if (fails(address)) return false;
    std::memcpy(data, &bytes[address % kSize], size_bytes);
    return true;
  }
  bool write(uint64_t address, const void* data, size_t size_bytes, const MemoryAttributes&, AccessKind) override {
    check(address, size_bytes);
    if (fails(address)) return false;
    std::memcpy(&bytes[address % kSize], data, size_bytes);
    return true;
  }
  ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired, const MemoryAttributes&,
                          AccessKind) override {
    check(address, 8);
    if (fails(address)) return ExchangeResult::kBusError;
    uint64_t now = 0;
    std::memcpy(&now, &bytes[address % kSize], sizeof now);
    if (now != expected || ++exchanges_ % 7 == 0) return ExchangeResult::kChanged;
    std::memcpy(&bytes[address % kSize], &desired, sizeof desired);
    return ExchangeResult::kDone;
  }

  std::vector<uint8_t> bytes = std::vector<uint8_t>(kSize);
  uint64_t accesses = 0;
  unsigned output_bits = 52;
  uint8_t failing = 0xff;  // pages whose number ends so

 private:
  bool fails(uint64_t address) const { return (address >> 12 & 0xff) == failing; }
  void check(uint64_t address, size_t size_bytes) {
    ++accesses;
    if (accesses > kAccessesMax) throw std::runtime_error("a call makes too many accesses");
    if (address > ones(output_bits)) throw std::runtime_error("an access lies beyond the output size");
    if (address % size_bytes != 0 || size_bytes < 4 || size_bytes > 64) throw std::runtime_error("an unaligned access");
  }
  unsigned exchanges_ = 0;
};

class FuzzEnvironment : public Environment {
 public:
  void raise(Interrupt) override {}
  void send_event() override {}
  void resolved(uint64_t, const TranslateResult& result) override {
    if (result.outcome == Outcome::kStalled || result.outcome == Outcome::kNoRoom)
      throw std::runtime_error("a stall that ended goes on");
  }
  AtcAnswer invalidate_atc(const AtcInvalidation& invalidation) override {
    if (invalidation.size_log2 < 12 || invalidation.size_log2 > 64) throw std::runtime_error("an odd ATC invalidation");
    return static_cast<AtcAnswer>(++answers % 3);
  }
  void page_response(const PageResponse&) override {}
  bool downstream_quiet() override { return ++answers % 4 != 0; }
  unsigned answers = 0;
};

Config config_of(Bytes& bytes) {
  Config config;
  const uint64_t bits = bytes.word();
  static constexpr unsigned kSizes[] = {52, 48, 44, 42, 40, 36, 32, 52};
  config.oas_bits = kSizes[bits & 7];
  config.va52 = bit(bits, 3);
  config.stage2 = !bit(bits, 4) || !bit(bits, 5);
  config.hypervisor = bit(bits, 6);
  config.ats = bit(bits, 7);
  config.pri = config.ats && bit(bits, 8);
  config.two_level_cd = bit(bits, 9);
  config.force_write_back = bit(bits, 10);
  config.small_translation_tables = bit(bits, 11);
  config.hardware_update = static_cast<HardwareUpdate>(bits >> 12 & 1 ? 2 : bits >> 13 & 1);
  config.stall_model = static_cast<StallModel>(bits >> 14 & 3 ? 0 : 1 + (bits >> 16 & 1));
  config.substream_id_bits = bits >> 17 & 15;
  config.command_queue_log2 = bits >> 21 & 15;
  config.event_queue_log2 = bits >> 25 & 15;
  config.pri_queue_log2 = bits >> 29 & 15;
  config.stalled_transactions_max = 1 + (bits >> 33 & 7);
  config.deferred_updates = bit(bits, 37);
  config.tlb_sets_log2 = bits >> 38 & 3;
  config.tlb_ways = 1 + (bits >> 40 & 3);
  config.config_cache_log2 = bits >> 42 & 3;
  config.tlb = bit(bits, 44);
  config.merge_events = bit(bits, 45);
  return config;
}

// Throws what is wrong.
void play(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  const Config config = config_of(bytes);
  if (!check(config)) return;
  FuzzMemory memory;
  memory.output_bits = config.oas_bits;
  memory.failing = bytes.byte();
  FuzzEnvironment environment;
  Smmu smmu(config, memory, environment);
  const uint64_t idr5 = smmu.read_register(0x14, 4);
  const auto rows = register_rows();
  // Structures that pass the first checks, so that the walk behind them is reached.
  const uint64_t seed = bytes.word();
  std::mt19937_64 random(seed);
  for (size_t at = 0; at < FuzzMemory::kSize; at += 8) {
    uint64_t word = random() & random();
    if (at % 64 == 0 && random() % 2) word = (word & 0x7ffffffffffffc0) | 1 | (4 + random() % 4) << 1;
    if (random() % 3 == 0) word = (random() & 0xff000) | (random() & 0xfff) | 3 | 1 << 10;
    std::memcpy(&memory.bytes[at], &word, sizeof word);
  }
  for (unsigned steps = 0; !bytes.empty() && steps < 2000; ++steps) {
    memory.accesses = 0;
    const uint8_t what = bytes.byte();
    switch (what % 12) {
      case 0:
      case 1: {
        const RegisterRow& row = rows[bytes.byte() % rows.size()];
        smmu.write_register(row.offset, row.size_bytes, bytes.value());
        break;
      }
      case 2:
        smmu.write_register(static_cast<uint32_t>(bytes.value()) & 0x1ffff, what & 64 ? 8 : 4, bytes.value());
        break;
      case 3:
        smmu.write_register(0x20, 4, 0x1f);
        smmu.write_register(0x50, 4, 7);
        break;
      case 4: {
        const uint64_t word = bytes.value();
        std::memcpy(&memory.bytes[bytes.word() % FuzzMemory::kSize & ~uint64_t{7}], &word, sizeof word);
        break;
      }
      case 5: {
        // A command where the device looks for it.
        const uint64_t base = field_in_place(smmu.read_register(0x90, 8), 51, 5);
        const uint64_t produced = smmu.read_register(0x98, 4);
        const uint64_t words[] = {bytes.byte() | bytes.value() << 8, bytes.value()};
        std::memcpy(&memory.bytes[(base + produced * 16) % (FuzzMemory::kSize - 16) & ~uint64_t{15}], words,
                    sizeof words);
        smmu.write_register(0x98, 4, produced + 1);
        break;
      }
      case 6: {
        AtsRequest request;
        request.address = bytes.value();
        request.stream_id = static_cast<uint32_t>(bytes.value());
        request.substream_id = bytes.byte();
        request.substream_valid = bit(what, 4);
        request.no_write = bit(what, 5);
        request.execute = bit(what, 6);
        request.privileged = bit(what, 7);
        const AtsCompletion completion = smmu.translate_for_ats(request);
        if (completion.size_log2 < 12) throw std::runtime_error("a completion that is too small");
        break;
      }
      case 7: {
        PageRequest request;
        request.address = bytes.value();
        request.stream_id = bytes.byte();
        request.substream_valid = bit(what, 4);
        request.last = bit(what, 5);
        request.read = bit(what, 6);
        request.write = bit(what, 7);
        smmu.page_request(request);
        break;
      }
      case 8:
        smmu.atc_invalidated(bit(what, 7));
        smmu.resume_commands();
        smmu.complete_updates();
        break;
      default: {
        Transaction transaction;
        transaction.address = bytes.value();
        transaction.stream_id = bit(what, 3) ? bytes.byte() & 15u : static_cast<uint32_t>(bytes.value());
        transaction.substream_id = bytes.byte();
        transaction.substream_valid = bit(what, 4);
        transaction.write = bit(what, 5);
        transaction.atomic = transaction.write && bit(what, 6);
        transaction.instruction = bit(what, 6);
        transaction.privileged = bit(what, 7);
        transaction.translated = bytes.byte() % 8 == 0;
        const TranslateResult result = smmu.translate(transaction);
        if (result.outcome == Outcome::kPass && result.address > ones(config.oas_bits))
          throw std::runtime_error("a transaction leaves beyond the output size");
        if (result.outcome == Outcome::kStalled && result.stall_tag >= config.stalled_transactions_max)
          throw std::runtime_error("a stall tag that cannot be");
        break;
      }
    }
    if (smmu.stalled_transactions() > config.stalled_transactions_max) throw std::runtime_error("too many stalls");
  }
  if (smmu.read_register(0x14, 4) != idr5) throw std::runtime_error("an ID register changed");
  if ((smmu.read_register(0x9c, 4) >> 24 & 0x7f) > 3) throw std::runtime_error("an error code that is none");
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::tlm_models::smmuv3::play(data, size);
  return 0;
}

namespace lockstep::tlm_models::smmuv3 {
namespace {

TEST(SmmuProgrammingFuzz, NonsenseIsSurvived) {
  const char* given = std::getenv("LOCKSTEP_FUZZ_SECONDS");
  const double seconds = given ? std::strtod(given, nullptr) : 0;
  const std::clock_t begin = std::clock();
  const auto spent = [&] { return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC; };
  std::mt19937_64 random(test::seed());
  uint64_t inputs = 0;
  for (; inputs < 150 || spent() < seconds; ++inputs) {
    std::vector<uint8_t> input(16 + random() % 3000);
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random());
    ASSERT_NO_THROW(LLVMFuzzerTestOneInput(input.data(), input.size())) << "input " << inputs;
  }
  std::printf("%llu inputs\n", static_cast<unsigned long long>(inputs));
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
