// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/stimulus/directed/groups.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

constexpr unsigned kBadSte = 0x04, kBadCd = 0x0a;

// One row of a table of conditions: what is wrong, and on which device it is.
struct Bad {
  const char* name;
  const char* section;
  const char* kind;  // of the stream
  const char* fields;
  std::vector<Setting> settings;
};

const std::vector<Bad>& bad_entries() {
  static const std::vector<Bad> kRows = {
      {"not-valid", "STE, V", "s1", "V=0", {}},
      {"stage1-absent", "STE, Config", "s2", "Config=5", {{"stage1", "0"}}},
      {"stage2-absent", "STE, Config", "s1", "Config=6", {{"stage2", "0"}}},
      {"nested-without-stage1", "STE, Config", "s2", "Config=7", {{"stage1", "0"}}},
      {"nested-without-stage2", "STE, Config", "s1", "Config=7", {{"stage2", "0"}}},
      {"split-ats-needs-nested", "STE, EATS", "s1", "EATS=2", {}},
      {"split-ats-with-stall", "STE, EATS", "nested", "EATS=2 S2S=1", {}},
      {"split-ats-absent", "STE, EATS", "nested", "EATS=2", {{"no_split_stage_ats", "1"}}},
      {"full-ats-with-stall", "STE, EATS", "nested", "EATS=1 S2S=1", {}},
      {"strw-01", "STE, STRW", "s1", "STRW=1", {}},
      {"strw-11", "STE, STRW", "s1", "STRW=3", {}},
      {"s1stalld-with-terminate-only", "STE, S1STALLD", "s1", "S1STALLD=1", {{"stall_model", "1"}}},
      {"s1stalld-with-forced-stalls", "STE, S1STALLD", "s1", "S1STALLD=1", {{"stall_model", "2"}}},
      {"s1cdmax-too-large", "STE, S1CDMax", "s1", "S1CDMax=9", {{"substream_id_bits", "8"}}},
      {"s1cdmax-above-20", "STE, S1CDMax", "s1", "S1CDMax=21", {}},
      {"s1fmt-4k-leaves-absent", "STE, S1Fmt", "s1", "S1CDMax=4 S1Fmt=1 S1DSS=2", {{"two_level_cd", "0"}}},
      {"s1fmt-64k-leaves-absent", "STE, S1Fmt", "s1", "S1CDMax=4 S1Fmt=2 S1DSS=2", {{"two_level_cd", "0"}}},
      {"s1contextptr-beyond-oas", "Address sizes", "s1", "S1ContextPtr=0x1000000000000", {{"oas_bits", "48"}}},
      {"s2s-with-terminate-only", "STE, S2S", "s2", "S2S=1", {{"stall_model", "1"}}},
      {"s2s-with-forced-stalls", "STE, S2S", "s2", "S2S=0", {{"stall_model", "2"}}},
      {"s2aa64-clear", "STE, S2AA64", "s2", "S2AA64=0", {}},
      {"s2ha-absent", "STE, S2HA", "s2", "S2HA=1", {{"hardware_update", "0"}}},
      {"s2hd-absent", "STE, S2HD", "s2", "S2HD=1", {{"hardware_update", "0"}}},
      {"s2hd-with-access-flag-alone", "STE, S2HD", "s2", "S2HA=1 S2HD=1", {{"hardware_update", "1"}}},
      {"s2tg-reserved", "STE, S2TG", "s2", "S2TG=3", {}},
      {"s2tg-16k-absent", "STE, S2TG", "s2", "S2TG=2", {{"granule_16k", "0"}}},
      {"s2tg-64k-absent", "STE, S2TG", "s2", "S2TG=1", {{"granule_64k", "0"}, {"va52", "0"}, {"oas_bits", "48"}}},
      {"s2ttb-beyond-s2ps", "STE, S2TTB", "s2", "S2PS=0 S2TTB=0x100000000", {}},
      {"s2ttb-beyond-48-bits", "STE, S2TTB", "s2", "S2TTB=0x1000000000000", {}},
      {"s2t0sz-too-small", "STE, S2T0SZ", "s2", "S2T0SZ=15", {}},
      {"s2t0sz-beyond-oas", "STE, S2T0SZ", "s2", "S2T0SZ=27", {{"oas_bits", "36"}}},
      {"s2t0sz-too-large", "STE, S2T0SZ", "s2", "S2T0SZ=40", {{"small_translation_tables", "0"}}},
      {"s2t0sz-beyond-small-tables", "STE, S2T0SZ", "s2", "S2T0SZ=49", {}},
      {"s2sl0-too-deep", "STE, S2SL0", "s2", "S2SL0=0", {}},
      {"s2sl0-too-high", "STE, S2SL0", "s2", "S2SL0=2", {}},
      {"s2sl0-level-0-needs-44-bits", "STE, S2SL0", "s2", "S2SL0=2 S2T0SZ=24", {{"oas_bits", "42"}}},
      {"s2sl0-level-3-needs-small-tables",
       "STE, S2SL0",
       "s2",
       "S2SL0=3 S2T0SZ=39",
       {{"small_translation_tables", "0"}}},
      {"s2endi-big-on-little", "STE, S2ENDI", "s2", "S2ENDI=1", {{"table_endianness", "2"}}},
      {"s2endi-little-on-big", "STE, S2ENDI", "s2", "S2ENDI=0", {{"table_endianness", "3"}}},
      {"s2vmid-above-8-bits", "STE, S2VMID", "s2", "S2VMID=0x100", {{"vmid16", "0"}}},
      {"s2vmid-above-8-bits-of-stage1", "STE, S2VMID", "s1", "S2VMID=0x100", {{"vmid16", "0"}}},
  };
  return kRows;
}

