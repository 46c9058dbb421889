// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/hart/hart.h"
#include "core/hart/state.h"
#include "core/memory/guest_ram.h"

namespace lockstep::core {

using Sha256Bytes = std::array<uint8_t, 32>;

// SHA-256 (FIPS 180-4) of bytes that come in pieces, for example of a console as it is printed.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::span<const uint8_t> bytes);
  void update(std::string_view text);
  void update_u64(uint64_t value);  // eight bytes, little endian

  // The digest of everything so far; more may follow, so that a running console can be asked at any time.
  Sha256Bytes digest() const;
  std::string hex() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Lower-case hexadecimal, two digits a byte.
std::string to_hex(std::span<const uint8_t> bytes);
std::string sha256_hex(std::string_view text);

// Adds a hart's architectural fields in the layout's order, each as its size_bytes little-endian bytes as they lie in
// the state, without names or padding.
void add_state(Sha256& hash, const StateLayout& layout, const StateHeader& state);

// SHA-256 in hexadecimal over, for each hart in the order given: the hart's id as u64, its instruction count as u64,
// then add_state(). Two runs agree exactly when these agree.
std::string state_digest(std::span<const Hart* const> harts);

// SHA-256 in hexadecimal over: RAM base as u64, size as u64, then for every 4 KiB page that holds a byte other than
// zero, in rising order, its index from the base as u64 and its 4096 bytes. All-zero pages, whether the guest has
// touched them or not, add nothing.
std::string memory_digest(const GuestRam& ram);

// Whether all bytes are zero.
bool all_zero(std::span<const uint8_t> bytes);

}  // namespace lockstep::core
