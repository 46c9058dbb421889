// SPDX-License-Identifier: Apache-2.0
// Looks at the registers of every device with every access width, writes nonsense where that is harmless, and asks
// only that the machine goes on. What a register holds after it is checked where a specification says so.
#include "guest.h"

enum { kVirtioDevices = 8, kVirtioStride = 0x1000 };

static void poke(uint64_t address, uint64_t value) {
  __asm__ volatile("sb %1, 0(%0); sh %1, 0(%0); sw %1, 0(%0); sd %1, 0(%0)" ::"r"(address), "r"(value) : "memory");
}

static void peek(uint64_t address) {
  __asm__ volatile("lbu t0, 0(%0); lhu t0, 0(%0); lwu t0, 0(%0); ld t0, 0(%0)" ::"r"(address) : "t0", "memory");
}

static void uart(void) {
  section("uart");
  enum { kIer = 1, kLcr = 3, kMcr = 4, kLsr = 5, kScratch = 7, kDlab = 0x80, kLoop = 0x10 };
  for (int value = 0; value < 256; value += 17) {
    write8(UART + kScratch, (uint8_t)value);
    CHECK_EQ(read8(UART + kScratch), value);
  }
  const uint8_t lcr = read8(UART + kLcr);
  write8(UART + kLcr, lcr | kDlab);
  write8(UART, 0x34);
  write8(UART + 1, 0x12);
  CHECK_EQ(read8(UART), 0x34);
  CHECK_EQ(read8(UART + 1), 0x12);
  write8(UART, 1);
  write8(UART + 1, 0);
  write8(UART + kLcr, lcr & ~kDlab);
  write8(UART + kIer, 0xff);
  CHECK_EQ(read8(UART + kIer), 0x0f);
  write8(UART + kIer, 0);
  CHECK_EQ(read8(UART + kLsr) & 0x60, 0x60);
  write8(UART + kMcr, 0);
}

static void clock(void) {
  section("real-time clock");
  const uint64_t low = read32(RTC), high = read32(RTC + 4), first = high << 32 | low;
  const uint64_t low2 = read32(RTC), high2 = read32(RTC + 4);
  CHECK((high2 << 32 | low2) >= first);
  // The alarm is set far away and cleared again.
  write32(RTC + 0x0c, 0x7fffffff);
  write32(RTC + 0x08, 0);
  write32(RTC + 0x14, 1);
}

static void virtio(void) {
  section("virtio");
  for (int i = 0; i < kVirtioDevices; i++) {
    const uint64_t base = VIRTIO + (uint64_t)i * kVirtioStride;
    CHECK_EQ(read32(base), 0x74726976);
    CHECK(read32(base + 4) == 1 || read32(base + 4) == 2);
    if (read32(base + 8) == 0) continue;
    print("  device %d: id %u version %u\n", i, read32(base + 8), read32(base + 4));
    if (read32(base + 4) != 2) continue;
    write32(base + 0x70, 0);
    CHECK_EQ(read32(base + 0x70), 0);
    write32(base + 0x70, 1);
    write32(base + 0x70, 3);
    CHECK_EQ(read32(base + 0x70), 3);
    // VERSION_1 is feature 32, and without it there is no modern driver.
    write32(base + 0x14, 1);
    CHECK_EQ(read32(base + 0x10) & 1, 1);
    write32(base + 0x30, 0);
    CHECK(read32(base + 0x34) > 0);
    write32(base + 0x30, 1000);
    CHECK_EQ(read32(base + 0x34), 0);
    write32(base + 0x30, 0);
    write32(base + 0x70, 0);
    CHECK_EQ(read32(base + 0x70), 0);
  }
}

static void nonsense(void) {
  section("nonsense");
  uint64_t state = option("seed", 3);
  for (int i = 0; i < 200; i++) {
    const uint64_t draw = next_random(&state);
    peek(VIRTIO + (draw & 0x7ff8));
    peek(PLIC + (draw >> 8 & 0x3ffff8));
    peek(CLINT + (draw >> 16 & 0xfff8));
    peek(RTC + (draw >> 24 & 0xf8));
    peek(UART + (draw >> 28 & 7));
    // Devices without a driver's feature negotiation take writes and do nothing with them.
    poke(VIRTIO + (draw >> 32 & 0x7ff8), draw);
    poke(PLIC + (draw >> 40 & 0x1ff8), draw);
  }
  for (int source = 0; source < 64; source++) write32(PLIC + 4 * (uint64_t)source, 0);
  write32(PLIC + 0x2000, 0);
  for (int i = 0; i < kVirtioDevices; i++) write32(VIRTIO + (uint64_t)i * kVirtioStride + 0x70, 0);
  CHECK(read8(UART + 5) & 0x20);
}

int main(void) {
  uart();
  clock();
  virtio();
  nonsense();
  finish("devices");
}
