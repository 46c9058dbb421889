// SPDX-License-Identifier: Apache-2.0
#include "guest.h"

// A guest that goes wrong everywhere prints this many failures and then only counts them.
enum { kMaxPrintedFailures = 40 };

static unsigned checks, failures;

static bool count_check(bool ok) {
  unsigned failed = 0;
  __atomic_fetch_add(&checks, 1, __ATOMIC_RELAXED);
  if (!ok) failed = __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
  return !ok && failed <= kMaxPrintedFailures;
}

bool check_true(bool ok, const char* text, const char* file, int line) {
  if (count_check(ok)) print("FAIL %s:%d: %s\n", file, line, text);
  return ok;
}

bool check_equal(uint64_t got, uint64_t wanted, const char* text, const char* file, int line) {
  if (count_check(got == wanted)) print("FAIL %s:%d: %s is 0x%lx, wanted 0x%lx\n", file, line, text, got, wanted);
  return got == wanted;
}

void section(const char* name) { print("- %s\n", name); }

void finish(const char* guest) {
  print("%s: %u checks, %u failed\n", guest, checks, failures);
  finish_with(failures ? 1 : 0);
}

void finish_with(uint32_t code) {
  write32(FINISHER, code ? (code << 16 | 0x3333) : 0x5555);
  for (;;) wfi();
}
