// SPDX-License-Identifier: Apache-2.0
// A third opinion: the same stage 1 worlds on QEMU's own SMMUv3, driven by qtest, with DMA of its `edu` device as the
// traffic. The data must lie where the model says, and events must agree in type, stream, address and direction.
// Skipped where there is no qemu-system-aarch64; LOCKSTEP_QEMU_AARCH64 names one.
//
// QEMU 7.2 differs from the architecture in ways that are kept out of the worlds: it checks neither the access flag nor
// AP[1] and the execute bits, lets no address above 48 bits reach its SMMU, has no stage 2 and no context tables,
// writes CLASS 0 where the specification has 2, and one event for every few bytes of a failed transfer. docs/smmu.md
// lists them.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "tests/core/seed.h"
#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr uint64_t kRam = 0x40000000;
constexpr uint64_t kSmmu = 0x09050000;
constexpr uint64_t kEcam = 0x3f000000;
constexpr uint64_t kBar = 0x10000000;
constexpr uint32_t kStream = 8;  // device 1, function 0
constexpr uint64_t kEduBuffer = 0x40000;
// Where the test's structures lie, in RAM of the machine and in the model's memory alike.
constexpr uint64_t kStreams = kRam + 0x1000000, kContext = kRam + 0x1100000, kCommands = kRam + 0x1200000,
                   kEvents = kRam + 0x1300000, kTables = kRam + 0x2000000, kPages = kRam + 0x10000000;

class Qemu {
 public:
  explicit Qemu(const std::string& program) {
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      dup2(to[0], 0);
      dup2(from[1], 1);
      for (int fd : {to[0], to[1], from[0], from[1]}) close(fd);
      // The processor waits for interrupts that never come.
      execlp(program.c_str(), program.c_str(), "-M", "virt,iommu=smmuv3,highmem=off", "-cpu", "cortex-a57", "-accel",
             "tcg", "-m", "1G", "-display", "none", "-nodefaults", "-monitor", "none", "-serial", "none", "-device",
             "edu,addr=1.0,dma_mask=0xffffffffffffffff", "-device", "loader,addr=0x40000000,data=0xd503207f,data-len=4",
             "-device", "loader,addr=0x40000004,data=0x17ffffff,data-len=4", "-device",
             "loader,addr=0x40000000,cpu-num=0", "-qtest", "stdio", "-qtest-log", "none", nullptr);
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    out_ = fdopen(to[1], "w");
    in_ = fdopen(from[0], "r");
  }
  ~Qemu() {
    if (out_) fclose(out_);
    if (in_) fclose(in_);
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  Qemu(const Qemu&) = delete;
  Qemu& operator=(const Qemu&) = delete;

  // The answer to one line of the protocol, without its OK; an empty string when the program is gone.
  std::string ask(const std::string& line) {
    std::fprintf(out_, "%s\n", line.c_str());
    std::fflush(out_);
    char buffer[16384];
    while (std::fgets(buffer, sizeof buffer, in_)) {
      const std::string answer(buffer);
      if (answer.rfind("OK", 0) == 0) return answer;
      if (answer.rfind("FAIL", 0) == 0 || answer.rfind("ERR", 0) == 0) break;
    }
    alive_ = false;
    return {};
  }
  void write32(uint64_t address, uint64_t value) { put("writel", address, value); }
  void write64(uint64_t address, uint64_t value) { put("writeq", address, value); }
  uint64_t read32(uint64_t address) { return get("readl", address); }
  uint64_t read64(uint64_t address) { return get("readq", address); }
  bool alive() const { return alive_; }

 private:
  void put(const char* verb, uint64_t address, uint64_t value) {
    char line[96];
    std::snprintf(line, sizeof line, "%s 0x%llx 0x%llx", verb, static_cast<unsigned long long>(address),
                  static_cast<unsigned long long>(value));
    ask(line);
  }
  uint64_t get(const char* verb, uint64_t address) {
    char line[64];
    std::snprintf(line, sizeof line, "%s 0x%llx", verb, static_cast<unsigned long long>(address));
    const std::string answer = ask(line);
    return answer.size() > 3 ? std::strtoull(answer.c_str() + 3, nullptr, 0) : 0;
  }

  pid_t child_ = -1;
  FILE* in_ = nullptr;
  FILE* out_ = nullptr;
  bool alive_ = true;
};

std::string program() {
  const char* given = std::getenv("LOCKSTEP_QEMU_AARCH64");
  if (given) return given;
  const std::string path = std::getenv("PATH") ? std::getenv("PATH") : "";
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find(':', at), path.size());
    const std::string candidate = path.substr(at, end - at) + "/qemu-system-aarch64";
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    at = end + 1;
  }
  return {};
}

