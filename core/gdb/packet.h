// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// The framing of gdb's remote serial protocol: $payload#checksum, escapes, acknowledgements, and the pieces of which
// payloads are made (GDB manual, appendix "Remote Serial Protocol", "Overview").
namespace lockstep::core::gdb {

// The longest payload taken or given, in bytes; announced to the client as PacketSize.
inline constexpr size_t kPacketBytesMax = 0x4000;

enum class PacketEvent : uint8_t {
  kNone,       // in the middle of something
  kPacket,     // payload() is complete and its checksum is right
  kBad,        // a packet ended whose checksum is wrong or that was too long
  kAck,        // '+'
  kNak,        // '-': the client wants the last packet again
  kInterrupt,  // 0x03 outside a packet
};

// Takes the client's bytes one at a time. Never fails: what fits no rule is skipped.
class PacketParser {
 public:
  PacketEvent feed(uint8_t byte);
  // Of the last kPacket, unescaped.
  const std::string& payload() const { return payload_; }

 private:
  enum class State : uint8_t { kIdle, kPayload, kEscape, kChecksumHigh, kChecksumLow };

  void append(char byte);

  State state_ = State::kIdle;
  std::string payload_;
  uint8_t sum_ = 0;
  uint8_t expected_sum_ = 0;
  bool is_too_long_ = false;
  bool is_checksum_malformed_ = false;
};

// The payload framed for the wire, escaped where a byte would be mistaken for framing.
std::string frame_packet(std::string_view payload);

void append_hex(std::string& out, std::span<const uint8_t> bytes);
std::string to_hex(std::string_view bytes);
// Nothing if the length is odd or a character is no hexadecimal digit.
std::optional<std::string> from_hex(std::string_view text);

// Reads a payload from left to right.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool at_end() const { return rest_.empty(); }
  bool consume(char expected);
  bool consume(std::string_view expected);
  // A hexadecimal number of 1 to 16 digits.
  std::optional<uint64_t> number();
  // Everything up to the delimiter, which is consumed too, or up to the end.
  std::string_view until(char delimiter);

 private:
  std::string_view rest_;
};

}  // namespace lockstep::core::gdb
