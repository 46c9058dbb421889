// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/loader/loader.h"
#include "tests/core/loader/elf_maker.h"
#include "tests/core/seed.h"

namespace lockstep::core {
namespace {

constexpr int kRounds = 20000;

GuestRam& ram() {
  static GuestRam kRam = std::move(GuestRam::create(test::kRamBase, 4 << 20)).value();
  return kRam;
}

}  // namespace

// Loads whatever it is given; a crash or a sanitizer's report is the failure.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const ElfMachine machine : {ElfMachine::kRiscv, ElfMachine::kAarch64}) {
    const Placement placement{machine, "kernel", test::kRamBase, test::kRamBase};
    const Result<LoadedImage> image = load_kernel(std::span(data, size), "fuzz", placement, ram());
    if (image) {
      EXPECT_TRUE(ram().window().contains(image->first, image->end - image->first));
      EXPECT_TRUE(ram().window().contains(image->entry));
    } else {
      EXPECT_FALSE(image.message().empty());
    }
  }
  return 0;
}

namespace {

TEST(LoaderFuzz, ChangedFilesNeverCrash) {
  std::mt19937_64 random(test::seed());
  test::ElfMaker two;
  two.segments.push_back(two.segments[0]);
  two.segments[1].p_paddr += 0x1000;
  const std::vector<uint8_t> originals[] = {
      test::ElfMaker().lay_out().bytes(),
      two.lay_out().bytes(),
      test::make_image("RSC\x05", 0x200000, 1 << 20),
      test::make_image("ARM\x64", 0, 1 << 20),
      {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 4, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0},
  };
  constexpr uint8_t kInteresting[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
  for (int round = 0; round < kRounds; ++round) {
    std::vector<uint8_t> file = originals[random() % std::size(originals)];
    const unsigned changes = 1 + random() % 6;
    for (unsigned i = 0; i < changes; ++i) {
      const size_t at = random() % file.size();
      file[at] = random() % 2 ? kInteresting[random() % std::size(kInteresting)] : static_cast<uint8_t>(random());
    }
    if (random() % 4 == 0) file.resize(random() % (file.size() + 1));
    LLVMFuzzerTestOneInput(file.data(), file.size());
  }
}

}  // namespace
}  // namespace lockstep::core
