// SPDX-License-Identifier: Apache-2.0

// The SystemC library refers to sc_main even where a program brings its own main and never calls it. Its declaration is
// the library's own, so it cannot live in a namespace.
int sc_main(int /*argc*/, char** /*argv*/) { return 0; }