const std::vector<Bad>& bad_contexts() {
  static const std::vector<Bad> kRows = {
      {"not-valid", "CD, V", "s1", "V=0", {}},
      {"stall-disabled-by-entry", "Fault configuration (A, R, S bits)", "s1 1 S1STALLD=1\nstream", "S=1", {}},
      {"abort-required", "CD, A", "s1", "A=0", {{"terminate_abort_only", "1"}}},
      {"stall-absent", "Fault configuration (A, R, S bits)", "s1", "S=1", {{"stall_model", "1"}}},
      {"stall-forced", "Fault configuration (A, R, S bits)", "s1", "S=0", {{"stall_model", "2"}}},
      {"endi-big-on-little", "CD, ENDI", "s1", "ENDI=1", {{"table_endianness", "2"}}},
      {"endi-little-on-big", "CD, ENDI", "s1", "ENDI=0", {{"table_endianness", "3"}}},
      {"aa64-clear", "CD, AA64", "s1", "AA64=0", {}},
      {"ha-absent", "CD, HA", "s1", "HA=1", {{"hardware_update", "0"}}},
      {"hd-absent", "CD, HD", "s1", "HD=1", {{"hardware_update", "0"}}},
      {"hd-with-access-flag-alone", "CD, HD", "s1", "HA=1 HD=1", {{"hardware_update", "1"}}},
      {"asid-above-8-bits", "CD, ASID", "s1", "ASID=0x100", {{"asid16", "0"}}},
      {"t0sz-too-small", "CD, T0SZ", "s1", "T0SZ=15", {}},
      {"t0sz-too-large", "CD, T0SZ", "s1", "T0SZ=40", {{"small_translation_tables", "0"}}},
      {"t0sz-beyond-small-tables", "CD, T0SZ", "s1", "T0SZ=49", {}},
      {"t0sz-64k-beyond-small-tables", "CD, T0SZ", "s1", "TG0=1 T0SZ=48", {}},
      {"t0sz-52-bits-absent", "CD, T0SZ", "s1", "TG0=1 T0SZ=12", {{"va52", "0"}}},
      {"t1sz-too-small", "CD, T1SZ", "s1", "EPD1=0 T1SZ=15", {}},
      {"t1sz-too-large", "CD, T1SZ", "s1", "EPD1=0 T1SZ=40", {{"small_translation_tables", "0"}}},
      {"tg0-reserved", "CD, TG0", "s1", "TG0=3", {}},
      {"tg0-16k-absent", "CD, TG0", "s1", "TG0=2", {{"granule_16k", "0"}}},
      {"tg1-reserved", "CD, TG1", "s1", "EPD1=0 TG1=0", {}},
      {"tg1-4k-absent", "CD, TG1", "s1", "EPD1=0 TG1=2", {{"granule_4k", "0"}}},
      {"ttb0-beyond-ips", "CD, TTB0", "s1", "IPS=0 TTB0=0x100000000", {}},
      {"ttb0-beyond-48-bits", "CD, TTB0", "s1", "TTB0=0x1000000000000", {}},
      {"ttb1-beyond-ips", "CD, TTB1", "s1", "IPS=0 EPD1=0 TTB1=0x100000000", {}},
  };
  return kRows;
}

