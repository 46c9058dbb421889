// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace lockstep::test {

inline constexpr uint64_t kRamBase = 0x80000000;

// A small valid RISC-V executable: one segment of 16 bytes and a zeroed tail, and symbols `tohost` and `_start`. The
// fields are open, so that a test can spoil one.
struct ElfMaker {
  Elf64_Ehdr header = {};
  std::vector<Elf64_Phdr> segments;
  std::vector<uint8_t> code = std::vector<uint8_t>(16, 0x13);

  ElfMaker() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC;
    header.e_machine = EM_RISCV;
    header.e_entry = kRamBase;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
    Elf64_Phdr segment = {};
    segment.p_type = PT_LOAD;
    segment.p_vaddr = segment.p_paddr = kRamBase;
    segment.p_filesz = code.size();
    segment.p_memsz = 64;
    segments.push_back(segment);
  }

  // Places offsets and counts; a test may spoil them afterwards.
  ElfMaker& lay_out() {
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_phnum = static_cast<Elf64_Half>(segments.size());
    code_at_ = header.e_phoff + segments.size() * sizeof(Elf64_Phdr);
    for (Elf64_Phdr& segment : segments) segment.p_offset = code_at_;
    return *this;
  }

  std::vector<uint8_t> bytes() {
    const std::string names = std::string("\0tohost\0_start\0", 15);
    Elf64_Sym symbols[3] = {};
    symbols[1] = {1, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0, 1, kRamBase + 0x20, 8};
    symbols[2] = {8, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1, kRamBase, 0};
    Elf64_Shdr sections[3] = {};
    const uint64_t symbols_at = code_at_ + code.size();
    const uint64_t names_at = symbols_at + sizeof(symbols);
    header.e_shoff = names_at + names.size();
    header.e_shnum = 3;
    sections[1].sh_type = SHT_SYMTAB;
    sections[1].sh_offset = symbols_at;
    sections[1].sh_size = sizeof(symbols);
    sections[1].sh_entsize = sizeof(Elf64_Sym);
    sections[1].sh_link = 2;
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = names_at;
    sections[2].sh_size = names.size();
    std::vector<uint8_t> out;
    const auto add = [&](const void* data, size_t size) {
      const auto* first = static_cast<const uint8_t*>(data);
      out.insert(out.end(), first, first + size);
    };
    add(&header, sizeof(header));
    add(segments.data(), segments.size() * sizeof(Elf64_Phdr));
    add(code.data(), code.size());
    add(symbols, sizeof(symbols));
    add(names.data(), names.size());
    add(sections, sizeof(sections));
    return out;
  }

 private:
  uint64_t code_at_ = 0;
};

// A Linux Image: 64 bytes of header and `payload_bytes` behind it.
inline std::vector<uint8_t> make_image(const char (&magic)[5], uint64_t text_offset, uint64_t image_size,
                                       size_t payload_bytes = 64) {
  std::vector<uint8_t> file(64 + payload_bytes, 0xaa);
  std::memset(file.data(), 0, 64);
  std::memcpy(file.data() + 8, &text_offset, 8);
  std::memcpy(file.data() + 16, &image_size, 8);
  std::memcpy(file.data() + 56, magic, 4);
  return file;
}

}  // namespace lockstep::test
