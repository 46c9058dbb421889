// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/memory/guest_ram.h"
#include "core/result.h"

// A machine at rest in one file: named sections of named values, and RAM without its zero pages. Numbers are little
// endian, a name is a u16 length and its bytes. The file is
//   "LOCKSNAP", u32 version, u32 section count, u32 RAM count;
//   each section: name, u32 value count; each value: name, u8 kind, then a u64 (kind 0) or u64 length and bytes (kind
//   1); each RAM: name, u64 base, u64 size; each page that is not zero, in rising order: u64 index, u16 length and
//   bytes, as they are when the length is 4096 and in zlib's format otherwise; an index of all ones ends it; the
//   SHA-256 of everything before, so that a truncated or changed file is refused before anything is restored.
namespace lockstep::core {

inline constexpr uint32_t kSnapshotVersion = 1;
// Bounds of what a reader believes; a machine of 512 harts stays far below them.
inline constexpr uint32_t kMaxSnapshotSections = 1u << 16;
inline constexpr uint32_t kMaxSnapshotValues = 1u << 20;  // in one section
inline constexpr uint32_t kMaxSnapshotNameBytes = 256;
inline constexpr uint64_t kMaxSnapshotFileBytes = uint64_t{64} << 30;

// Values of one model. A model writes them with put() and reads them back with the getters; the same class serves both
// ways, so that a model can be tested without a file. A getter's error names the section and the key.
class SnapshotSection {
 public:
  explicit SnapshotSection(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  void put(const std::string& key, uint64_t value);
  void put_bytes(const std::string& key, std::span<const uint8_t> value);
  void put_string(const std::string& key, std::string_view value);

  bool has(const std::string& key) const { return values_.contains(key); }
  Result<uint64_t> u64(const std::string& key) const;
  // At most `max`: for values that index something.
  Result<uint64_t> u64_at_most(const std::string& key, uint64_t max) const;
  Result<std::vector<uint8_t>> bytes(const std::string& key) const;
  // Exactly `size_bytes` of them.
  Result<std::vector<uint8_t>> bytes(const std::string& key, size_t size_bytes) const;
  Result<std::string> string(const std::string& key) const;

 private:
  friend class SnapshotWriter;
  friend class SnapshotReader;
  using Value = std::variant<uint64_t, std::vector<uint8_t>>;

  std::string name_;
  std::map<std::string, Value> values_;
};

class SnapshotWriter {
 public:
  // The section of this name, made empty at the first call. The reference stays valid as long as the writer.
  SnapshotSection& section(const std::string& name);

  // `ram` is read when write() is called.
  void add_ram(const std::string& name, const GuestRam& ram) { rams_.emplace_back(name, &ram); }

  // Writes a file beside `path`, makes it durable and renames it, so that `path` is the old snapshot or the whole new
  // one at any moment.
  Status write(const std::string& path) const;
  // The same as bytes.
  Result<std::vector<uint8_t>> serialise() const;

 private:
  std::deque<SnapshotSection> sections_;
  std::vector<std::pair<std::string, const GuestRam*>> rams_;
};

class SnapshotReader {
 public:
  // Reads and checks the whole file; `name` is what messages call it.
  static Result<SnapshotReader> open(const std::string& path);
  static Result<SnapshotReader> parse(std::vector<uint8_t> file, const std::string& name);

  bool has_section(const std::string& name) const;
  // Valid as long as the reader.
  Result<const SnapshotSection*> section(const std::string& name) const;

  // Makes `ram` as it was: base and size must be those of the machine that was saved.
  Status restore_ram(const std::string& name, GuestRam& ram) const;

 private:
  struct Ram {
    uint64_t base = 0;
    uint64_t size_bytes = 0;
    size_t pages_at = 0;  // offset of the first page record in file_
  };

  std::string file_name_;
  std::vector<uint8_t> file_;
  std::map<std::string, SnapshotSection> sections_;
  std::map<std::string, Ram> rams_;
};

}  // namespace lockstep::core
