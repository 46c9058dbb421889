// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/loader/byte_view.h"
#include "core/loader/loader.h"

namespace lockstep::core {

namespace {

using loader::get;
using loader::inside;
using loader::kMiB;

// Real programs have fewer than twenty; e_phnum could claim 65535 and cost time.
constexpr unsigned kMaxProgramHeaders = 256;

template <typename... Args>
Error bad(const Placement& placement, std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
  return Error{fmt::format("{} {}: {}", placement.role, name, fmt::format(format, std::forward<Args>(args)...))};
}

std::string machine_text(uint16_t machine) {
  switch (machine) {
    case EM_RISCV:
    case EM_AARCH64:
    case EM_X86_64:
      return std::string(machine_name(static_cast<ElfMachine>(machine)));
    default:
      return fmt::format("machine number {}", machine);
  }
}

Status check_header(const Elf64_Ehdr& header, std::span<const uint8_t> file, std::string_view name,
                    const Placement& placement) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return bad(placement, name, "is an ELF file, but not of 64 bits");
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) return bad(placement, name, "is an ELF file, but not little endian");
  if (header.e_machine != static_cast<uint16_t>(placement.machine)) {
    return bad(placement, name, "is an ELF file for {}, but the machine is {}", machine_text(header.e_machine),
               machine_name(placement.machine));
  }
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
    return bad(placement, name, "is an ELF file of type {}, not an executable; link it first", header.e_type);
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMaxProgramHeaders) {
    return bad(placement, name, "has {} program headers of {} bytes; between 1 and {} of {} bytes are expected",
               header.e_phnum, header.e_phentsize, kMaxProgramHeaders, sizeof(Elf64_Phdr));
  }
  if (!inside(header.e_phoff, uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), file.size())) {
    return bad(placement, name, "is truncated: its program headers at {:#x} lie behind its {} bytes", header.e_phoff,
               file.size());
  }
  return {};
}

// Symbols help tests and traces; a file whose tables make no sense simply has none.
void read_symbols(const Elf64_Ehdr& header, std::span<const uint8_t> file, LoadedImage& image) {
  if (header.e_shentsize != sizeof(Elf64_Shdr)) return;
  if (!inside(header.e_shoff, uint64_t{header.e_shnum} * sizeof(Elf64_Shdr), file.size())) return;
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const auto table = get<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (table.sh_type != SHT_SYMTAB || table.sh_entsize != sizeof(Elf64_Sym) || table.sh_link >= header.e_shnum ||
        !inside(table.sh_offset, table.sh_size, file.size())) {
      continue;
    }
    const auto strings = get<Elf64_Shdr>(file, header.e_shoff + table.sh_link * sizeof(Elf64_Shdr));
    if (!inside(strings.sh_offset, strings.sh_size, file.size())) continue;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = get<Elf64_Sym>(file, table.sh_offset + at);
      const unsigned kind = ELF64_ST_TYPE(symbol.st_info);
      if (symbol.st_shndx == SHN_UNDEF || kind == STT_SECTION || kind == STT_FILE) continue;
      if (symbol.st_name >= strings.sh_size) continue;
      const auto* text = reinterpret_cast<const char*>(file.data() + strings.sh_offset + symbol.st_name);
      const size_t length = strnlen(text, strings.sh_size - symbol.st_name);
      if (length == 0) continue;
      // Global symbols win over local ones of the same name.
      const bool local = ELF64_ST_BIND(symbol.st_info) == STB_LOCAL;
      if (local) {
        image.symbols.try_emplace(std::string(text, length), symbol.st_value);
      } else {
        image.symbols.insert_or_assign(std::string(text, length), symbol.st_value);
      }
    }
  }
}

}  // namespace

std::string_view machine_name(ElfMachine machine) {
  switch (machine) {
    case ElfMachine::kRiscv:
      return "RISC-V";
    case ElfMachine::kAarch64:
      return "AArch64";
    case ElfMachine::kX86_64:
      return "x86-64";
  }
  return "unknown";
}

uint64_t LoadedImage::to_physical(uint64_t vaddr) const {
  for (const Segment& segment : segments) {
    if (vaddr >= segment.vaddr && vaddr - segment.vaddr < segment.size_bytes) {
      return vaddr - segment.vaddr + segment.paddr;
    }
  }
  return vaddr;
}

