// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_block/virtio_block.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/tlm_models/virtio_bench.h"

namespace lockstep::tlm_models {
namespace {

using testing::kTestRamBase;

constexpr uint64_t kHeader = kTestRamBase + 0x8000;
constexpr uint64_t kData = kTestRamBase + 0x9000;
constexpr uint64_t kStatus = kTestRamBase + 0x8100;
constexpr uint64_t kImageSectors = 64;

struct ImageFile {
  std::string path = ::testing::TempDir() + "lockstep_image_XXXXXX";
  ImageFile() {
    const int fd = mkstemp(path.data());
    std::vector<char> bytes(kImageSectors * 512);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i / 512);
    EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    close(fd);
  }
  ~ImageFile() { unlink(path.c_str()); }
  char at(uint64_t offset) const {
    std::ifstream file(path, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    return static_cast<char>(file.get());
  }
};

std::unique_ptr<DiskImage> open_image(const std::string& path, DiskImage::Mode mode) {
  auto image = DiskImage::open(path, mode);
  EXPECT_TRUE(image.ok());
  return std::move(*image);
}

struct BlockBench : testing::VirtioBench {
  ImageFile file;
  TimerQueue timers{"timers"};
  VirtioBlock block;

  explicit BlockBench(DiskImage::Mode mode = DiskImage::Mode::kReadWrite, IoWorker::Mode io = IoWorker::Mode::kThread)
      : block("block", timers, open_image(file.path, mode), io, "serial-1") {
    plug(block);
    start(1);
  }
  void request(uint32_t type, uint64_t sector, uint32_t length, bool device_writes, uint16_t first = 0) {
    poke<uint32_t>(kHeader + first * 16, type);
    poke<uint64_t>(kHeader + first * 16 + 8, sector);
    poke<uint8_t>(kStatus + first, 0xff);
    std::vector<Segment> segments = {{kHeader + first * 16u, 16, false}};
    if (length != 0) segments.push_back({kData, length, device_writes});
    segments.push_back({kStatus + first, 1, true});
    submit(0, first, segments);
    notify(0);
  }
  uint64_t status(uint16_t first = 0) { return cpu.read(kStatus + first, 1); }
};

TEST(DiskImage, UnusableFilesAreNamed) {
  const auto missing = DiskImage::open("/nonexistent/disk.img", DiskImage::Mode::kReadOnly);
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.message().find("/nonexistent/disk.img"), std::string::npos);
  EXPECT_FALSE(DiskImage::open("/", DiskImage::Mode::kReadOnly).ok());
  EXPECT_FALSE(DiskImage::open("/dev/null", DiskImage::Mode::kReadOnly).ok());
}

TEST(DiskImage, PipesFoldersAndPartialSectorsAreExplained) {
  const std::string path = ::testing::TempDir() + "lockstep_pipe_" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const auto pipe = DiskImage::open(path, DiskImage::Mode::kReadOnly);
  ASSERT_FALSE(pipe.ok());
  EXPECT_NE(pipe.message().find(path), std::string::npos);
  unlink(path.c_str());
  EXPECT_FALSE(DiskImage::open("/tmp", DiskImage::Mode::kReadWrite).ok());
  const ImageFile file;
  ASSERT_EQ(truncate(file.path.c_str(), 1000), 0);
  const auto partial = DiskImage::open(file.path, DiskImage::Mode::kReadOnly);
  ASSERT_FALSE(partial.ok());
  EXPECT_NE(partial.message().find("1000 bytes"), std::string::npos);
  ASSERT_EQ(truncate(file.path.c_str(), 0), 0);
  EXPECT_FALSE(DiskImage::open(file.path, DiskImage::Mode::kReadOnly).ok());
}

TEST(VirtioBlock, ImageThatShrinksOrGrowsUnderTheGuestKeepsItsSize) {
  BlockBench bench;
  ASSERT_EQ(truncate(bench.file.path.c_str(), 8 * 512 + 100), 0);
  bench.request(0, 7, 512, true, 0);
  bench.request(0, 8, 512, true, 3);
  bench.request(0, 20, 512, true, 6);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.status(0), 0u);
  EXPECT_EQ(bench.status(3), 1u) << "half a sector is an I/O error";
  EXPECT_EQ(bench.status(6), 1u);
  ASSERT_EQ(truncate(bench.file.path.c_str(), 2 * kImageSectors * 512), 0);
  bench.request(0, kImageSectors, 512, true, 9);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.status(9), 1u);
  EXPECT_EQ(bench.get(0x100), kImageSectors);
  EXPECT_FALSE(bench.needs_reset());
}

