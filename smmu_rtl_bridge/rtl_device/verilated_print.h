// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a Verilated design's own messages go, in place of standard output: what it says is a finding and not a print.
#ifdef __cplusplus
extern "C" __attribute__((format(printf, 1, 2))) int lockstep_verilated_print(const char* format, ...);
#endif