// The machine and the model side by side.
class ThirdOpinion {
 public:
  ThirdOpinion(const std::string& path, const Config& config) : qemu(path), bench(config) {
    const uint64_t device = kEcam + (kStream << 12);
    qemu.write32(device + 0x10, kBar);
    qemu.write32(device + 0x04, 6);
  }

  void put64(uint64_t address, uint64_t value) {
    qemu.write64(address, value);
    bench.memory.memory.put64(address, value);
  }
  void put(uint64_t address, const Words& words) {
    for (unsigned i = 0; i < 8; ++i) put64(address + 8 * i, words[i]);
  }
  uint64_t new_table(uint64_t size) {
    next_ = (next_ + size - 1) / size * size;
    const uint64_t table = next_;
    next_ += size;
    return table;
  }
  void map(uint64_t root, unsigned granule, unsigned input_bits, uint64_t input, unsigned level, uint64_t leaf) {
    unsigned at = 3 - (input_bits - 1 - granule) / (granule - 3);
    unsigned top = input_bits;
    for (uint64_t table = root;; ++at) {
      const unsigned shift = granule + (granule - 3) * (3 - at);
      const uint64_t place = table + ((input & ((uint64_t{1} << top) - 1)) >> shift) * 8;
      uint64_t next = bench.memory.memory.get64(place);
      if (at == level) {
        if (next == 0) put64(place, level == 3 ? leaf | 3 : leaf | 1);
        return;
      }
      if (next == 0) put64(place, next = new_table(uint64_t{1} << granule) | 3);
      if (!(next & 2)) return;
      table = next & 0xfffffffff000;
      top = shift;
    }
  }

  void start() {
    const auto both = [&](Id id, uint64_t value) {
      for (const RegisterRow& row : register_rows())
        if (row.id == id) {
          bench.smmu.write_register(row.offset, row.size_bytes, value);
          if (row.size_bytes == 8) {
            qemu.write64(kSmmu + row.offset, value);
          } else {
            qemu.write32(kSmmu + row.offset, value);
          }
        }
    };
    both(Id::kCr0, 0);
    both(Id::kStrtabBase, kStreams);
    both(Id::kStrtabBaseCfg, 6);
    both(Id::kCmdqBase, kCommands | 6);
    both(Id::kCmdqProd, 0);
    both(Id::kCmdqCons, 0);
    both(Id::kEventqBase, kEvents | 8);
    both(Id::kEventqProd, 0);
    both(Id::kEventqCons, 0);
    both(Id::kCr2, 2);
    both(Id::kCr0, 0xd);
    put64(kCommands, 4);
    put64(kCommands + 8, 31);
    put64(kCommands + 16, 0x30);
    put64(kCommands + 24, 0);
    both(Id::kCmdqProd, 2);
  }

  // One transfer of eight bytes; a write comes from the device's buffer.
  void transfer(uint64_t address, bool write) {
    qemu.write64(kBar + 0x80, write ? kEduBuffer : address);
    qemu.write64(kBar + 0x88, write ? address : kEduBuffer);
    qemu.write64(kBar + 0x90, 8);
    qemu.write64(kBar + 0x98, write ? 3 : 1);
    while (qemu.alive() && (qemu.read64(kBar + 0x98) & 1)) usleep(5000);
  }

  Qemu qemu;
  Bench bench;

 private:
  uint64_t next_ = kTables;
};

