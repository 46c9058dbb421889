// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace lockstep::smmu_rtl_bridge {

// A script is what software, clients and memory do to a device under test, one thing a line: docs/cosim.md teaches the
// format. Every line stands for itself: taking one away moves nothing else, so that a failing script can be shrunk.

enum class Verb : uint8_t {
  kSetup,
  kStream,
  kCd,
  kMap,
  kUnmap,
  kDescriptor,
  kPointer,
  kPoke,
  kBreak,
  kMend,
  kSlow,
  kWrite,
  kRead,
  kCommand,
  kSync,
  kAccess,
  kAts,
  kPage,
  kAtc,
  kResume,
  kEvents,
  kRecover,
  kQuiet,
  kTick,
  kCount,
};

// Whose tables a line means: those of a context descriptor ("5" and "5.3") or of stage 2 ("5/s2").
struct Place {
  uint32_t stream = 0;
  uint32_t substream = 0;
  bool has_substream = false;
  bool stage2 = false;
  bool operator==(const Place&) const = default;
};

struct Field {
  std::string name;
  uint64_t value = 1;
  bool operator==(const Field&) const = default;
};

struct Line {
  Verb verb = Verb::kQuiet;
  uint32_t delay = 0;  // ticks before it
  std::string word;    // a register, a command, a kind of stream or of access; empty where the verb has none
  Place place;
  uint64_t number = 0;  // an address or a value
  std::vector<Field> fields;

  bool has(std::string_view name) const { return find(name) != nullptr; }
  const Field* find(std::string_view name) const;
  uint64_t get(std::string_view name, uint64_t otherwise) const;
  Line& set(std::string name, uint64_t value = 1) {
    fields.push_back({std::move(name), value});
    return *this;
  }
  bool operator==(const Line&) const = default;
};

struct Setting {
  std::string name;
  std::string value;
  bool operator==(const Setting&) const = default;
};

struct Script {
  bool has_seed = false;
  uint64_t seed = 0;
  std::string mix;
  // ID registers that it was made for; empty: any device.
  std::vector<Field> device;
  // Of the device, where it is a model that can be made so.
  std::vector<Setting> settings;
  std::vector<Line> lines;
  bool operator==(const Script&) const = default;
};

// What a line of a verb is made of; the parser, the printer and the shrinker go by it.
enum class WordKind : uint8_t { kNone, kOneOf, kOneOfOrNone, kRegister, kCommand };
enum class FieldKind : uint8_t { kSte, kCd, kCommand, kRegister, kListed };
struct FieldName {
  std::string_view name;
  bool flag = false;  // printed without a value where it is 1
};
struct VerbRow {
  Verb verb;
  std::string_view name;
  WordKind word = WordKind::kNone;
  std::span<const std::string_view> words = {};
  bool place = false;
  bool number = false;
  FieldKind kind = FieldKind::kListed;
  std::span<const FieldName> fields = {};  // besides those of the kind
};
const VerbRow& row_of(Verb verb);
// Whether a line has a place and a number. Of lines that name something in memory by who reads it ("ste 5") or where it
// is ("page 0x1000"), that follows from their word.
bool wants_place(const Line& line);
bool wants_number(const Line& line);
std::span<const VerbRow> verb_rows();

inline constexpr unsigned kScriptVersion = 1;
// More of any of these is refused: no sensible script has them, and garbage must not take memory or time.
inline constexpr size_t kScriptBytesMax = size_t{64} << 20;
inline constexpr size_t kLineBytesMax = 4096;
inline constexpr size_t kLineFieldsMax = 64;
inline constexpr uint64_t kTicksMax = 1'000'000;

// `file` is for messages, which begin with file:line.
core::Result<Script> parse_script(std::string_view text, const std::string& file);
core::Result<Line> parse_line(std::string_view text);

std::string print(const Line& line);
// parse_script(print(s)) is s.
std::string print(const Script& script);

}  // namespace lockstep::smmu_rtl_bridge
