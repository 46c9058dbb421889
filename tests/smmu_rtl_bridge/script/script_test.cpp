// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/script/script.h"

#include <gtest/gtest.h>

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr const char* kEverything = R"(smmu-script 1
seed 17
mix default
device IDR0=0x8d49eff IDR1=0xd4e7d10
settings oas_bits=48 stage2=1
setup CR1=0x175 STRTAB_BASE=0x2000000
stream s1 5 S1CDMax=3 S1Fmt=1
stream 6 Config=4
cd 5.3 ASID=7 T0SZ=20 flip=3 flip=9
map 5 0x1000 pa=0x80001000 level=2 cont
map 5/s2 0x2000
unmap 5.3 0x1000 level=2
desc 5 0x1000 level=3 value=0
pointer 5 0x1000 level=1 ap=2
poke 0x1000000 value=0xff size=4
break page 0x1000
break desc 5.3 0x1000 level=1
break cmdq
mend ste 5
write CR0 13 nowait
write 0x100 5
read GERROR
cmd CFGI_STE sid=5 leaf=1 hold
cmd RAW w0=0xff w1=0
sync cs=1 msi_addr=0x5000
@12 access write 5.3 0xffff000000001000 priv size=16
access exec 0x100 0x2000
ats 5 0x1000 nowrite
page 5.1 0x1000 read last group=3
atc timeout
resume retry 5 tag=2
events
recover
quiet
tick 99
)";

std::string complaint(const std::string& text) {
  const auto script = parse_script(text, "a.smmu");
  return script ? "" : script.message();
}

TEST(Script, PrintingWhatWasParsedGivesTheSameText) {
  const auto script = parse_script(kEverything, "all");
  ASSERT_TRUE(script) << script.message();
  EXPECT_EQ(print(*script), kEverything);
  EXPECT_EQ(script->lines.size(), 29u + 1);
}

TEST(Script, CommentsBlankLinesSizesAndSpacesAreTaken) {
  const auto script = parse_script("# what it is for\nsmmu-script 1\n\n  map 5  4k   pa=2m # here\r\n", "a");
  ASSERT_TRUE(script) << script.message();
  ASSERT_EQ(script->lines.size(), 1u);
  EXPECT_EQ(script->lines[0].number, 4096u);
  EXPECT_EQ(script->lines[0].get("pa", 0), 2u << 20);
}

TEST(Script, ErrorsNameFileAndLineAndTheWayOut) {
  EXPECT_EQ(complaint(""), "a.smmu:0: a script begins with 'smmu-script 1'.");
  EXPECT_EQ(complaint("quiet\n"), "a.smmu:1: a script begins with 'smmu-script 1'.");
  EXPECT_EQ(complaint("smmu-script 2\n"), "a.smmu:1: this program reads version 1 of scripts, not '2'.");
  EXPECT_EQ(complaint("smmu-script 1\n\nfrob 5\n"), "a.smmu:3: 'frob' begins no line; docs/cosim.md lists what does.");
  EXPECT_EQ(complaint("smmu-script 1\nstream s1 5 S1CDMin=3\n"), "a.smmu:2: stream has no field 'S1CDMin'.");
  EXPECT_EQ(complaint("smmu-script 1\nstream s1 5 V=yes\n"), "a.smmu:2: field 'V' needs a number, not 'yes'.");
  EXPECT_EQ(complaint("smmu-script 1\ncd 5 V=1 V=0\n"), "a.smmu:2: field 'V' stands twice.");
  EXPECT_EQ(complaint("smmu-script 1\naccess read five 0x1000\n"),
            "a.smmu:2: access needs a stream: 5, 5.3 with a substream or 5/s2, not 'five'.");
  EXPECT_EQ(complaint("smmu-script 1\naccess look 5 0x1000\n"),
            "a.smmu:2: access is one of read, write, atomic, exec, not 'look'.");
  EXPECT_EQ(complaint("smmu-script 1\nwrite CR9 5\n"),
            "a.smmu:2: write needs the name of a register or an offset, not 'CR9'.");
  EXPECT_EQ(complaint("smmu-script 1\n@99999999 quiet\n"), "a.smmu:2: a delay is @0 to @1000000.");
  EXPECT_EQ(complaint("smmu-script 1\ntick 99999999\n"), "a.smmu:2: tick takes at most 1000000.");
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