void reset_forgets_requests(IoWorker::Mode mode) {
  BlockBench bench(DiskImage::Mode::kReadWrite, mode);
  bench.poke<uint8_t>(kData, 'A');
  bench.request(1, 10, 512, false);
  bench.request(0, 5, 512, true, 4);
  bench.put(0x70, 0);
  EXPECT_EQ(bench.file.at(10 * 512), 'A') << "a write that was taken is carried out";
  EXPECT_EQ(bench.timers.next_deadline_ns(), kNever);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.used_index(0), 0u);
  EXPECT_EQ(bench.cpu.read(kData, 1), uint64_t{'A'}) << "guest memory is not touched after a reset";
  EXPECT_FALSE(bench.block.irq.level());
  bench.poke<uint16_t>(testing::VirtioBench::kAvailable + 2, 0);
  bench.start(1);
  bench.request(0, 5, 512, true, 4);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.used_index(0), 1u);
}

TEST(VirtioBlock, ResetForgetsRequestsInFlightOnThread) { reset_forgets_requests(IoWorker::Mode::kThread); }
TEST(VirtioBlock, ResetForgetsRequestsInFlightInCaller) { reset_forgets_requests(IoWorker::Mode::kInCaller); }

// Many descriptors may name the same memory, so a small guest could ask for more than the host has.
TEST(VirtioBlock, BytesInFlightAreBoundedAndTheRestFollows) {
  BlockBench bench;
  const uint64_t table = kTestRamBase + 0x40000;
  constexpr uint32_t kPieces = 127;
  constexpr uint32_t kPieceBytes = 512 * 1024;
  // An unknown request type takes no sectors but counts with all its bytes.
  bench.poke<uint32_t>(kHeader, 99);
  bench.poke<uint64_t>(table, kHeader);
  bench.poke<uint32_t>(table + 8, 16);
  bench.poke<uint32_t>(table + 12, 1 | 1 << 16);
  for (uint32_t i = 1; i <= kPieces; ++i) {
    bench.poke<uint64_t>(table + i * 16, kTestRamBase + 0x80000);
    bench.poke<uint32_t>(table + i * 16 + 8, kPieceBytes);
    bench.poke<uint32_t>(table + i * 16 + 12, (i == kPieces ? 2u : 3u) | (i + 1) << 16);
  }
  for (uint16_t i = 0; i < 8; ++i) {
    const uint64_t at = testing::VirtioBench::kDescriptors + i * 16u;
    bench.poke<uint64_t>(at, table);
    bench.poke<uint32_t>(at + 8, (kPieces + 1) * 16);
    bench.poke<uint16_t>(at + 12, 4);
    bench.make_available(0, i);
  }
  bench.notify(0);
  SnapshotSection section("block");
  bench.block.save(section);
  const uint64_t in_flight = *section.u64("requests");
  EXPECT_EQ(in_flight, 3u) << "the bound is reached by the third request of 63.5 MiB";
  ASSERT_TRUE(bench.block.restore(section).ok());
  bench.advance(2'000'000'000);
  EXPECT_EQ(bench.used_index(0), 8u);
  EXPECT_FALSE(bench.needs_reset());
}

TEST(VirtioBlock, ConfigurationTellsCapacity) {
  BlockBench bench;
  EXPECT_EQ(bench.get(0x100), kImageSectors);
  EXPECT_EQ(bench.get(0x104), 0u);
  EXPECT_EQ(bench.get(0x114), 512u);
}

void read_completes_at_fixed_time(IoWorker::Mode mode) {
  BlockBench bench(DiskImage::Mode::kReadWrite, mode);
  bench.request(0, 3, 1024, true);
  EXPECT_EQ(bench.used_index(0), 0u);
  const uint64_t expected_ns = VirtioBlock::kLatencyNs + 16 + 1024 + 1;
  EXPECT_EQ(bench.timers.next_deadline_ns(), expected_ns);
  bench.advance(expected_ns - 1);
  EXPECT_EQ(bench.used_index(0), 0u);
  EXPECT_EQ(bench.cpu.read(kData, 1), 0u);
  bench.advance(1);
  EXPECT_EQ(bench.used_index(0), 1u);
  EXPECT_EQ(bench.used_length(0, 0), 1025u);
  EXPECT_EQ(bench.status(), 0u);
  EXPECT_EQ(bench.cpu.read(kData, 1), 3u);
  EXPECT_EQ(bench.cpu.read(kData + 1023, 1), 4u);
  EXPECT_TRUE(bench.block.irq.level());
}

TEST(VirtioBlock, ReadCompletesAtFixedTimeOnThread) { read_completes_at_fixed_time(IoWorker::Mode::kThread); }
TEST(VirtioBlock, ReadCompletesAtFixedTimeInCaller) { read_completes_at_fixed_time(IoWorker::Mode::kInCaller); }

TEST(VirtioBlock, WriteTakesItsDataWhenSubmitted) {
  BlockBench bench;
  bench.poke<uint8_t>(kData, 'A');
  bench.request(1, 10, 512, false);
  bench.poke<uint8_t>(kData, 'B');
  bench.advance(1'000'000);
  EXPECT_EQ(bench.status(), 0u);
  EXPECT_EQ(bench.file.at(10 * 512), 'A');
}

TEST(VirtioBlock, OverlayLeavesTheFileAlone) {
  BlockBench bench(DiskImage::Mode::kOverlay);
  bench.poke<uint8_t>(kData, 'A');
  bench.request(1, 10, 512, false);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.file.at(10 * 512), 10);
  bench.poke<uint8_t>(kData, 0);
  bench.request(0, 10, 512, true, 4);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.cpu.read(kData, 1), 'A');
}

