// SPDX-License-Identifier: Apache-2.0
#include "core/loader/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "tests/core/loader/elf_maker.h"

namespace lockstep::core {
namespace {

using test::ElfMaker;
using test::kRamBase;
using test::make_image;
using testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class Loader : public testing::Test {
 protected:
  GuestRam ram_ = std::move(GuestRam::create(kRamBase, 8 * kMiB)).value();
  Placement placement_{ElfMachine::kRiscv, "kernel", kRamBase, kRamBase + 0x1000};

  Result<LoadedImage> load(const std::vector<uint8_t>& file) { return load_kernel(file, "a.elf", placement_, ram_); }
  std::string error_of(const std::vector<uint8_t>& file) {
    const Result<LoadedImage> image = load(file);
    return image ? "no error" : image.message();
  }
  uint8_t at(uint64_t paddr) { return ram_.bytes(paddr, 1)[0]; }

  std::string temporary(const std::string& name, const std::vector<uint8_t>& bytes) {
    const std::string path = testing::TempDir() + "loader_test_" + std::to_string(getpid()) + "_" + name;
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    paths_.push_back(path);
    return path;
  }
  void TearDown() override {
    for (const std::string& path : paths_) std::remove(path.c_str());
  }

 private:
  std::vector<std::string> paths_;
};

std::vector<uint8_t> gzip(const std::vector<uint8_t>& bytes) {
  std::vector<uint8_t> out(bytes.size() + 1024);
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_F(Loader, ElfGoesToItsPhysicalAddressesWithAZeroedTail) {
  const uint8_t dirt = 0xff;
  ram_.write(kRamBase + 0x30, {&dirt, 1});
  ElfMaker elf;
  elf.segments[0].p_vaddr = 0xffffffff80000000;
  elf.header.e_entry = 0xffffffff80000004;
  const Result<LoadedImage> image = load(elf.lay_out().bytes());
  ASSERT_TRUE(image.ok()) << image.message();
  EXPECT_EQ(image->format, ImageFormat::kElf);
  EXPECT_EQ(image->entry, kRamBase + 4);
  EXPECT_EQ(image->first, kRamBase);
  EXPECT_EQ(image->end, kRamBase + 64);
  EXPECT_EQ(at(kRamBase), 0x13);
  EXPECT_EQ(at(kRamBase + 0x30), 0);
}

TEST_F(Loader, ElfSymbolsAreFound) {
  const Result<LoadedImage> image = load(ElfMaker().lay_out().bytes());
  ASSERT_TRUE(image.ok()) << image.message();
  EXPECT_EQ(image->symbol("tohost"), kRamBase + 0x20);
  EXPECT_EQ(image->symbol("_start"), kRamBase);
  EXPECT_EQ(image->symbol("fromhost"), std::nullopt);
}

TEST_F(Loader, ElfOfAnotherMachineIsRefused) {
  ElfMaker elf;
  elf.header.e_machine = EM_AARCH64;
  EXPECT_EQ(error_of(elf.lay_out().bytes()), "kernel a.elf: is an ELF file for AArch64, but the machine is RISC-V");
}

TEST_F(Loader, ElfOutsideRamNamesTheWayOut) {
  ElfMaker elf;
  elf.segments[0].p_memsz = 9 * kMiB;
  EXPECT_EQ(error_of(elf.lay_out().bytes()),
            "kernel a.elf needs 9 MiB from 0x80000000 but the machine has 8 MiB; ask for more with --memory");
  elf.segments[0].p_memsz = 64;
  elf.segments[0].p_paddr = 0x1000;
  EXPECT_THAT(error_of(elf.lay_out().bytes()), HasSubstr("link it for this machine"));
}

TEST_F(Loader, HostileElfsAreNamedErrors) {
  ElfMaker truncated;
  std::vector<uint8_t> file = truncated.lay_out().bytes();
  file.resize(40);
  EXPECT_THAT(error_of(file), HasSubstr("truncated"));
  file = truncated.bytes();
  file.resize(sizeof(Elf64_Ehdr) + 10);
  EXPECT_THAT(error_of(file), HasSubstr("program headers"));
  file = truncated.bytes();
  file.resize(sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + 3);
  EXPECT_THAT(error_of(file), HasSubstr("segment 0 wants 0x10 bytes"));

  ElfMaker many;
  many.lay_out().header.e_phnum = 0xffff;
  EXPECT_THAT(error_of(many.bytes()), HasSubstr("65535 program headers"));

  ElfMaker wide;
  wide.segments[0].p_filesz = 100;
  EXPECT_THAT(error_of(wide.lay_out().bytes()), HasSubstr("more bytes in the file"));

  ElfMaker wrapped;
  wrapped.lay_out().segments[0].p_offset = ~uint64_t{0} - 4;
  EXPECT_THAT(error_of(wrapped.bytes()), HasSubstr("truncated"));

  ElfMaker overlapping;
  overlapping.segments.push_back(overlapping.segments[0]);
  overlapping.segments[1].p_paddr += 32;
  EXPECT_THAT(error_of(overlapping.lay_out().bytes()), HasSubstr("two segments at 0x80000020"));

  ElfMaker nowhere;
  nowhere.header.e_entry = 0x1234;
  EXPECT_THAT(error_of(nowhere.lay_out().bytes()), HasSubstr("begins at 0x1234"));

  ElfMaker none;
  none.segments[0].p_type = PT_NOTE;
  EXPECT_THAT(error_of(none.lay_out().bytes()), HasSubstr("no segment to load"));
  EXPECT_EQ(at(kRamBase), 0) << "a refused file must leave RAM alone";
}

TEST_F(Loader, RiscvImageGoesToItsTextOffset) {
  const Result<LoadedImage> image = load(make_image("RSC\x05", 0x200000, kMiB));
  ASSERT_TRUE(image.ok()) << image.message();
  EXPECT_EQ(image->format, ImageFormat::kRiscvImage);
  EXPECT_EQ(image->entry, kRamBase + 0x200000);
  EXPECT_EQ(image->end, kRamBase + 0x300000);
  EXPECT_EQ(at(kRamBase + 0x200000 + 64), 0xaa);
}

TEST_F(Loader, Arm64ImageOfAnOldKernelGoesToTheOldOffset) {
  placement_.machine = ElfMachine::kAarch64;
  const Result<LoadedImage> image = load(make_image("ARM\x64", 0, 0));
  ASSERT_TRUE(image.ok()) << image.message();
  EXPECT_EQ(image->entry, kRamBase + 0x80000);
}

TEST_F(Loader, ImagesThatCannotRunAreRefused) {
  EXPECT_THAT(error_of(make_image("ARM\x64", 0, kMiB)), HasSubstr("for AArch64, but the machine is RISC-V"));
  EXPECT_EQ(error_of(make_image("RSC\x05", 0x200000, 7 * kMiB)),
            "kernel a.elf needs 7 MiB from 0x80200000 but the machine has 8 MiB; ask for more with --memory");
  EXPECT_THAT(error_of(make_image("RSC\x05", ~uint64_t{0} - 0x1000, kMiB)), HasSubstr("RAM is at"));
  std::vector<uint8_t> big_endian = make_image("RSC\x05", 0, kMiB);
  big_endian[24] = 1;
  EXPECT_THAT(error_of(big_endian), HasSubstr("big-endian"));
}

TEST_F(Loader, GzipAndZbootAreUnpacked) {
  const std::vector<uint8_t> packed = gzip(make_image("RSC\x05", 0x200000, kMiB));
  ASSERT_TRUE(load(packed).ok());
  EXPECT_EQ(at(kRamBase + 0x200000 + 64), 0xaa);

  std::vector<uint8_t> zboot(64 + packed.size());
  std::memcpy(zboot.data(), "MZ\0\0zimg", 8);
  const uint32_t where[] = {64, static_cast<uint32_t>(packed.size())};
  std::memcpy(zboot.data() + 8, where, 8);
  std::memcpy(zboot.data() + 24, "gzip", 5);
  std::copy(packed.begin(), packed.end(), zboot.begin() + 64);
  EXPECT_TRUE(load(zboot).ok());
  zboot.pop_back();
  EXPECT_THAT(error_of(zboot), HasSubstr("truncated"));
}

TEST_F(Loader, DamagedGzipIsNamed) {
  std::vector<uint8_t> packed = gzip(make_image("RSC\x05", 0x200000, kMiB, 5000));
  std::vector<uint8_t> shorter(packed.begin(), packed.end() - 10);
  EXPECT_THAT(error_of(shorter), HasSubstr("kernel a.elf: is truncated: the gzip data ends early"));
  packed[packed.size() - 6] ^= 1;
  EXPECT_THAT(error_of(packed), HasSubstr("damaged"));
  EXPECT_THAT(error_of(gzip(std::vector<uint8_t>(9 * kMiB))), HasSubstr("unpacks to more than 8 MiB"));
}

TEST_F(Loader, AnythingElseIsAPlainBinary) {
  const Result<LoadedImage> image = load({1, 2, 3});
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(image->format, ImageFormat::kRaw);
  EXPECT_EQ(image->entry, kRamBase + 0x1000);
  EXPECT_EQ(at(kRamBase + 0x1002), 3);
  EXPECT_THAT(error_of({}), HasSubstr("is empty"));
}

TEST_F(Loader, FilesThatCannotBeReadAreNamed) {
  const Result<LoadedImage> missing = load_kernel("/nonexistent/vmlinux", placement_, ram_);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.message(), "kernel /nonexistent/vmlinux: cannot be read: No such file or directory");
  EXPECT_THAT(load_kernel("/", placement_, ram_).message(), HasSubstr("is a directory"));
  const std::string path = temporary("raw", {7, 8});
  EXPECT_TRUE(load_kernel(path, placement_, ram_).ok());
  EXPECT_THAT(read_file(path, 1).message(), HasSubstr("at most 1 are taken"));
}

TEST_F(Loader, InitrdGoesAsHighAsItFits) {
  const std::string path = temporary("initrd", std::vector<uint8_t>(5000, 0x5a));
  const Result<AddressRange> range = load_initrd(path, ram_, kRamBase + kMiB, kRamBase + 2 * kMiB);
  ASSERT_TRUE(range.ok()) << range.message();
  EXPECT_EQ(range->first, kRamBase + 2 * kMiB - 0x2000);
  EXPECT_EQ(range->end - range->first, 5000u);
  EXPECT_EQ(at(range->end - 1), 0x5a);
  const Result<AddressRange> tight = load_initrd(path, ram_, kRamBase + 2 * kMiB - 4096, kRamBase + 2 * kMiB);
  ASSERT_FALSE(tight.ok());
  EXPECT_THAT(tight.message(), HasSubstr("ask for more with --memory"));
}

}  // namespace
}  // namespace lockstep::core
