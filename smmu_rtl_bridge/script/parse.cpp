// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>
#include <set>

#include "smmu_rtl_bridge/script/script.h"
#include "smmu_rtl_bridge/script/vocabulary.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using core::Error;

constexpr size_t kShownMax = 40;

std::string quoted(std::string_view word) {
  std::string shown = "'";
  for (const char c : word.substr(0, kShownMax)) shown += c >= ' ' && c < 0x7f ? c : '?';
  return shown + (word.size() > kShownMax ? "...'" : "'");
}

// Decimal or 0x, with k, m, g or t behind it for powers of 1024.
std::optional<uint64_t> number_of(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  if (rest.empty()) return value;
  const size_t scale = std::string_view("kmgt").find(rest[0]);
  if (rest.size() != 1 || scale == std::string_view::npos) return std::nullopt;
  const unsigned shift = 10 * static_cast<unsigned>(scale + 1);
  if (value > ~uint64_t{0} >> shift) return std::nullopt;
  return value << shift;
}

// 5, 5.3 or 5/s2.
std::optional<Place> place_of(std::string_view text) {
  Place place;
  if (text.ends_with("/s2")) {
    place.stage2 = true;
    text.remove_suffix(3);
  }
  const size_t dot = text.find('.');
  const auto stream = number_of(text.substr(0, dot));
  if (!stream || *stream > 0xffffffff) return std::nullopt;
  place.stream = static_cast<uint32_t>(*stream);
  if (dot == std::string_view::npos) return place;
  const auto substream = number_of(text.substr(dot + 1));
  if (!substream || *substream > 0xfffff || place.stage2) return std::nullopt;
  place.substream = static_cast<uint32_t>(*substream);
  place.has_substream = true;
  return place;
}

class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}
  std::string_view next() {
    size_t begin = 0;
    while (begin < rest_.size() && (rest_[begin] == ' ' || rest_[begin] == '\t')) ++begin;
    size_t end = begin;
    while (end < rest_.size() && rest_[end] != ' ' && rest_[end] != '\t') ++end;
    const std::string_view word = rest_.substr(begin, end - begin);
    rest_.remove_prefix(end);
    return word;
  }

 private:
  std::string_view rest_;
};

bool has_field(const VerbRow& row, std::string_view name) {
  for (const FieldName& field : row.fields)
    if (field.name == name) return true;
  switch (row.kind) {
    case FieldKind::kSte:
      return find_ste_field(name);
    case FieldKind::kCd:
      return find_cd_field(name);
    case FieldKind::kCommand:
      return find_command_field(name);
    case FieldKind::kRegister:
      return find_register(name);
    case FieldKind::kListed:
      break;
  }
  return false;
}

bool is_one_of(const VerbRow& row, std::string_view word) {
  for (const std::string_view one : row.words)
    if (one == word) return true;
  return false;
}

std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

core::Status read_word(const VerbRow& row, std::string_view word, Line& line) {
  const std::string verb(row.name);
  switch (row.word) {
    case WordKind::kRegister: {
      const auto offset = number_of(word);
      if (!find_register(word) && (!offset || *offset > 0xffffffff))
        return Error{verb + " needs the name of a register or an offset, not " + quoted(word)};
      break;
    }
    case WordKind::kCommand:
      if (!find_command(word)) return Error{"there is no command " + quoted(word) + "; RAW w0=... w1=... is any"};
      break;
    default:
      if (!is_one_of(row, word)) return Error{verb + " is one of " + listed(row.words) + ", not " + quoted(word)};
  }
  line.word = word;
  return {};
}

std::string header_value(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return std::string(text);
}

// The lines before the first verb. False: it is none of them.
core::Result<bool> read_header(std::string_view text, Script& script, bool& has_version) {
  Words words(text);
  const std::string_view key = words.next();
  const std::string_view value = words.next();
  if (key == "smmu-script") {
    if (number_of(value) != kScriptVersion)
      return Error{"this program reads version " + std::to_string(kScriptVersion) + " of scripts, not " +
                   quoted(value)};
    has_version = true;
    return true;
  }
  if (key == "seed") {
    const auto seed = number_of(value);
    if (!seed) return Error{"seed needs a number, not " + quoted(value)};
    script.has_seed = true;
    script.seed = *seed;
    return true;
  }
  if (key == "mix") {
    script.mix = header_value(text.substr(3));
    return true;
  }
  if (key == "device" || key == "settings") {
    for (std::string_view word = value; !word.empty(); word = words.next()) {
      const size_t equals = word.find('=');
      if (equals == std::string_view::npos || equals == 0)
        return Error{std::string(key) + " needs NAME=VALUE, not " + quoted(word)};
      const std::string name(word.substr(0, equals));
      const std::string_view given = word.substr(equals + 1);
      if (key == "settings") {
        script.settings.push_back({name, std::string(given)});
        continue;
      }
      const auto number = number_of(given);
      if (!find_register(name) || !number) return Error{"device needs registers with numbers, not " + quoted(word)};
      script.device.push_back({name, *number});
    }
    return true;
  }
  return false;
}

