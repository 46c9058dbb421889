// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/console/console_output.h"

#include <algorithm>

namespace lockstep::tlm_models {
namespace {

constexpr size_t kPendingBytes = 4096;

}  // namespace

void ConsoleOutput::put(uint8_t byte) {
  pending_.push_back(static_cast<char>(byte));
  ++total_bytes_;
  if (text_.size() < kMaxKeptBytes) text_.push_back(static_cast<char>(byte));
  if (pending_.size() >= kPendingBytes) flush();
}

void ConsoleOutput::flush() {
  if (pending_.empty()) return;
  hash_.update(pending_);
  if (writer_) writer_(pending_);
  pending_.clear();
}

std::string ConsoleOutput::sha256() const {
  if (pending_.empty()) return hash_.hex();
  core::Sha256 whole;
  if (total_bytes_ == text_.size()) {
    whole.update(text_);
    return whole.hex();
  }
  return hash_.hex();
}

void ConsoleOutput::restore(std::string text) {
  text_ = std::move(text);
  total_bytes_ = text_.size();
  pending_.clear();
  hash_ = core::Sha256();
  hash_.update(text_);
}

}  // namespace lockstep::tlm_models
