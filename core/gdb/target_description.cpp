// SPDX-License-Identifier: Apache-2.0
#include "core/gdb/target_description.h"

#include <fmt/format.h>

#include <iterator>

namespace lockstep::core::gdb {

std::string target_description(const Architecture& architecture) {
  std::string xml = "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n";
  const auto out = std::back_inserter(xml);
  fmt::format_to(out, "<architecture>{}</architecture>\n", architecture.name);
  // The registers of one feature need not be neighbours in the table, but a feature may appear only once.
  std::vector<std::string_view> features;
  for (const Register& reg : architecture.registers) {
    bool is_known = false;
    for (const std::string_view feature : features) is_known = is_known || feature == reg.feature;
    if (!is_known) features.emplace_back(reg.feature);
  }
  for (const std::string_view feature : features) {
    fmt::format_to(out, "<feature name=\"{}\">\n", feature);
    for (const Register& reg : architecture.registers) {
      if (reg.feature != feature) continue;
      fmt::format_to(out, "<reg name=\"{}\" bitsize=\"{}\" regnum=\"{}\" type=\"{}\"/>\n", reg.name, reg.size_bits,
                     reg.number, reg.type);
    }
    fmt::format_to(out, "</feature>\n");
  }
  xml += "</target>\n";
  return xml;
}

}  // namespace lockstep::core::gdb
