// SPDX-License-Identifier: Apache-2.0
#include "core/fdt/fdt_builder.h"

#include <gtest/gtest.h>
#include <libfdt.h>

namespace lockstep::core {
namespace {

TEST(FdtBuilder, WritesATreeThatLibfdtReads) {
  FdtBuilder fdt;
  fdt.u32("#address-cells", 2);
  fdt.u32("#size-cells", 2);
  fdt.strings("compatible", {"riscv-virtio", "lockstep,virt"});
  const uint32_t plic = fdt.new_phandle();
  {
    auto soc = fdt.node("soc");
    fdt.flag("ranges");
    {
      auto uart = fdt.node("serial@10000000");
      fdt.cells64("reg", {0x10000000, 0x100});
      fdt.cells("interrupts", {10});
      fdt.u32("interrupt-parent", plic);
    }
    auto controller = fdt.node("plic@c000000");
    fdt.phandle(plic);
  }
  Result<std::vector<uint8_t>> blob = fdt.finish();
  ASSERT_TRUE(blob.ok()) << blob.message();
  const void* tree = blob->data();
  ASSERT_EQ(fdt_check_full(tree, blob->size()), 0);
  const int uart = fdt_path_offset(tree, "/soc/serial@10000000");
  ASSERT_GE(uart, 0);
  int length = 0;
  const auto* reg = static_cast<const fdt64_t*>(fdt_getprop(tree, uart, "reg", &length));
  ASSERT_EQ(length, 16);
  EXPECT_EQ(fdt64_to_cpu(reg[0]), 0x10000000u);
  EXPECT_EQ(fdt64_to_cpu(reg[1]), 0x100u);
  EXPECT_EQ(fdt_node_offset_by_phandle(tree, plic), fdt_path_offset(tree, "/soc/plic@c000000"));
  EXPECT_STREQ(fdt_stringlist_get(tree, 0, "compatible", 1, nullptr), "lockstep,virt");
}

TEST(FdtBuilder, SaysWhatDidNotFit) {
  FdtBuilder fdt(256);
  fdt.bytes("large", std::vector<uint8_t>(300));
  const Result<std::vector<uint8_t>> blob = fdt.finish();
  ASSERT_FALSE(blob.ok());
  EXPECT_EQ(blob.message(), "the device tree does not fit 256 bytes (at property 'large')");
}

TEST(FdtBuilder, RefusesPropertiesBehindChildren) {
  FdtBuilder fdt;
  { auto chosen = fdt.node("chosen"); }
  fdt.u32("late", 1);
  const Result<std::vector<uint8_t>> blob = fdt.finish();
  ASSERT_FALSE(blob.ok());
  EXPECT_NE(blob.message().find("'late'"), std::string::npos);
}

TEST(FdtBuilder, RefusesAnOpenNode) {
  FdtBuilder fdt;
  fdt.begin_node("cpus");
  EXPECT_FALSE(fdt.finish().ok());
}

TEST(FdtBuilder, RefusesAZeroByteInAString) {
  FdtBuilder fdt;
  fdt.string("bootargs", std::string_view("a\0b", 3));
  EXPECT_FALSE(fdt.finish().ok());
}

}  // namespace
}  // namespace lockstep::core
