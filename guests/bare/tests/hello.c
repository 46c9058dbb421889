// SPDX-License-Identifier: Apache-2.0
// The smallest guest: a line on the console and a pass.
#include "guest.h"

int main(void) {
  print("hello from hart %lu\n", hart_id());
  CHECK_EQ(csr_read(mhartid), 0);
  CHECK(device_tree != 0);
  CHECK(hart_count() >= 1);
  finish("hello");
}
