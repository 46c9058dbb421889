// SPDX-License-Identifier: Apache-2.0
#include "core/gdb/gdb_riscv64.h"

#include <algorithm>
#include <array>

namespace lockstep::core::gdb {
namespace {

constexpr std::array<const char*, 32> kIntegerNames = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr std::array<const char*, 32> kFloatNames = {
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
    "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

constexpr const char* kCpuFeature = "org.gnu.gdb.riscv.cpu";
constexpr const char* kFpuFeature = "org.gnu.gdb.riscv.fpu";
constexpr const char* kCsrFeature = "org.gnu.gdb.riscv.csr";
constexpr const char* kVirtualFeature = "org.gnu.gdb.riscv.virtual";

const char* integer_type(unsigned number) {
  switch (number) {
    case 1:
      return "code_ptr";  // ra
    case 2:
    case 3:
    case 4:
    case 8:
      return "data_ptr";  // sp, gp, tp, fp
    default:
      return "int";
  }
}

}  // namespace

Architecture riscv64_architecture(std::span<const RiscvCsr> csrs) {
  Architecture architecture{.name = "riscv:rv64", .registers = {}, .pc_number = kRiscvPcNumber};
  std::vector<Register>& table = architecture.registers;
  for (unsigned i = 0; i < kIntegerNames.size(); ++i) {
    table.push_back({kIntegerNames[i], i, 64, integer_type(i), kCpuFeature, true});
  }
  table.push_back({"pc", kRiscvPcNumber, 64, "code_ptr", kCpuFeature, true});
  for (unsigned i = 0; i < kFloatNames.size(); ++i) {
    table.push_back({kFloatNames[i], kRiscvFloatBase + i, 64, "ieee_double", kFpuFeature, false});
  }
  table.push_back({"fflags", kRiscvCsrBase + 1, 32, "int", kFpuFeature, false});
  table.push_back({"frm", kRiscvCsrBase + 2, 32, "int", kFpuFeature, false});
  table.push_back({"fcsr", kRiscvCsrBase + 3, 32, "int", kFpuFeature, false});
  for (const RiscvCsr& csr : csrs) {
    table.push_back({std::string(csr.name), kRiscvCsrBase + csr.number, 64, "int", kCsrFeature, false});
  }
  table.push_back({"priv", kRiscvPrivilegeNumber, 64, "int", kVirtualFeature, false});
  std::sort(table.begin(), table.end(), [](const Register& a, const Register& b) { return a.number < b.number; });
  return architecture;
}

}  // namespace lockstep::core::gdb
