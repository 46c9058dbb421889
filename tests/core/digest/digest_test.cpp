// SPDX-License-Identifier: Apache-2.0
#include "core/digest/digest.h"

#include <gtest/gtest.h>

#include <cstring>

namespace lockstep::core {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

// "abc" and the empty message: FIPS 180-4 examples.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, GoesOnAfterItWasAsked) {
  Sha256 hash;
  hash.update("a");
  EXPECT_EQ(hash.hex(), sha256_hex("a"));
  hash.update("bc");
  EXPECT_EQ(hash.hex(), sha256_hex("abc"));
}

TEST(Sha256, NumbersAreLittleEndian) {
  Sha256 hash;
  hash.update_u64(0x0807060504030201);
  EXPECT_EQ(hash.hex(), sha256_hex("\x01\x02\x03\x04\x05\x06\x07\x08"));
}

// The header comes as a member, not as a base, so that offsetof is standard; the layout is the same.
struct TestState {
  StateHeader header;
  uint64_t x = 0;
  uint8_t flag = 0;
  uint32_t derived = 0;
};

constexpr StateField kFields[] = {
    {"x", offsetof(TestState, x), 8, true},
    {"derived", offsetof(TestState, derived), 4, false},
    {"flag", offsetof(TestState, flag), 1, true},
};
constexpr StateLayout kLayout{"test", kFields, sizeof(TestState)};

std::string digest_of(const TestState& state) {
  Sha256 hash;
  add_state(hash, kLayout, state.header);
  return hash.hex();
}

TEST(StateDigest, TakesArchitecturalFieldsOnlyInTheirOrder) {
  TestState state;
  state.x = 0x0102030405060708;
  state.flag = 9;
  EXPECT_EQ(digest_of(state), sha256_hex("\x08\x07\x06\x05\x04\x03\x02\x01\x09"));
  const std::string before = digest_of(state);
  state.derived = 77;
  state.header.budget = 5;
  EXPECT_EQ(digest_of(state), before);
  state.flag = 10;
  EXPECT_NE(digest_of(state), before);
}

std::string memory_by_definition(const GuestRam& ram) {
  Sha256 hash;
  hash.update_u64(ram.base());
  hash.update_u64(ram.size_bytes());
  for (uint64_t page = 0; page < ram.size_bytes() / 4096; ++page) {
    const std::span bytes(ram.host() + page * 4096, 4096);
    bool zero = true;
    for (const uint8_t byte : bytes) zero = zero && byte == 0;
    if (zero) continue;
    hash.update_u64(page);
    hash.update(bytes);
  }
  return hash.hex();
}

TEST(MemoryDigest, FollowsItsDefinition) {
  GuestRam ram = std::move(GuestRam::create(0x80000000, 2 * kMiB)).value();
  EXPECT_EQ(memory_digest(ram), memory_by_definition(ram));
  const uint8_t byte = 1;
  ram.write(0x80000fff, {&byte, 1});
  ram.write(0x80101000, {&byte, 1});
  EXPECT_EQ(memory_digest(ram), memory_by_definition(ram));
}

TEST(MemoryDigest, ForgetsPagesThatAreZeroAgain) {
  GuestRam ram = std::move(GuestRam::create(0x80000000, kMiB)).value();
  const std::string fresh = memory_digest(ram);
  uint8_t byte = 1;
  ram.write(0x80004321, {&byte, 1});
  EXPECT_NE(memory_digest(ram), fresh);
  byte = 0;
  ram.write(0x80004321, {&byte, 1});
  EXPECT_EQ(memory_digest(ram), fresh);
}

TEST(MemoryDigest, SameBytesOnAnotherPageDiffer) {
  GuestRam one = std::move(GuestRam::create(0x80000000, kMiB)).value();
  GuestRam two = std::move(GuestRam::create(0x80000000, kMiB)).value();
  const uint8_t byte = 1;
  one.write(0x80001000, {&byte, 1});
  two.write(0x80002000, {&byte, 1});
  EXPECT_NE(memory_digest(one), memory_digest(two));
}

TEST(AllZero, SeesEveryByte) {
  uint8_t bytes[64] = {};
  EXPECT_TRUE(all_zero({}));
  EXPECT_TRUE(all_zero(bytes));
  for (uint8_t& byte : bytes) {
    byte = 0x80;
    EXPECT_FALSE(all_zero(bytes));
    byte = 0;
  }
}

}  // namespace
}  // namespace lockstep::core
