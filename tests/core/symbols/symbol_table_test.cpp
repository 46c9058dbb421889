// SPDX-License-Identifier: Apache-2.0
#include "core/symbols/symbol_table.h"

#include <gtest/gtest.h>

#include <string_view>

namespace lockstep::core {
namespace {

TEST(SymbolTable, AnAddressHasTheNameOfTheSymbolBelowIt) {
  SymbolTable table;
  table.add(0x80000000, "_start");
  table.add(0x80000100, "main");
  EXPECT_EQ(table.name_of(0x80000000), "_start");
  EXPECT_EQ(table.name_of(0x800000ff), "_start+0xff");
  EXPECT_EQ(table.name_of(0x80000104), "main+0x4");
  EXPECT_EQ(table.name_of(0x7fffffff), "");
  EXPECT_EQ(table.name_of(0x80000100 + (uint64_t{1} << 20)), "") << "too far away to mean anything";
}

TEST(SymbolTable, TheKernelsMapIsRead) {
  SymbolTable table;
  const std::string_view map =
      "ffffffff80000000 T _text\n"
      "ffffffff80000040 d some_data\n"
      "ffffffff80000080 t helper\n";
  EXPECT_TRUE(table.add_bytes(map));
  EXPECT_EQ(table.name_of(0xffffffff80000044), "_text+0x44") << "data names no code";
  EXPECT_EQ(table.name_of(0xffffffff80000080), "helper");
}

TEST(SymbolTable, AFileThatNamesNothingIsAnErrorWhereNamesWereAskedFor) {
  SymbolTable table;
  EXPECT_FALSE(table.add_bytes(std::string_view("no map at all")));
  EXPECT_TRUE(table.empty());
  EXPECT_FALSE(table.add_file("/nonexistent/System.map", false).ok());
  EXPECT_TRUE(table.add_file("/dev/null", false).ok());
  EXPECT_FALSE(table.add_file("/dev/null", true).ok());
}

}  // namespace
}  // namespace lockstep::core