std::optional<uint64_t> LoadedImage::symbol(const std::string& name) const {
  const auto found = symbols.find(name);
  if (found == symbols.end()) return std::nullopt;
  return to_physical(found->second);
}

Result<LoadedImage> load_elf(std::span<const uint8_t> file, std::string_view name, const Placement& placement,
                             GuestRam& ram) {
  if (file.size() < SELFMAG || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) {
    return bad(placement, name, "is not an ELF file");
  }
  if (file.size() < sizeof(Elf64_Ehdr)) {
    return bad(placement, name, "is truncated: an ELF header has {} bytes, the file {}", sizeof(Elf64_Ehdr),
               file.size());
  }
  const auto header = get<Elf64_Ehdr>(file, 0);
  if (Status status = check_header(header, file, name, placement); !status) return status.error();

  LoadedImage image;
  image.format = ImageFormat::kElf;
  image.first = ~uint64_t{0};
  std::vector<Elf64_Phdr> loads;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment = get<Elf64_Phdr>(file, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    if (segment.p_filesz > segment.p_memsz) {
      return bad(placement, name, "segment {} has more bytes in the file ({:#x}) than in memory ({:#x})", i,
                 segment.p_filesz, segment.p_memsz);
    }
    if (!inside(segment.p_offset, segment.p_filesz, file.size())) {
      return bad(placement, name, "is truncated: segment {} wants {:#x} bytes from offset {:#x}, the file has {:#x}", i,
                 segment.p_filesz, segment.p_offset, file.size());
    }
    if (!ram.window().contains(segment.p_paddr, segment.p_memsz)) {
      // Above RAM's start, more memory helps; anywhere else the file was linked for another machine.
      if (segment.p_paddr >= ram.base()) {
        return Error{fmt::format("{} {} needs {} MiB from {:#x} but the machine has {} MiB; ask for more with --memory",
                                 placement.role, name, (segment.p_memsz + kMiB - 1) / kMiB, segment.p_paddr,
                                 ram.size_bytes() / kMiB)};
      }
      return bad(placement, name,
                 "segment {} goes to {:#x}..{:#x}, but RAM is at {:#x}..{:#x}; link it for this machine", i,
                 segment.p_paddr, segment.p_paddr + segment.p_memsz - 1, ram.base(), ram.base() + ram.size_bytes() - 1);
    }
    image.segments.push_back({segment.p_vaddr, segment.p_paddr, segment.p_memsz});
    image.first = std::min(image.first, segment.p_paddr);
    image.end = std::max(image.end, segment.p_paddr + segment.p_memsz);
    loads.push_back(segment);
  }
  if (loads.empty()) return bad(placement, name, "has no segment to load");

  std::vector<LoadedImage::Segment> by_address = image.segments;
  std::sort(by_address.begin(), by_address.end(), [](const auto& a, const auto& b) { return a.paddr < b.paddr; });
  for (size_t i = 1; i < by_address.size(); ++i) {
    if (by_address[i].paddr - by_address[i - 1].paddr < by_address[i - 1].size_bytes) {
      return bad(placement, name, "has two segments at {:#x}", by_address[i].paddr);
    }
  }

  // Kernels are entered at a physical address, and some linkers write it as a virtual one.
  image.entry = image.to_physical(header.e_entry);
  const bool entry_loaded = std::any_of(by_address.begin(), by_address.end(), [&](const auto& segment) {
    return image.entry >= segment.paddr && image.entry - segment.paddr < segment.size_bytes;
  });
  if (!entry_loaded) return bad(placement, name, "begins at {:#x}, which no segment of it loads", header.e_entry);

  for (const Elf64_Phdr& segment : loads) {
    ram.write(segment.p_paddr, file.subspan(segment.p_offset, segment.p_filesz));
    const uint64_t tail = segment.p_memsz - segment.p_filesz;
    if (tail == 0) continue;
    std::ranges::fill(ram.bytes(segment.p_paddr + segment.p_filesz, tail), uint8_t{0});
    ram.note_write(segment.p_paddr + segment.p_filesz, tail);
  }
  read_symbols(header, file, image);
  return image;
}

}  // namespace lockstep::core
