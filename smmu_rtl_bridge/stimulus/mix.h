// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace lockstep::smmu_rtl_bridge {

// How often random stimulus does what. A mix is a readable file, "name = number" a line; what it does not name has the
// default below. docs/cosim.md says what each number does. Those that are no count and no weight are percentages.
struct Mix {
  std::string name = "default";

  // How much.
  unsigned accesses = 560;
  unsigned rounds = 28;   // between them something else happens
  unsigned streams = 5;   // at most
  unsigned mappings = 4;  // of each half of an address space

  // Weights of what a stream is.
  unsigned stage1 = 22;
  unsigned stage2 = 15;
  unsigned nested = 55;
  unsigned bypass = 6;
  unsigned abort = 2;

  unsigned shared = 15;  // streams that share another's address spaces
  unsigned substreams = 45;
  unsigned two_level_streams = 50;
  unsigned two_level_contexts = 60;
  unsigned el2 = 35;
  unsigned upper_half = 40;
  unsigned big_endian = 20;
  unsigned identity = 40;  // nested streams whose stage 2 is the simple one
  unsigned blocks = 25;
  unsigned contiguous = 10;
  unsigned hardware_update = 40;
  unsigned access_flag_clear = 8;
  unsigned attributes = 40;
  unsigned permissions = 20;  // leaves that do not allow everything
  unsigned hierarchy = 20;
  unsigned odd = 60;    // how much of what makes accesses fault or pass tables by there is in configurations
  unsigned holes = 8;   // accesses to addresses that nothing maps
  unsigned damage = 8;  // structures with something illegal
  unsigned stalls = 12;
  unsigned ats = 40;
  unsigned small_queues = 15;
  unsigned messages = 25;
  unsigned unknown_streams = 2;
  unsigned locality = 48;  // accesses to the page of an earlier one
  unsigned forgotten = 3;  // invalidations that software forgets
  unsigned hasty = 15;     // things that are done without waiting for silence

  // Weights of what happens between rounds.
  unsigned nothing = 25;
  unsigned update = 16;
  unsigned update_live = 4;  // without break-before-make
  unsigned reconfigure = 10;
  unsigned invalidate = 12;
  unsigned bus_error = 8;
  unsigned bad_command = 4;
  unsigned resume = 6;
  unsigned translation_request = 6;
  unsigned page_request = 5;
  unsigned registers = 4;
  unsigned disable = 2;
  unsigned queue_error = 2;
  unsigned race = 8;  // changes and commands while accesses to the very page are under way

  // Of the device, where it is a model.
  unsigned plain_device = 10;
  unsigned small_caches = 60;
};

struct MixNumber {
  std::string_view name;
  unsigned Mix::*member;
  unsigned largest;
};
std::span<const MixNumber> mix_numbers();

// `file` is for messages, which begin with file:line.
core::Result<Mix> parse_mix(std::string_view text, const std::string& file, const std::string& name);

// The mixes that come with the program.
struct NamedText {
  std::string_view name;
  std::string_view text;
};
std::span<const NamedText> known_mixes();

// One of the known mixes, or a file.
core::Result<Mix> load_mix(const std::string& name_or_file);

}  // namespace lockstep::smmu_rtl_bridge
