// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr uint64_t kDecimalBelow = 100;

void append(std::string& text, uint64_t value) {
  char buffer[24];
  const bool hex = value >= kDecimalBelow;
  if (hex) text += "0x";
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, hex ? 16 : 10);
  text.append(buffer, end);
}

bool is_flag(const VerbRow& row, std::string_view name) {
  for (const FieldName& field : row.fields)
    if (field.name == name) return field.flag;
  return false;
}

}  // namespace

std::string print(const Line& line) {
  const VerbRow& row = row_of(line.verb);
  std::string text;
  if (line.delay != 0) text += "@" + std::to_string(line.delay) + " ";
  text += row.name;
  if (!line.word.empty()) text += " " + line.word;
  if (wants_place(line)) {
    text += " ";
    append(text, line.place.stream);
    if (line.place.has_substream) {
      text += ".";
      append(text, line.place.substream);
    }
    if (line.place.stage2) text += "/s2";
  }
  if (wants_number(line)) {
    text += " ";
    append(text, line.number);
  }
  for (const Field& field : line.fields) {
    text += " " + field.name;
    if (field.value == 1 && is_flag(row, field.name)) continue;
    text += "=";
    append(text, field.value);
  }
  return text;
}

std::string print(const Script& script) {
  std::string text = "smmu-script " + std::to_string(kScriptVersion) + "\n";
  if (script.has_seed) text += "seed " + std::to_string(script.seed) + "\n";
  if (!script.mix.empty()) text += "mix " + script.mix + "\n";
  if (!script.device.empty()) {
    text += "device";
    for (const Field& field : script.device) {
      text += " " + field.name + "=";
      append(text, field.value);
    }
    text += "\n";
  }
  if (!script.settings.empty()) {
    text += "settings";
    for (const Setting& setting : script.settings) text += " " + setting.name + "=" + setting.value;
    text += "\n";
  }
  for (const Line& line : script.lines) text += print(line) + "\n";
  return text;
}

}  // namespace lockstep::smmu_rtl_bridge
