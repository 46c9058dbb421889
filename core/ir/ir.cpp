// SPDX-License-Identifier: Apache-2.0
#include "core/ir/ir.h"

#include <array>

namespace lockstep::core::ir {

namespace {

constexpr std::array<std::string_view, 9> kTypeNames = {"void", "i1",   "i8",   "i16", "i32",
                                                        "i64",  "i128", "v128", "v256"};

constexpr std::array<std::string_view, 9> kRmwNames = {"swap", "add",  "and",  "or",  "xor",
                                                       "mins", "maxs", "minu", "maxu"};

}  // namespace

std::string_view type_name(Type type) { return kTypeNames[static_cast<size_t>(type)]; }

std::string_view rmw_name(RmwOp op) { return kRmwNames[static_cast<size_t>(op)]; }

}  // namespace lockstep::core::ir
