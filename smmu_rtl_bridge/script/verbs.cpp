// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using Names = std::string_view;

constexpr Names kStreamKinds[] = {"s1", "s2", "nested", "bypass", "abort"};
constexpr Names kFetches[] = {"page", "ste", "l1ste", "cd", "l1cd", "desc", "cmdq", "evtq", "priq"};
constexpr Names kAccesses[] = {"read", "write", "atomic", "exec"};
constexpr Names kAtcAnswers[] = {"done", "timeout", "later"};
constexpr Names kResponses[] = {"retry", "terminate", "abort"};

constexpr FieldName kStreamFields[] = {{"w0"}, {"w1"},   {"w2"}, {"w3"},   {"w4"},   {"w5"},      {"w6"},
                                       {"w7"}, {"flip"}, {"l1"}, {"leaf"}, {"span"}, {"identity"}};
constexpr FieldName kCdFields[] = {{"w0"}, {"w1"}, {"w2"},   {"w3"}, {"w4"},  {"w5"},
                                   {"w6"}, {"w7"}, {"flip"}, {"l1"}, {"leaf"}};
constexpr FieldName kMapFields[] = {{"pa"},      {"level"}, {"tables"},     {"attr"}, {"ap"},  {"sh"},
                                    {"af"},      {"ng"},    {"ns"},         {"dbm"},  {"pxn"}, {"xn"},
                                    {"memattr"}, {"s2ap"},  {"cont", true}, {"or"},   {"flip"}};
constexpr FieldName kUnmapFields[] = {{"level"}, {"value"}};
constexpr FieldName kDescriptorFields[] = {{"level"}, {"value"}, {"flip"}};
constexpr FieldName kPointerFields[] = {{"level"}, {"ap"}, {"xn"}, {"pxn"}, {"ns"}, {"or"}};
constexpr FieldName kPokeFields[] = {{"value"}, {"size"}};
constexpr FieldName kBreakFields[] = {{"level"}};
constexpr FieldName kSlowFields[] = {{"level"}, {"cycles"}};
constexpr FieldName kWriteFields[] = {{"size"}, {"nowait", true}};
constexpr FieldName kReadFields[] = {{"size"}};
constexpr FieldName kHold[] = {{"hold", true}};
constexpr FieldName kAccessFields[] = {{"priv", true}, {"inst", true}, {"translated", true},
                                       {"size"},       {"type"},       {"sh"}};
constexpr FieldName kAtsFields[] = {{"nowrite", true}, {"exec", true}, {"priv", true}};
constexpr FieldName kPageFields[] = {{"read", true}, {"write", true}, {"exec", true},
                                     {"priv", true}, {"last", true},  {"group"}};
constexpr FieldName kResumeFields[] = {{"tag"}};

using enum Verb;
constexpr VerbRow kRows[] = {
    {.verb = kSetup, .name = "setup", .kind = FieldKind::kRegister},
    {.verb = kStream,
     .name = "stream",
     .word = WordKind::kOneOfOrNone,
     .words = kStreamKinds,
     .place = true,
     .kind = FieldKind::kSte,
     .fields = kStreamFields},
    {.verb = kCd, .name = "cd", .place = true, .kind = FieldKind::kCd, .fields = kCdFields},
    {.verb = kMap, .name = "map", .place = true, .number = true, .fields = kMapFields},
    {.verb = kUnmap, .name = "unmap", .place = true, .number = true, .fields = kUnmapFields},
    {.verb = kDescriptor, .name = "desc", .place = true, .number = true, .fields = kDescriptorFields},
    {.verb = kPointer, .name = "pointer", .place = true, .number = true, .fields = kPointerFields},
    {.verb = kPoke, .name = "poke", .number = true, .fields = kPokeFields},
    {.verb = kBreak,
     .name = "break",
     .word = WordKind::kOneOf,
     .words = kFetches,
     .place = true,
     .number = true,
     .fields = kBreakFields},
    {.verb = kMend,
     .name = "mend",
     .word = WordKind::kOneOf,
     .words = kFetches,
     .place = true,
     .number = true,
     .fields = kBreakFields},
    {.verb = kSlow,
     .name = "slow",
     .word = WordKind::kOneOf,
     .words = kFetches,
     .place = true,
     .number = true,
     .fields = kSlowFields},
    {.verb = kWrite, .name = "write", .word = WordKind::kRegister, .number = true, .fields = kWriteFields},
    {.verb = kRead, .name = "read", .word = WordKind::kRegister, .fields = kReadFields},
    {.verb = kCommand, .name = "cmd", .word = WordKind::kCommand, .kind = FieldKind::kCommand, .fields = kHold},
    {.verb = kSync, .name = "sync", .kind = FieldKind::kCommand},
    {.verb = kAccess,
     .name = "access",
     .word = WordKind::kOneOf,
     .words = kAccesses,
     .place = true,
     .number = true,
     .fields = kAccessFields},
    {.verb = kAts, .name = "ats", .place = true, .number = true, .fields = kAtsFields},
    {.verb = kPage, .name = "page", .place = true, .number = true, .fields = kPageFields},
    {.verb = kAtc, .name = "atc", .word = WordKind::kOneOf, .words = kAtcAnswers},
    {.verb = kResume,
     .name = "resume",
     .word = WordKind::kOneOf,
     .words = kResponses,
     .place = true,
     .fields = kResumeFields},
    {.verb = kEvents, .name = "events"},
    {.verb = kRecover, .name = "recover"},
    {.verb = kQuiet, .name = "quiet"},
    {.verb = kTick, .name = "tick", .number = true},
};
static_assert(std::size(kRows) == static_cast<size_t>(Verb::kCount));

bool names_memory(Verb verb) { return verb == Verb::kBreak || verb == Verb::kMend || verb == Verb::kSlow; }

}  // namespace

bool wants_place(const Line& line) {
  if (!names_memory(line.verb)) return row_of(line.verb).place;
  return line.word == "ste" || line.word == "l1ste" || line.word == "cd" || line.word == "l1cd" || line.word == "desc";
}
bool wants_number(const Line& line) {
  if (!names_memory(line.verb)) return row_of(line.verb).number;
  return line.word == "page" || line.word == "desc";
}

const VerbRow& row_of(Verb verb) { return kRows[static_cast<size_t>(verb)]; }
std::span<const VerbRow> verb_rows() { return kRows; }

}  // namespace lockstep::smmu_rtl_bridge
