// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "matrix/contract.h"

namespace lockstep::matrix {

// The checks that need the whole contract: cycles, contradictions, values that no combination can hold, defaults that
// break a rule. References must already be resolved to names of features. Throws LoadError.
void check_cycles(const Contract& contract);
void check_contradictions(const Contract& contract);

}  // namespace lockstep::matrix
