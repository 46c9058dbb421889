// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "core/result.h"

namespace lockstep::core {

// Names of guest addresses, for profiles and for the tools of the host.
class SymbolTable {
 public:
  // Adds what a file names: an ELF's symbol table, or text in the form of Linux's System.map ("ADDRESS TYPE NAME" in
  // each line, the address in hexadecimal). A file that is neither adds nothing and is no error, unless it was
  // `required`; one that cannot be read is.
  Status add_file(const std::string& path, bool required);
  // The same for a file's bytes. Answers whether there were any names.
  bool add_bytes(std::span<const char> file);
  // `size_bytes`: 0 where it is not known. Of several names of one address the first stays, but for a function's.
  void add(uint64_t address, std::string name, bool is_function = false, uint64_t size_bytes = 0);
  bool empty() const { return symbols_.empty(); }

  struct Symbol {
    std::string name;
    bool is_function = false;  // says the ELF
    uint64_t size_bytes = 0;
  };
  const std::map<uint64_t, Symbol>& by_address() const { return symbols_; }

  // "name" or "name+0x1c" of the nearest symbol at or below the address; empty where there is none within 1 MiB.
  std::string name_of(uint64_t address) const;

 private:
  std::map<uint64_t, Symbol> symbols_;
};

}  // namespace lockstep::core
