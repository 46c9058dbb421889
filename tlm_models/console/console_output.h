// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/digest/digest.h"

namespace lockstep::tlm_models {

// Everything that the guest printed: kept whole up to a bound, hashed without one, and handed to the host in pieces.
class ConsoleOutput {
 public:
  // A digest over more text than this cannot be resumed from a snapshot, which carries the text itself.
  static constexpr size_t kMaxKeptBytes = size_t{64} << 20;

  // Called by flush() with what came since the last time.
  using Writer = std::function<void(std::string_view text)>;

  void set_writer(Writer writer) { writer_ = std::move(writer); }
  void put(uint8_t byte);
  void flush();

  std::string sha256() const;
  const std::string& text() const { return text_; }
  uint64_t total_bytes() const { return total_bytes_; }
  // Takes the text of a snapshot; it counts as already written.
  void restore(std::string text);

 private:
  Writer writer_;
  core::Sha256 hash_;
  std::string text_;
  std::string pending_;
  uint64_t total_bytes_ = 0;
};

}  // namespace lockstep::tlm_models