TEST(VirtioBlock, ReadOnlyRefusesWrites) {
  BlockBench bench(DiskImage::Mode::kReadOnly);
  bench.poke<uint8_t>(kData, 'A');
  bench.request(1, 0, 512, false);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.status(), 1u);
  EXPECT_EQ(bench.file.at(0), 0);
}

TEST(VirtioBlock, RequestsOutsideTheImageAreIoErrors) {
  BlockBench bench;
  bench.request(0, kImageSectors, 512, true);
  bench.request(0, ~uint64_t{0}, 512, true, 3);
  bench.request(0, 0, 100, true, 6);
  bench.request(99, 0, 512, true, 9);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.status(0), 1u);
  EXPECT_EQ(bench.status(3), 1u);
  EXPECT_EQ(bench.status(6), 1u);
  EXPECT_EQ(bench.status(9), 2u);
  EXPECT_FALSE(bench.needs_reset());
}

TEST(VirtioBlock, FlushAndGetIdWork) {
  BlockBench bench;
  bench.request(4, 0, 0, false);
  bench.request(8, 0, 20, true, 4);
  bench.advance(1'000'000);
  EXPECT_EQ(bench.status(0), 0u);
  EXPECT_EQ(bench.status(4), 0u);
  EXPECT_EQ(std::memcmp(bench.bytes(kData, 9).data(), "serial-1", 9), 0);
}

TEST(VirtioBlock, RequestWithoutStatusNeedsReset) {
  BlockBench bench;
  bench.submit(0, 0, {{kHeader, 16, false}});
  bench.notify(0);
  EXPECT_TRUE(bench.needs_reset());
}

TEST(VirtioBlock, SnapshotCarriesRequestsInFlight) {
  BlockBench bench;
  bench.request(0, 5, 512, true);
  SnapshotSection section("block");
  bench.block.save(section);
  bench.block.reset();
  EXPECT_EQ(bench.timers.next_deadline_ns(), kNever);
  ASSERT_TRUE(bench.block.restore(section).ok());
  bench.advance(1'000'000);
  EXPECT_EQ(bench.used_index(0), 1u);
  EXPECT_EQ(bench.cpu.read(kData, 1), 5u);
}

// A request that was refused, or that has no use for its sector, waits for its time like any other.
TEST(VirtioBlock, SnapshotCarriesRequestsWhoseSectorIsOutsideTheImage) {
  BlockBench bench;
  bench.request(0, ~uint64_t{0}, 512, true);
  bench.request(1, kImageSectors, 512, false, 3);
  bench.request(4, ~uint64_t{0}, 0, false, 6);
  bench.request(99, ~uint64_t{0}, 512, true, 9);
  SnapshotSection section("block");
  bench.block.save(section);
  bench.block.reset();
  const auto restored = bench.block.restore(section);
  ASSERT_TRUE(restored.ok()) << restored.message();
  bench.advance(1'000'000);
  EXPECT_EQ(bench.used_index(0), 4u);
  EXPECT_EQ(bench.status(0), 1u);
  EXPECT_EQ(bench.status(3), 1u);
  EXPECT_EQ(bench.status(6), 0u);
  EXPECT_EQ(bench.status(9), 2u);
}

}  // namespace
}  // namespace lockstep::tlm_models
