// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interpreter/code_block.h"

// Which cell does an IR operation: the tables of the lowering. Of cells that come in two forms this is the "rr" one;
// the "ri" form is the next.

namespace lockstep::core {

Bytecode compare_code(ir::Op op);
Bytecode branch_code(ir::Op op);
// Of a 32-bit operation whose result is sign-extended in the same step; has_word_form() says which have one.
Bytecode word_code(ir::Op op);
bool has_word_form(ir::Op op);
// The cell of a binary operation on this type, or kCount when it goes through scalar2. `both`: it has an ri form.
Bytecode binary_code(ir::Op op, ir::Type type, bool& both);
// The same for a unary one and scalar1.
Bytecode unary_code(ir::Op op, ir::Type type);
Bytecode fp_code(ir::Op op, ir::Type type);

}  // namespace lockstep::core
