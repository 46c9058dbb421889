// SPDX-License-Identifier: Apache-2.0
#include "core/gdb/packet.h"

namespace lockstep::core::gdb {
namespace {

constexpr char kEscape = '}';
constexpr char kEscapeMask = 0x20;
constexpr std::string_view kDigits = "0123456789abcdef";

int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

void PacketParser::append(char byte) {
  if (payload_.size() < kPacketBytesMax) {
    payload_.push_back(byte);
  } else {
    is_too_long_ = true;
  }
}

PacketEvent PacketParser::feed(uint8_t byte) {
  const char character = static_cast<char>(byte);
  switch (state_) {
    case State::kIdle:
      if (character == '+') return PacketEvent::kAck;
      if (character == '-') return PacketEvent::kNak;
      if (byte == 0x03) return PacketEvent::kInterrupt;
      break;
    case State::kPayload:
    case State::kEscape:
      // A bare '$' can only be a new packet: the end of the one before was lost.
      if (character == '$') break;
      if (character == '#') {
        // An escape without its byte leaves the packet malformed.
        is_checksum_malformed_ = state_ == State::kEscape;
        state_ = State::kChecksumHigh;
        return PacketEvent::kNone;
      }
      sum_ = static_cast<uint8_t>(sum_ + byte);
      if (state_ == State::kEscape) {
        append(static_cast<char>(character ^ kEscapeMask));
        state_ = State::kPayload;
      } else if (character == kEscape) {
        state_ = State::kEscape;
      } else {
        append(character);
      }
      return PacketEvent::kNone;
    case State::kChecksumHigh:
    case State::kChecksumLow: {
      const int digit = digit_value(character);
      if (digit < 0) is_checksum_malformed_ = true;
      expected_sum_ = static_cast<uint8_t>(expected_sum_ << 4 | (digit & 15));
      if (state_ == State::kChecksumHigh) {
        state_ = State::kChecksumLow;
        return PacketEvent::kNone;
      }
      state_ = State::kIdle;
      const bool is_good = !is_too_long_ && !is_checksum_malformed_ && expected_sum_ == sum_;
      return is_good ? PacketEvent::kPacket : PacketEvent::kBad;
    }
  }
  if (character == '$') {
    state_ = State::kPayload;
    payload_.clear();
    sum_ = 0;
    expected_sum_ = 0;
    is_too_long_ = false;
    is_checksum_malformed_ = false;
  }
  return PacketEvent::kNone;
}

std::string frame_packet(std::string_view payload) {
  std::string out;
  out.reserve(payload.size() + 4);
  out.push_back('$');
  uint8_t sum = 0;
  const auto put = [&](char byte) {
    out.push_back(byte);
    sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(byte));
  };
  for (const char byte : payload) {
    // '*' would start a run length on its way to the client.
    if (byte == '$' || byte == '#' || byte == kEscape || byte == '*') {
      put(kEscape);
      put(static_cast<char>(byte ^ kEscapeMask));
    } else {
      put(byte);
    }
  }
  out.push_back('#');
  out.push_back(kDigits[sum >> 4]);
  out.push_back(kDigits[sum & 15]);
  return out;
}

void append_hex(std::string& out, std::span<const uint8_t> bytes) {
  for (const uint8_t byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  append_hex(out, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = digit_value(text[i]);
    const int low = digit_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return out;
}

bool PayloadReader::consume(char expected) {
  if (rest_.empty() || rest_.front() != expected) return false;
  rest_.remove_prefix(1);
  return true;
}

bool PayloadReader::consume(std::string_view expected) {
  if (!rest_.starts_with(expected)) return false;
  rest_.remove_prefix(expected.size());
  return true;
}

std::optional<uint64_t> PayloadReader::number() {
  uint64_t value = 0;
  size_t digits = 0;
  while (digits < rest_.size() && digit_value(rest_[digits]) >= 0) {
    if (digits == 16) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit_value(rest_[digits]));
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  rest_.remove_prefix(digits);
  return value;
}

std::string_view PayloadReader::until(char delimiter) {
  const size_t end = rest_.find(delimiter);
  const std::string_view part = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  return part;
}

}  // namespace lockstep::core::gdb
