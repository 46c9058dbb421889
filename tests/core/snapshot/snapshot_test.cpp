// SPDX-License-Identifier: Apache-2.0
#include "core/snapshot/snapshot.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/digest/digest.h"

namespace lockstep::core {
namespace {

using testing::HasSubstr;

constexpr uint64_t kBase = 0x80000000;
constexpr uint64_t kSize = 1 << 20;

GuestRam make_ram(uint64_t size_bytes = kSize) { return std::move(GuestRam::create(kBase, size_bytes)).value(); }

SnapshotReader read_back(const SnapshotWriter& writer) {
  Result<std::vector<uint8_t>> bytes = writer.serialise();
  EXPECT_TRUE(bytes.ok()) << bytes.message();
  Result<SnapshotReader> reader = SnapshotReader::parse(std::move(bytes).value(), "memory");
  EXPECT_TRUE(reader.ok()) << reader.message();
  return std::move(reader).value();
}

TEST(Snapshot, ValuesComeBack) {
  SnapshotWriter writer;
  SnapshotSection& uart = writer.section("uart0");
  uart.put("lcr", 0x83);
  uart.put_string("line", "hello");
  writer.section("plic").put("pending", ~uint64_t{0});
  writer.section("uart0").put("lcr", 3);
  const SnapshotReader reader = read_back(writer);
  const Result<const SnapshotSection*> section = reader.section("uart0");
  ASSERT_TRUE(section.ok());
  EXPECT_EQ((*section)->u64("lcr").value(), 3u);
  EXPECT_EQ((*section)->string("line").value(), "hello");
  EXPECT_EQ(reader.section("plic").value()->u64("pending").value(), ~uint64_t{0});
  EXPECT_FALSE(reader.has_section("clint"));
}

TEST(Snapshot, ErrorsNameSectionAndKey) {
  SnapshotWriter writer;
  SnapshotSection& uart = writer.section("uart0");
  uart.put("lcr", 9);
  uart.put_string("line", "hello");
  const SnapshotReader reader = read_back(writer);
  EXPECT_THAT(reader.section("rtc").message(), HasSubstr("snapshot memory: has no section 'rtc'"));
  const SnapshotSection& section = *reader.section("uart0").value();
  EXPECT_THAT(section.u64("ier").message(), HasSubstr("section 'uart0' has no value 'ier'"));
  EXPECT_THAT(section.u64("line").message(), HasSubstr("'uart0.line' is not a number"));
  EXPECT_THAT(section.bytes("lcr").message(), HasSubstr("'uart0.lcr' is a number"));
  EXPECT_THAT(section.u64_at_most("lcr", 8).message(), HasSubstr("'uart0.lcr' is 9, more than 8"));
  EXPECT_THAT(section.bytes("line", 4).message(), HasSubstr("'uart0.line' has 5 bytes instead of 4"));
}

TEST(Snapshot, RamComesBackAndStalePagesAreCleared) {
  GuestRam ram = make_ram();
  std::vector<uint8_t> noise(4096);
  uint32_t x = 1;
  for (uint8_t& byte : noise) byte = static_cast<uint8_t>((x = x * 1664525 + 1013904223) >> 24);
  ram.write(kBase + 0x3000, noise);  // does not compress
  ram.write(kBase + kSize - 4096, std::vector<uint8_t>(4096, 7));
  SnapshotWriter writer;
  writer.add_ram("ram", ram);
  const SnapshotReader reader = read_back(writer);
  GuestRam other = make_ram();
  other.write(kBase + 0x5123, noise);
  ASSERT_TRUE(reader.restore_ram("ram", other).ok());
  EXPECT_EQ(memory_digest(other), memory_digest(ram));
  EXPECT_THAT(reader.restore_ram("rom", other).message(), HasSubstr("has no RAM 'rom'"));
  GuestRam larger = make_ram(2 * kSize);
  EXPECT_THAT(reader.restore_ram("ram", larger).message(), HasSubstr("1 MiB of RAM"));
}

TEST(Snapshot, ZeroPagesTakeNoSpace) {
  GuestRam ram = make_ram(64 << 20);
  SnapshotWriter writer;
  writer.add_ram("ram", ram);
  EXPECT_LT(writer.serialise()->size(), 200u);
}

class SnapshotFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "snapshot_test_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(SnapshotFile, IsReplacedWholeAndLeavesNothingBehind) {
  const std::string path = folder_ + "/vm.snap";
  for (uint64_t value : {1, 2}) {
    SnapshotWriter writer;
    writer.section("clock").put("ns", value);
    ASSERT_TRUE(writer.write(path).ok());
  }
  const Result<SnapshotReader> reader = SnapshotReader::open(path);
  ASSERT_TRUE(reader.ok()) << reader.message();
  EXPECT_EQ(reader->section("clock").value()->u64("ns").value(), 2u);
  const auto files = std::filesystem::directory_iterator(folder_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(SnapshotFile, ThatCannotBeWrittenOrReadIsNamed) {
  SnapshotWriter writer;
  EXPECT_THAT(writer.write(folder_ + "/no/vm.snap").message(), HasSubstr("/no/vm.snap: cannot be written: No such"));
  EXPECT_THAT(SnapshotReader::open(folder_ + "/none").message(), HasSubstr("/none: cannot be read"));
  // A folder in the way lets the temporary file be written but not renamed.
  ASSERT_EQ(mkdir((folder_ + "/dir").c_str(), 0700), 0);
  EXPECT_FALSE(writer.write(folder_ + "/dir").ok());
  const auto files = std::filesystem::directory_iterator(folder_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST(SnapshotParse, RefusesWhatIsNotWhole) {
  SnapshotWriter writer;
  writer.section("a").put("b", 1);
  const std::vector<uint8_t> whole = std::move(writer.serialise()).value();
  const auto error_of = [](std::vector<uint8_t> bytes) {
    const Result<SnapshotReader> reader = SnapshotReader::parse(std::move(bytes), "f");
    return reader ? "no error" : reader.message();
  };
  EXPECT_EQ(error_of({}), "snapshot f: is not a snapshot");
  for (size_t length = 8; length < whole.size(); ++length) {
    EXPECT_THAT(error_of({whole.begin(), whole.begin() + length}), HasSubstr("truncated"));
  }
  for (size_t at = 12; at < whole.size(); ++at) {
    std::vector<uint8_t> changed = whole;
    changed[at] ^= 0x10;
    EXPECT_THAT(error_of(changed), HasSubstr("SHA-256"));
  }
  std::vector<uint8_t> newer = whole;
  newer[8] = 2;
  EXPECT_THAT(error_of(newer), HasSubstr("has format 2, this program reads format 1"));
}

}  // namespace
}  // namespace lockstep::core
