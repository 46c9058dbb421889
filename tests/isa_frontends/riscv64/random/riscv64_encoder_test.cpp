// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/encoder.h"

#include <gtest/gtest.h>

#include "isa_frontends/riscv64/random/random_source.h"

namespace lockstep::isa::riscv64::random {
namespace {

// Encoding is the inverse of decoding, bit for bit, for words of every row.
TEST(Riscv64Encoder, GivesBackTheDecodedWord) {
  RandomSource random(1);
  const auto rows = InstructionTable::get().rows();
  for (unsigned row = 0; row < rows.size(); ++row) {
    const uint32_t used = rows[row].length == 2 ? 0xffff : 0xffff'ffff;
    for (unsigned run = 0; run < 200; ++run) {
      const uint32_t word = rows[row].match | (static_cast<uint32_t>(random.next()) & ~rows[row].mask & used);
      EXPECT_EQ(encode(row, decode_operands(rows[row], word), word), word) << rows[row].name;
    }
  }
}

TEST(Riscv64Encoder, KnowsRegistersAndAddresses) {
  const auto& shapes = row_shapes();
  EXPECT_EQ(shapes[row_index("fsd")].rs2, Register::kFloat);
  EXPECT_EQ(shapes[row_index("fsd")].rs1, Register::kInteger);
  EXPECT_TRUE(shapes[row_index("fsd")].is_memory);
  EXPECT_TRUE(shapes[row_index("amoadd.w")].is_atomic);
  EXPECT_TRUE(shapes[row_index("c.beqz")].is_relative);
  EXPECT_TRUE(shapes[row_index("c.add")].rd_is_rs1);
  EXPECT_EQ(shapes[row_index("csrrwi")].rs1, Register::kNone);
}

}  // namespace
}  // namespace lockstep::isa::riscv64::random
