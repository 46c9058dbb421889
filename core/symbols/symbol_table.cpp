// SPDX-License-Identifier: Apache-2.0
#include "core/symbols/symbol_table.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace lockstep::core {

namespace {

constexpr uint64_t kMaxDistance = uint64_t{1} << 20;

// One structure of the file, or nothing where the file ends before.
template <typename T>
bool read_at(std::span<const char> file, uint64_t offset, T& out) {
  if (offset > file.size() || file.size() - offset < sizeof out) return false;
  std::memcpy(&out, file.data() + offset, sizeof out);
  return true;
}

void add_elf(std::span<const char> file, SymbolTable& table) {
  Elf64_Ehdr header;
  if (!read_at(file, 0, header) || header.e_shentsize != sizeof(Elf64_Shdr)) return;
  for (unsigned k = 0; k < header.e_shnum; ++k) {
    Elf64_Shdr section;
    if (!read_at(file, header.e_shoff + k * sizeof section, section)) return;
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= header.e_shnum) continue;
    Elf64_Shdr strings;
    if (!read_at(file, header.e_shoff + section.sh_link * sizeof strings, strings)) return;
    if (strings.sh_offset > file.size() || file.size() - strings.sh_offset < strings.sh_size) return;
    const char* names = file.data() + strings.sh_offset;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      if (!read_at(file, section.sh_offset + at, symbol)) return;
      const unsigned type = ELF64_ST_TYPE(symbol.st_info);
      if ((type != STT_FUNC && type != STT_NOTYPE) || symbol.st_shndx == SHN_UNDEF) continue;
      if (symbol.st_name >= strings.sh_size) continue;
      const std::string name(names + symbol.st_name, strnlen(names + symbol.st_name, strings.sh_size - symbol.st_name));
      // Local labels and mapping symbols name no code that a person wrote.
      if (!name.empty() && name[0] != '.' && name[0] != '$')
        table.add(symbol.st_value, name, type == STT_FUNC, symbol.st_size);
    }
  }
}

void add_map(std::span<const char> file, SymbolTable& table) {
  std::istringstream lines(std::string(file.begin(), file.end()));
  for (std::string line; std::getline(lines, line);) {
    uint64_t address = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), address, 16);
    const auto length = static_cast<size_t>(end - line.data());
    if (error != std::errc() || length + 4 > line.size() || line[length] != ' ' || line[length + 2] != ' ') return;
    if (std::strchr("tTwW", line[length + 1]) != nullptr) table.add(address, line.substr(length + 3), true);
  }
}

}  // namespace

Status SymbolTable::add_file(const std::string& path, bool required) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return Error{fmt::format("{}: cannot be read", path)};
  std::vector<char> file(static_cast<size_t>(std::max<std::streamoff>(in.tellg(), 0)));
  in.seekg(0).read(file.data(), static_cast<std::streamsize>(file.size()));
  file.resize(static_cast<size_t>(in.gcount()));
  if (!add_bytes(file) && required) {
    return Error{fmt::format("{}: no symbols: give an ELF that is not stripped, or a System.map", path)};
  }
  return {};
}

void SymbolTable::add(uint64_t address, std::string name, bool is_function, uint64_t size_bytes) {
  Symbol& symbol = symbols_[address];
  if (!symbol.name.empty() && (symbol.is_function || !is_function)) return;
  symbol = {std::move(name), is_function, size_bytes};
}

bool SymbolTable::add_bytes(std::span<const char> file) {
  const size_t before = symbols_.size();
  if (file.size() >= SELFMAG && std::memcmp(file.data(), ELFMAG, SELFMAG) == 0) {
    add_elf(file, *this);
  } else {
    add_map(file, *this);
  }
  return symbols_.size() != before;
}

std::string SymbolTable::name_of(uint64_t address) const {
  auto it = symbols_.upper_bound(address);
  if (it == symbols_.begin()) return {};
  --it;
  const uint64_t distance = address - it->first;
  if (distance >= kMaxDistance) return {};
  const std::string& name = it->second.name;
  return distance == 0 ? name : fmt::format("{}+{:#x}", name, distance);
}

}  // namespace lockstep::core
