// SPDX-License-Identifier: Apache-2.0
// What a bare-metal guest can use: console, checks, traps, privilege modes, and a few functions of the C library.
#ifndef GUESTS_BARE_LIB_GUEST_H
#define GUESTS_BARE_LIB_GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

enum { kUser = 0, kSupervisor = 1, kMachine = 3 };

// Exception causes of the privileged specification, table of mcause values.
enum {
  kFetchMisaligned = 0,
  kFetchAccess = 1,
  kIllegal = 2,
  kBreakpoint = 3,
  kLoadMisaligned = 4,
  kLoadAccess = 5,
  kStoreMisaligned = 6,
  kStoreAccess = 7,
  kEcallUser = 8,
  kEcallSupervisor = 9,
  kEcallMachine = 11,
  kFetchPage = 12,
  kLoadPage = 13,
  kStorePage = 15,
};
#define INTERRUPT (1ull << 63)
#define NO_TRAP (~0ull)

typedef struct TrapFrame {
  uint64_t x[32];  // x[0] is not stored
  uint64_t pc, status, cause, tval;
} TrapFrame;

// The last trap of a hart, as the handler of its mode saw it. count runs up; cause is NO_TRAP after trap_clear().
typedef struct Trap {
  uint64_t cause, pc, tval, status, count;
} Trap;

extern volatile Trap machine_traps[MAX_HARTS];
extern volatile Trap supervisor_traps[MAX_HARTS];
extern uint64_t device_tree;

// Interrupts go to this function (none: an unexpected interrupt fails the guest). It must quiet its source.
typedef void (*InterruptHandler)(uint64_t cause);
extern volatile InterruptHandler machine_interrupt;
extern volatile InterruptHandler supervisor_interrupt;

void machine_trap_entry(void);
void supervisor_trap_entry(void);
long run_in_mode(long mode, long (*function)(long), long argument);
void mode_return(void);
void mode_resume(void);
void secondary_main(uint64_t hart);
int main(void);

// Sends supervisor traps to supervisor_trap_entry with a stack of its own.
void supervisor_setup(void);

static inline uint64_t hart_id(void) {
  uint64_t hart;
  __asm__ volatile("mv %0, tp" : "=r"(hart));
  return hart;
}
static inline void trap_clear(void) { machine_traps[hart_id()].cause = NO_TRAP; }
static inline uint64_t trap_cause(void) { return machine_traps[hart_id()].cause; }
static inline uint64_t trap_tval(void) { return machine_traps[hart_id()].tval; }
static inline uint64_t trap_pc(void) { return machine_traps[hart_id()].pc; }

#define csr_read(name)                                     \
  ({                                                       \
    uint64_t csr_value;                                    \
    __asm__ volatile("csrr %0, " #name : "=r"(csr_value)); \
    csr_value;                                             \
  })
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_set(name, value) __asm__ volatile("csrs " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_clear(name, value) __asm__ volatile("csrc " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define fence() __asm__ volatile("fence rw, rw" ::: "memory")
#define fence_i() __asm__ volatile("fence.i" ::: "memory")
#define sfence() __asm__ volatile("sfence.vma" ::: "memory")
#define wfi() __asm__ volatile("wfi" ::: "memory")

// Runs one statement of inline assembly and gives the cause of the trap it took, or NO_TRAP.
#define CAUSE_OF(...)              \
  ({                               \
    trap_clear();                  \
    __asm__ volatile(__VA_ARGS__); \
    trap_cause();                  \
  })

static inline uint8_t read8(uint64_t address) { return *(volatile uint8_t*)address; }
static inline uint16_t read16(uint64_t address) { return *(volatile uint16_t*)address; }
static inline uint32_t read32(uint64_t address) { return *(volatile uint32_t*)address; }
static inline uint64_t read64(uint64_t address) { return *(volatile uint64_t*)address; }
static inline void write8(uint64_t address, uint8_t value) { *(volatile uint8_t*)address = value; }
static inline void write16(uint64_t address, uint16_t value) { *(volatile uint16_t*)address = value; }
static inline void write32(uint64_t address, uint32_t value) { *(volatile uint32_t*)address = value; }
static inline void write64(uint64_t address, uint64_t value) { *(volatile uint64_t*)address = value; }

// CLINT. Time runs at 10 MHz.
static inline uint64_t mtime(void) { return read64(CLINT + 0xbff8); }
static inline void set_mtimecmp(uint64_t hart, uint64_t value) { write64(CLINT + 0x4000 + 8 * hart, value); }
static inline void set_msip(uint64_t hart, uint32_t value) { write32(CLINT + 4 * hart, value); }

void put_char(char c);
void put_text(const char* text);
// %s %c %d %u %x %p with an optional l, zero padding and width; nothing else.
void print(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Counts a check, and prints it with its place and both values when it fails. Values are compared as 64 bits.
#define CHECK(condition) check_true((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQ(got, wanted) check_equal((uint64_t)(got), (uint64_t)(wanted), #got, __FILE__, __LINE__)
bool check_true(bool ok, const char* text, const char* file, int line);
bool check_equal(uint64_t got, uint64_t wanted, const char* text, const char* file, int line);

// Prints a heading when a group of checks begins.
void section(const char* name);
// Prints the total and ends the machine: pass when every check passed, else fail with code 1.
void finish(const char* guest) __attribute__((noreturn));
// Ends the machine with a code; 0 is pass.
void finish_with(uint32_t code) __attribute__((noreturn));

// The value of "name=N" in the kernel command line of the device tree, or fallback.
uint64_t option(const char* name, uint64_t fallback);
// True with "strict=1" on the command line: then a guest also checks rules that some emulators are known to break.
bool strict(void);
// Whether some node's list of texts `property` has this one.
bool device_tree_names(const char* property, const char* text);
// How many harts the device tree declares, at most MAX_HARTS.
uint64_t hart_count(void);

void* memcpy(void* to, const void* from, size_t size);
void* memmove(void* to, const void* from, size_t size);
void* memset(void* to, int value, size_t size);
int memcmp(const void* a, const void* b, size_t size);
size_t strlen(const char* text);
int strcmp(const char* a, const char* b);

// xorshift64*: numbers that are the same everywhere.
static inline uint64_t next_random(uint64_t* state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 2685821657736338717ull;
}

#endif
