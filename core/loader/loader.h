// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/memory/guest_ram.h"
#include "core/result.h"

namespace lockstep::core {

// ELF e_machine values.
enum class ElfMachine : uint16_t { kX86_64 = 62, kAarch64 = 183, kRiscv = 243 };
std::string_view machine_name(ElfMachine machine);

enum class ImageFormat : uint8_t { kElf, kRiscvImage, kArm64Image, kRaw };

// What a loader put into RAM.
struct LoadedImage {
  struct Segment {
    uint64_t vaddr = 0;
    uint64_t paddr = 0;
    uint64_t size_bytes = 0;  // with its zeroed tail
  };

  ImageFormat format = ImageFormat::kRaw;
  uint64_t entry = 0;  // physical
  uint64_t first = 0;  // physical addresses in use: [first, end), zeroed tails included
  uint64_t end = 0;
  std::vector<Segment> segments;
  std::unordered_map<std::string, uint64_t> symbols;  // ELF: name -> value as linked (virtual)

  // The physical address of a symbol such as `tohost`, or nothing.
  std::optional<uint64_t> symbol(const std::string& name) const;
  // A linked address as a physical one; itself when no segment has it.
  uint64_t to_physical(uint64_t vaddr) const;
};

// How an image may be placed.
struct Placement {
  ElfMachine machine = ElfMachine::kRiscv;
  // What messages call the file: "kernel", "firmware".
  std::string_view role = "kernel";
  // Address to which an Image header's text_offset is added (2 MiB aligned for RISC-V and Arm64).
  uint64_t image_base = 0;
  // Where a plain binary, which says nothing about itself, goes and is entered.
  uint64_t raw_address = 0;
};

// All loaders: `name` is what messages call the bytes, normally the path. Nothing is written to RAM unless the whole
// file fits and makes sense.

// ELF64 little endian (System V ABI, chapter 5) of one machine: PT_LOAD segments go to their physical addresses.
Result<LoadedImage> load_elf(std::span<const uint8_t> file, std::string_view name, const Placement& placement,
                             GuestRam& ram);

// Recognises ELF, the Image headers of RISC-V and Arm64 Linux, gzip around either, EFI zboot with gzip, and otherwise
// takes the file as a plain binary.
Result<LoadedImage> load_kernel(std::span<const uint8_t> file, std::string_view name, const Placement& placement,
                                GuestRam& ram);
Result<LoadedImage> load_kernel(const std::string& path, const Placement& placement, GuestRam& ram);

// The bytes as they are to one address.
Result<LoadedImage> load_raw(std::span<const uint8_t> file, std::string_view name, const Placement& placement,
                             GuestRam& ram);

struct AddressRange {
  uint64_t first = 0;
  uint64_t end = 0;  // one past the last byte
};

// Puts an initrd, page aligned, as high as it fits into [not_below, not_above) and RAM; not_below is normally the end
// of the kernel, not_above the place of the device tree.
Result<AddressRange> load_initrd(const std::string& path, GuestRam& ram, uint64_t not_below, uint64_t not_above);

// The whole file; the error names it and the host's reason. Refuses more than `max_bytes`.
Result<std::vector<uint8_t>> read_file(const std::string& path, uint64_t max_bytes);

// gzip (RFC 1952) unpacked, at most `max_bytes`.
Result<std::vector<uint8_t>> gunzip(std::span<const uint8_t> packed, std::string_view name, uint64_t max_bytes);

}  // namespace lockstep::core