std::string_view without_comment(std::string_view text) {
  text = text.substr(0, text.find('#'));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

}  // namespace

const Field* Line::find(std::string_view name) const {
  for (const Field& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

uint64_t Line::get(std::string_view name, uint64_t otherwise) const {
  const Field* field = find(name);
  return field ? field->value : otherwise;
}

core::Result<Line> parse_line(std::string_view text) {
  Words words(text);
  std::string_view word = words.next();
  Line line;
  if (word.starts_with("@")) {
    const auto delay = number_of(word.substr(1));
    if (!delay || *delay > kTicksMax) return Error{"a delay is @0 to @" + std::to_string(kTicksMax)};
    line.delay = static_cast<uint32_t>(*delay);
    word = words.next();
  }
  const VerbRow* row = nullptr;
  for (const VerbRow& candidate : verb_rows())
    if (candidate.name == word) row = &candidate;
  if (!row) return Error{quoted(word) + " begins no line; docs/cosim.md lists what does"};
  line.verb = row->verb;
  const std::string verb(row->name);

  word = words.next();
  if (row->word != WordKind::kNone && (row->word != WordKind::kOneOfOrNone || is_one_of(*row, word))) {
    if (const core::Status status = read_word(*row, word, line); !status) return status.error();
    word = words.next();
  }
  if (wants_place(line)) {
    const auto place = place_of(word);
    if (!place) return Error{verb + " needs a stream: 5, 5.3 with a substream or 5/s2, not " + quoted(word)};
    line.place = *place;
    word = words.next();
  }
  if (wants_number(line)) {
    const auto number = number_of(word);
    if (!number) return Error{verb + " needs a number here, not " + quoted(word)};
    line.number = *number;
    word = words.next();
  }
  if (line.verb == Verb::kTick && line.number > kTicksMax)
    return Error{"tick takes at most " + std::to_string(kTicksMax)};
  for (; !word.empty(); word = words.next()) {
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (!has_field(*row, name)) return Error{verb + " has no field " + quoted(name)};
    if (line.fields.size() == kLineFieldsMax) return Error{"a line has at most 64 fields"};
    if (line.find(name) && name != "flip") return Error{"field " + quoted(name) + " stands twice"};
    uint64_t value = 1;
    if (equals != std::string_view::npos) {
      const auto number = number_of(word.substr(equals + 1));
      if (!number) return Error{"field " + quoted(name) + " needs a number, not " + quoted(word.substr(equals + 1))};
      value = *number;
    }
    line.fields.push_back({std::string(name), value});
  }
  return line;
}

core::Result<Script> parse_script(std::string_view text, const std::string& file) {
  if (text.size() > kScriptBytesMax) return Error{file + ": a script has at most 64 MiB."};
  Script script;
  bool has_version = false;
  size_t line_number = 0;
  const auto wrong = [&](const std::string& what) {
    return Error{file + ":" + std::to_string(line_number) + ": " + what + "."};
  };
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line_number;
    if (line.size() > kLineBytesMax) return wrong("a line has at most 4096 bytes");
    line = without_comment(line);
    if (line.empty()) continue;
    if (script.lines.empty()) {
      const core::Result<bool> header = read_header(line, script, has_version);
      if (!header) return wrong(header.message());
      if (*header) continue;
    }
    if (!has_version) return wrong("a script begins with 'smmu-script 1'");
    core::Result<Line> parsed = parse_line(line);
    if (!parsed) return wrong(parsed.message());
    script.lines.push_back(std::move(*parsed));
  }
  if (!has_version) return wrong("a script begins with 'smmu-script 1'");
  return script;
}

}  // namespace lockstep::smmu_rtl_bridge
