// SPDX-License-Identifier: Apache-2.0
// What HostAssembler writes itself is what asmjit writes, byte for byte.
#include "jit/host_assembler.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory_resource>
#include <string>
#include <vector>

#include "tests/core/seed.h"

namespace lockstep::jit {
namespace {

namespace x86 = asmjit::x86;
using Bytes = std::vector<uint8_t>;

constexpr uint64_t kBase = 0x40000000;

// Written by HostAssembler; with a logger it leaves all to asmjit.
Bytes assembled(const std::function<void(HostAssembler&)>& write, bool logged) {
  asmjit::CodeHolder code;
  code.init(asmjit::Environment::host(), kBase);
  asmjit::StringLogger logger;
  if (logged) code.setLogger(&logger);
  std::pmr::monotonic_buffer_resource notes;
  HostAssembler assembler(&code, &notes);
  write(assembler);
  EXPECT_FALSE(assembler.failed());
  const asmjit::CodeBuffer& buffer = code.textSection()->buffer();
  EXPECT_EQ(buffer.size(), assembler.offset());
  return {buffer.data(), buffer.data() + buffer.size()};
}

void expect_same(const std::function<void(HostAssembler&)>& write, const std::string& what) {
  EXPECT_EQ(assembled(write, false), assembled(write, true)) << what;
}

constexpr uint32_t kNoIndex = 16;
const std::vector<int32_t> kDisplacements = {0, 1, -1, 127, 128, -128, -129, 0x1234, -0x12345678, 0x7fffffff};
const std::vector<int32_t> kConstants = {0, 1, -1, 127, 128, -128, -129, 255, 4096, 0x12345678, -0x7fffffff - 1};

// Each form on registers of 64 and of 32 bits.
void with_register(HostAssembler& a, const x86::Gp& reg, const x86::Gp& other, x86::Mem mem) {
  a.mov(reg, other);
  a.mov(reg, mem);
  a.mov(mem, reg);
  a.lea(reg, mem);
  a.add(reg, other);
  a.add(reg, mem);
  a.or_(reg, other);
  a.or_(reg, mem);
  a.and_(reg, other);
  a.and_(reg, mem);
  a.sub(reg, other);
  a.sub(reg, mem);
  a.xor_(reg, other);
  a.xor_(reg, mem);
  a.cmp(reg, other);
  a.cmp(reg, mem);
  a.cmp(mem, reg);
  for (const auto id : {x86::Inst::kIdAdd, x86::Inst::kIdOr, x86::Inst::kIdAnd, x86::Inst::kIdSub, x86::Inst::kIdXor,
                        x86::Inst::kIdCmp}) {
    a.arithmetic(id, reg, other);
    mem.setSize(reg.size());
    a.arithmetic(id, reg, mem);
    a.arithmetic(id, reg, asmjit::imm(77));
  }
  a.movsxd(reg.r64(), other.r32());
  mem.setSize(4);
  a.movsxd(reg.r64(), mem);
}

TEST(HostAssembler, RegistersAndAddresses) {
  for (uint32_t reg = 0; reg < 16; ++reg) {
    for (uint32_t base = 0; base < 16; ++base) {
      for (const int32_t displacement : kDisplacements) {
        for (const uint32_t index : {0u, 5u, 8u, 13u, kNoIndex}) {
          const x86::Mem mem = index == kNoIndex ? x86::ptr(x86::gpq(base), displacement)
                                                 : x86::ptr(x86::gpq(base), x86::gpq(index), reg % 4, displacement);
          const std::string what = "register " + std::to_string(reg) + ", base " + std::to_string(base) + ", index " +
                                   std::to_string(index) + ", displacement " + std::to_string(displacement);
          expect_same(
              [&](HostAssembler& a) {
                with_register(a, x86::gpq(reg), x86::gpq(base), mem);
                with_register(a, x86::gpd(reg), x86::gpd(base), mem);
              },
              what);
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(HostAssembler, Constants) {
  for (uint32_t reg = 0; reg < 16; ++reg) {
    for (const int32_t value : kConstants) {
      expect_same(
          [&](HostAssembler& a) {
            for (const x86::Gp& to : {x86::gpq(reg).as<x86::Gp>(), x86::gpd(reg).as<x86::Gp>()}) {
              a.mov(to, value);
              a.add(to, value);
              a.or_(to, value);
              a.and_(to, value);
              a.sub(to, value);
              a.xor_(to, value);
              a.cmp(to, value);
            }
            for (const unsigned bytes : {1, 2, 4, 8}) {
              if (bytes < 4 && value != static_cast<int8_t>(value)) continue;
              x86::Mem mem = x86::ptr(x86::gpq(reg), value);
              mem.setSize(bytes);
              a.mov(mem, value);
              a.add(mem, value);
              a.sub(mem, value);
              a.cmp(mem, value);
            }
            a.movabs(x86::gpq(reg), static_cast<uint64_t>(static_cast<int64_t>(value)));
            a.mov(x86::gpq(reg), static_cast<int64_t>(value) << 20);
            a.mov(x86::gpd(reg), int64_t{0xfedcba98});
            a.bextr(x86::gpq(reg), x86::gpq(15 - reg), x86::r14);
            a.bextr(x86::gpq(reg), x86::gpq(reg ^ 8), x86::gpq(reg ^ 3));
          },
          "register " + std::to_string(reg) + ", constant " + std::to_string(value));
    }
  }
}

TEST(HostAssembler, NarrowRegistersAndStrangeAddressesAreLeftToAsmjit) {
  expect_same(
      [](HostAssembler& a) {
        a.mov(x86::al, x86::sil);
        a.mov(x86::ptr(x86::rbx, 5), x86::dil);
        a.mov(x86::ptr(x86::rbx, 5), x86::r9w);
        x86::Mem segment = x86::ptr(x86::rbx, 8);
        segment.setSegment(x86::fs);
        a.mov(x86::rax, segment);
        a.mov(x86::rax, x86::ptr(x86::ebx, 8));
        a.mov(x86::rax, x86::ptr(uint64_t{0x1000}));
        a.jmp(x86::qword_ptr(x86::rdx, 8));
        a.call(x86::rax);
      },
      "left to asmjit");
}

TEST(HostAssembler, KnownTargets) {
  expect_same(
      [](HostAssembler& a) {
        a.jmp(kBase + 0x1000);
        a.call(kBase - 0x1000);
        a.call(kBase + 0x7fffff00);
      },
      "thunks");
}

// Random programs of jumps over code of any length, to labels that are bound before, behind or at once.
TEST(HostAssembler, Jumps) {
  std::mt19937_64 random(test::seed());
  for (unsigned program = 0; program < 200; ++program) {
    struct Step {
      unsigned kind, label;
      x86::CondCode condition;
    };
    constexpr unsigned kLabels = 8;
    std::vector<Step> steps;
    for (unsigned k = 0; k < 120; ++k)
      steps.push_back({static_cast<unsigned>(random() % 4), static_cast<unsigned>(random() % kLabels),
                       static_cast<x86::CondCode>(random() % 16)});
    const auto write = [&](HostAssembler& a) {
      std::vector<HostAssembler::Label> labels;
      std::vector<bool> bound(kLabels);
      for (unsigned k = 0; k < kLabels; ++k) labels.push_back(a.new_label());
      for (const Step& step : steps) {
        switch (step.kind) {
          case 0:
            a.j(step.condition, labels[step.label]);
            break;
          case 1:
            a.jmp(labels[step.label]);
            break;
          case 2:
            if (!bound[step.label]) a.bind(labels[step.label]);
            bound[step.label] = true;
            break;
          default:
            a.movabs(x86::rax, 1);
        }
      }
      for (unsigned k = 0; k < kLabels; ++k)
        if (!bound[k]) a.bind(labels[k]);
    };
    expect_same(write, "program " + std::to_string(program));
  }
}

// The buffer grows while jumps in it wait for their labels.
TEST(HostAssembler, LongCode) {
  expect_same(
      [](HostAssembler& a) {
        const HostAssembler::Label first = a.new_label(), last = a.new_label();
        a.bind(first);
        for (unsigned k = 0; k < 20000; ++k) {
          a.jne(last);
          a.jmp(first);
          if (k % 3 == 0) a.mov(x86::rax, x86::rcx);
        }
        a.bind(last);
      },
      "long code");
}

TEST(HostAssembler, AFixedBufferThatIsFullIsAFailure) {
  for (const bool jumps : {false, true}) {
    for (unsigned capacity = 1; capacity < 60; ++capacity) {
      asmjit::CodeHolder code;
      code.init(asmjit::Environment::host(), kBase);
      std::vector<uint8_t> room(capacity + 32, 0x5a);
      code.textSection()->buffer() = {room.data(), 0, capacity,
                                      asmjit::CodeBufferFlags::kIsExternal | asmjit::CodeBufferFlags::kIsFixed};
      std::pmr::monotonic_buffer_resource notes;
      HostAssembler assembler(&code, &notes);
      const HostAssembler::Label label = assembler.new_label();
      for (unsigned k = 0; k < 20; ++k) jumps ? assembler.jne(label) : assembler.mov(x86::rax, x86::rcx);
      assembler.bind(label);
      EXPECT_TRUE(assembler.failed()) << capacity;
      EXPECT_EQ(Bytes(room.begin() + capacity, room.end()), Bytes(32, 0x5a)) << capacity;
    }
  }
}

TEST(HostAssembler, WhatHasNoEncodingIsAFailure) {
  asmjit::CodeHolder code;
  code.init(asmjit::Environment::host(), kBase);
  std::pmr::monotonic_buffer_resource notes;
  HostAssembler assembler(&code, &notes);
  assembler.mov(x86::rax, x86::ecx);
  EXPECT_TRUE(assembler.failed());
}

}  // namespace
}  // namespace lockstep::jit