TEST(SmmuThirdOpinion, QemuAgreesOnStage1) {
  const std::string path = program();
  if (path.empty()) GTEST_SKIP() << "there is no qemu-system-aarch64; LOCKSTEP_QEMU_AARCH64 may name one";
  const uint64_t seed = test::seed();
  std::mt19937_64 random(seed);
  const uint64_t worlds = test::from_environment("LOCKSTEP_WORLDS", 12);

  unsigned passes = 0, faults = 0;
  for (unsigned world = 0; world < worlds; ++world) {
    // As QEMU says of itself: 44 bits, little-endian tables, 16-bit ASIDs, stage 1 alone.
    Config config = SimpleWorld::default_config();
    config.oas_bits = 44;
    config.va52 = config.stage2 = config.hypervisor = config.ats = config.pri = false;
    config.small_translation_tables = false;
    config.hardware_update = HardwareUpdate::kNone;
    config.table_endianness = TableEndianness::kLittle;
    ThirdOpinion both(path, config);
    ASSERT_EQ(both.qemu.read32(kSmmu + 0x14) & 7, 4u) << "another QEMU than the one this test knows";

    const unsigned granule = random() % 2 ? 12 : 16;
    const unsigned size = 16 + static_cast<unsigned>(random() % (granule == 12 ? 20 : 16));
    const unsigned input_bits = 64 - size;
    const unsigned start = 3 - (input_bits - 1 - granule) / (granule - 3);
    const uint64_t root = both.new_table(0x10000);
    Words cd = SimpleWorld::cd(root);
    set_field(cd, 5, 0, size);
    set_field(cd, 7, 6, granule == 12 ? 0 : 1);
    set_field(cd, 34, 32, 4);
    // One context in eight is switched off.
    set_field(cd, 14, 14, random() % 8 == 0);
    both.put(kContext, cd);
    both.put(kStreams + kStream * 64, SimpleWorld::stage1_ste(kContext));

    std::vector<uint64_t> addresses;
    for (unsigned i = 0; i < 6; ++i) {
      uint64_t input = random() & ((uint64_t{1} << input_bits) - 1) & ~uint64_t{7};
      unsigned level = 3;
      if (start <= 2 && random() % 3 == 0) level = 2;
      const unsigned shift = granule + (granule - 3) * (3 - level);
      const uint64_t output = (kPages + random() % 0x20000000) >> shift << shift;
      uint64_t leaf = output | 1 << 10 | 1 << 6 | (random() % 4 == 0 ? 1 << 7 : 0);
      if (random() % 8 == 0) leaf = 0;
      if (leaf != 0) both.map(root, granule, input_bits, input, level, leaf);
      if (input_bits < 48 && random() % 8 == 0) input ^= uint64_t{1} << (input_bits + random() % (48 - input_bits));
      addresses.push_back(input);
    }
    both.start();

    for (const uint64_t address : addresses) {
      const bool write = random() % 2;
      Transaction transaction;
      transaction.stream_id = kStream;
      transaction.address = address;
      transaction.write = write;
      const TranslateResult expected = both.bench.smmu.translate(transaction);
      const uint64_t before = both.qemu.read32(kSmmu + 0x100a8) & 0x1ff;
      const uint64_t data = random();
      if (expected.outcome == Outcome::kPass && !write) both.qemu.write64(expected.address, data);
      if (write) {
        // The buffer is filled by a transfer from a place that needs no translation: the SMMU is off for it.
        both.qemu.write32(kSmmu + 0x20, 0xc);
        both.qemu.write64(kRam + 0x800000, data);
        both.transfer(kRam + 0x800000, false);
        both.qemu.write32(kSmmu + 0x20, 0xd);
      }
      both.transfer(address, write);
      ASSERT_TRUE(both.qemu.alive());
      const uint64_t after = both.qemu.read32(kSmmu + 0x100a8) & 0x1ff;
      char where[160];
      std::snprintf(where, sizeof where, "LOCKSTEP_SEED=%llu world %u address %llx %s granule %u size %u model %s",
                    static_cast<unsigned long long>(seed), world, static_cast<unsigned long long>(address),
                    write ? "write" : "read", granule, size, name(expected.event));
      if (expected.outcome == Outcome::kPass) {
        ++passes;
        EXPECT_EQ(after, before) << where;
        if (write) {
          EXPECT_EQ(both.qemu.read64(expected.address), data) << where;
        } else {
          // Read back what the device got, through the same stream with the SMMU off.
          both.qemu.write32(kSmmu + 0x20, 0xc);
          both.transfer(kRam + 0x800000, true);
          both.qemu.write32(kSmmu + 0x20, 0xd);
          EXPECT_EQ(both.qemu.read64(kRam + 0x800000), data) << where;
        }
        continue;
      }
      ++faults;
      ASSERT_NE(after, before) << where;
      const uint64_t record = kEvents + (before & 0xff) * 32;
      const EventRecord model = encode(both.bench.smmu.last_event());
      EXPECT_EQ(both.qemu.read64(record) & 0xffffffff000000ff, model[0] & 0xffffffff000000ff) << where;
      EXPECT_EQ(both.qemu.read64(record + 8) >> 35 & 1, model[1] >> 35 & 1) << where;
      EXPECT_EQ(both.qemu.read64(record + 16), model[2]) << where;
    }
  }
  std::printf("%u transfers passed, %u faulted\n", passes, faults);
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
