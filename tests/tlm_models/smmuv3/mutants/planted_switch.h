// SPDX-License-Identifier: Apache-2.0
#pragma once

// Comes before every source of the model's copy with all bugs in it.
#include <algorithm>

// Which bug of mutants.txt is planted, from 1; 0 is none.
extern int lockstep_planted_number;
inline bool lockstep_planted(int number) { return lockstep_planted_number == number; }
