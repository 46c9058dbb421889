// SPDX-License-Identifier: Apache-2.0
// A kernel as a program: NAME [full|part|quick|ROUNDS]. Prints what the bare-metal guest prints; ends with 1 when the
// result is wrong.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kernel.h"

int main(int count, char** words) {
  const char* word = count > 1 ? words[1] : "full";
  const KernelSize* size = !strcmp(word, "full")    ? &kernel.full
                           : !strcmp(word, "part")  ? &kernel.part
                           : !strcmp(word, "quick") ? &kernel.quick
                                                    : NULL;
  char* end = NULL;
  const uint32_t rounds = size ? size->rounds : (uint32_t)strtoul(word, &end, 10);
  if (!size && (end == word || *end)) {
    fprintf(stderr, "usage: %s [full|part|quick|ROUNDS]\n", words[0]);
    return 2;
  }
  const uint64_t result = run(rounds);
  const int right = !size || result == size->result;
  printf("%s rounds %" PRIu32 " result 0x%016" PRIx64 " %s\n", kernel.name, rounds, result,
         !size   ? "UNCHECKED"
         : right ? "PASS"
                 : "FAIL");
  return right ? 0 : 1;
}
