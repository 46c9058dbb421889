// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "core/digest/digest.h"
#include "core/snapshot/snapshot.h"
#include "tests/core/seed.h"

namespace lockstep::core {
namespace {

constexpr int kRounds = 20000;
constexpr uint64_t kBase = 0x80000000;
constexpr uint64_t kSize = 16 * 4096;

GuestRam& ram() {
  static GuestRam kRam = std::move(GuestRam::create(kBase, kSize)).value();
  return kRam;
}

}  // namespace

// Reads a snapshot whose checksum is right and whose contents are anything.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  Sha256 hash;
  hash.update(file);
  const Sha256Bytes digest = hash.digest();
  file.insert(file.end(), digest.begin(), digest.end());
  const Result<SnapshotReader> reader = SnapshotReader::parse(std::move(file), "fuzz");
  if (!reader) {
    EXPECT_FALSE(reader.message().empty());
    return 0;
  }
  static_cast<void>(reader->restore_ram("ram", ram()));
  if (const Result<const SnapshotSection*> section = reader->section("s")) {
    static_cast<void>((*section)->u64("k"));
    static_cast<void>((*section)->bytes("k"));
  }
  return 0;
}

namespace {

TEST(SnapshotFuzz, ChangedContentsNeverCrash) {
  std::mt19937_64 random(test::seed());
  GuestRam saved = std::move(GuestRam::create(kBase, kSize)).value();
  saved.write(kBase + 4096, std::vector<uint8_t>(100, 1));
  saved.write(kBase + 9 * 4096, std::vector<uint8_t>(100, 2));
  SnapshotWriter writer;
  writer.section("s").put("k", 5);
  writer.section("s").put_string("t", "text");
  writer.section("u").put("k", 6);
  writer.add_ram("ram", saved);
  std::vector<uint8_t> whole = std::move(writer.serialise()).value();
  whole.resize(whole.size() - 32);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<uint8_t> file = whole;
    const unsigned changes = 1 + random() % 4;
    for (unsigned i = 0; i < changes; ++i) file[random() % file.size()] = static_cast<uint8_t>(random());
    if (random() % 4 == 0) file.resize(random() % (file.size() + 1));
    LLVMFuzzerTestOneInput(file.data(), file.size());
  }
}

}  // namespace
}  // namespace lockstep::core
