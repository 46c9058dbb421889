// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tlm_models/kernel/state_reader.h"

namespace lockstep::tlm_models {

// Index of a register in its device's table.
using RegisterId = unsigned;

// What reading does beyond giving the stored value: the result is what software reads. `index` counts inside an array
// of registers; `now_ns` is the reader's local virtual time.
using ReadEffect = std::function<uint64_t(unsigned index, uint64_t stored, uint64_t now_ns)>;
// What writing does after the masks were applied to the stored value. `written` is the value as software wrote it,
// filled up with the stored bytes where the access was narrower than the register.
using WriteEffect = std::function<void(unsigned index, uint64_t written, uint64_t now_ns)>;

// Offset of registers that no address reaches: state that is saved, reset and documented like the others (the
// 16550's divisor latch behind DLAB, the values behind a selector).
inline constexpr uint64_t kNoAddress = ~uint64_t{0};

// One row of a device's table.
struct RegisterSpec {
  uint64_t offset = 0;      // bytes from the start of the device, aligned to size_bytes; or kNoAddress
  unsigned size_bytes = 4;  // 1, 2, 4 or 8
  std::string name;         // as in the device's specification
  uint64_t reset = 0;
  uint64_t read_mask = ~uint64_t{0};   // bits of the stored value that reads show
  uint64_t write_mask = ~uint64_t{0};  // bits that writes change; 0: read-only
  uint64_t w1c_mask = 0;               // bits that a written 1 clears
  unsigned count = 1;                  // an array of `count` registers ...
  uint64_t stride_bytes = 0;           // ... this far apart (0: size_bytes)
  std::string doc;
  ReadEffect on_read = nullptr;
  WriteEffect on_write = nullptr;
};

// The registers of a device, declared as data. Decoding, reset, snapshots, documentation and the generic register test
// come from it.
class RegisterTable {
 public:
  RegisterId add(RegisterSpec spec);
  void reset();

  uint64_t get(RegisterId id, unsigned index = 0) const { return values_[rows_[id].first + index]; }
  void set(RegisterId id, uint64_t value, unsigned index = 0) { values_[rows_[id].first + index] = value; }
  bool test(RegisterId id, uint64_t bits) const { return (get(id) & bits) != 0; }

  // One access with side effects. `offset` is aligned to `size_bytes` (1, 2, 4 or 8). An access wider than the register
  // goes on to the following registers; a narrower one reads a part of it or keeps its other bytes. False when no
  // register is at the offset: `value` then reads 0.
  bool read(uint64_t offset, unsigned size_bytes, uint64_t now_ns, uint64_t& value);
  bool write(uint64_t offset, unsigned size_bytes, uint64_t now_ns, uint64_t value);
  // The stored value without side effects, for debuggers.
  bool peek(uint64_t offset, unsigned size_bytes, uint64_t& value) const;

  // Name of the register at an offset, with its index ("ENABLE[3]"); empty when there is none.
  std::string name_at(uint64_t offset) const;

  void save(SnapshotSection& section) const;
  void restore(StateReader& reader);

  // A Markdown table of all rows.
  std::string describe() const;

  size_t rows() const { return rows_.size(); }
  const RegisterSpec& spec(RegisterId id) const { return rows_[id].spec; }

 private:
  struct Row {
    RegisterSpec spec;
    unsigned first = 0;  // index of the first value
  };
  struct Place {
    uint64_t offset;
    RegisterId id;
    unsigned index;
  };

  const Place* find(uint64_t offset) const;
  static uint64_t ones(unsigned size_bytes) {
    return size_bytes >= 8 ? ~uint64_t{0} : (uint64_t{1} << (size_bytes * 8)) - 1;
  }

  std::vector<Row> rows_;
  std::vector<uint64_t> values_;
  std::vector<Place> places_;  // sorted by offset
};

}  // namespace lockstep::tlm_models