// What is unused is not looked at: none of these is illegal.
struct Unused {
  const char* name;
  const char* section;
  const char* lines;
};
constexpr Unused kUnused[] = {
    {"ste/stage2-fields-without-stage2", "STE", "stream s1 1 S2TG=3 S2AA64=0 S2T0SZ=63 S2TTB=0xffffffffffff0"},
    {"ste/stage1-fields-without-stage1", "STE", "stream bypass 1 S1CDMax=31 S1Fmt=3 S1ContextPtr=0xfffffffffffc0"},
    {"ste/strw-with-stage2", "STE, STRW", "stream nested 1 STRW=1"},
    {"ste/everything-of-abort", "STE, Config", "stream abort 1 EATS=2 STRW=3 S1STALLD=1"},
    {"cd/half-1-when-disabled", "CD, EPD1", "stream s1 1\ncd 1 EPD1=1 T1SZ=63 TG1=0 TTB1=0xfffffffffff00"},
    {"cd/half-0-when-disabled", "CD, EPD0", "stream s1 1\ncd 1 EPD0=1 T0SZ=63 TG0=3 EPD1=0"},
};

}  // namespace

void add_structures(std::vector<DirectedScript>& scripts) {
  for (const Bad& bad : bad_entries()) {
    const std::string lines =
        std::string("stream ") + bad.kind + " 1\nstream 1 " + bad.fields + "\naccess read 1 0x1000\n";
    scripts.push_back({std::string("ste/") + bad.name, bad.section, bad.settings, lines, {kBadSte}});
    // It becomes well, and is found so after CMD_CFGI_STE.
    const bool no_cure = std::string_view(bad.name).find("absent") != std::string_view::npos ||
                         std::string_view(bad.name).find("without") != std::string_view::npos;
    if (no_cure || bad.settings.size() != 0) continue;
    scripts.push_back({std::string("ste-cured/") + bad.name,
                       "CMD_CFGI_STE",
                       bad.settings,
                       std::string("stream ") + bad.kind + " 1 " + bad.fields +
                           "\naccess read 1 0x1000\nquiet\nstream bypass 1 V=1\ncmd CFGI_STE sid=1\nsync\n"
                           "access read 1 0x1000\n",
                       {kBadSte}});
  }
  for (const Bad& bad : bad_contexts()) {
    const std::string lines = std::string("stream ") + bad.kind + " 1\ncd 1 " + bad.fields + "\naccess read 1 0x1000\n";
    scripts.push_back({std::string("cd/") + bad.name, bad.section, bad.settings, lines, {kBadCd}});
    // Reached through a substream, and behind stage 2.
    if (std::string_view(bad.kind) != "s1") continue;
    scripts.push_back(
        {std::string("cd-of-substream/") + bad.name,
         bad.section,
         bad.settings,
         std::string("stream s1 1 S1CDMax=4 S1DSS=2\ncd 1.3 ") + bad.fields + "\naccess read 1.3 0x1000\n",
         {kBadCd}});
    scripts.push_back({std::string("cd-behind-stage2/") + bad.name,
                       bad.section,
                       bad.settings,
                       std::string("stream nested 1\ncd 1 ") + bad.fields + "\naccess read 1 0x1000\n",
                       {kBadCd}});
  }
  for (const Unused& unused : kUnused) {
    const bool aborts = std::string_view(unused.lines).find("abort") != std::string_view::npos ||
                        std::string_view(unused.lines).find("EPD0=1") != std::string_view::npos;
    scripts.push_back({std::string("unused/") + unused.name,
                       unused.section,
                       {},
                       std::string(unused.lines) + "\n" + (aborts ? "" : "map 1 0x1000\n") + "access read 1 0x1000\n",
                       std::string_view(unused.lines).find("EPD0=1") != std::string_view::npos
                           ? std::vector<unsigned>{0x10}
                           : std::vector<unsigned>{}});
  }
}

}  // namespace lockstep::smmu_rtl_bridge::directed
