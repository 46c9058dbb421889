// SPDX-License-Identifier: Apache-2.0
#include "jit/gdb_jit.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "jit/frame.h"

// What gdb looks for by name and layout ("JIT Compilation Interface" in its manual).
extern "C" {
struct JitCodeEntry {
  JitCodeEntry* next;
  JitCodeEntry* previous;
  const char* file;
  uint64_t file_bytes;
};
struct JitDescriptor {
  uint32_t version;
  uint32_t action;
  JitCodeEntry* relevant;
  JitCodeEntry* first;
};
// NOLINTBEGIN(bugprone-reserved-identifier): gdb chose the names
__attribute__((used)) JitDescriptor __jit_debug_descriptor = {1, 0, nullptr, nullptr};
// gdb stops here whenever the list has changed.
__attribute__((used, noinline)) void __jit_debug_register_code() { asm volatile("" ::: "memory"); }
// NOLINTEND(bugprone-reserved-identifier)
}

namespace lockstep::jit {

namespace {

constexpr uint32_t kNothing = 0, kRegister = 1, kUnregister = 2;

// The list is one for the process; engines of several harts may run on threads of their own.
std::mutex& list_mutex() {
  static std::mutex mutex;
  return mutex;
}

void tell(uint32_t action, JitCodeEntry* entry) {
  __jit_debug_descriptor.action = action;
  __jit_debug_descriptor.relevant = entry;
  __jit_debug_register_code();
  __jit_debug_descriptor.action = kNothing;
  __jit_debug_descriptor.relevant = nullptr;
}

class Bytes {
 public:
  size_t size() const { return bytes_.size(); }
  std::vector<uint8_t> take() { return std::move(bytes_); }

  template <typename T>
  void put(T value) {
    put_bytes(&value, sizeof value);
  }
  void put_bytes(const void* from, size_t count) {
    const auto* at = static_cast<const uint8_t*>(from);
    bytes_.insert(bytes_.end(), at, at + count);
  }
  void put_text(const char* text) { put_bytes(text, std::strlen(text) + 1); }
  void put_uleb(uint64_t value) {
    while (value >= 0x80) {
      put(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    put(static_cast<uint8_t>(value));
  }
  void align(size_t to, uint8_t filling = 0) {
    while (bytes_.size() % to != 0) bytes_.push_back(filling);
  }
  template <typename T>
  void put_at(size_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }

 private:
  std::vector<uint8_t> bytes_;
};

// DWARF call frame information (DWARF 4, section 6.4), with the register numbers of the x86-64 ABI.
constexpr uint8_t kDefineCfa = 0x0c, kOffset = 0x80, kSameValue = 0x08, kNop = 0;
constexpr uint8_t kRbx = 3, kRbp = 6, kRsp = 7, kReturnAddress = 16;
constexpr uint8_t kPushed[] = {kRbx, kRbp, 12, 13, 14, 15};  // by Thunks::enter, in this order
constexpr uint32_t kNoCie = ~uint32_t{0};
constexpr int kDataAlignment = -8;

// Length in front, padded to eight bytes.
template <typename F>
void put_entry(Bytes& out, F content) {
  const size_t at = out.size();
  out.put(uint32_t{0});
  content();
  while ((out.size() - at) % 8 != 4) out.put(kNop);
  out.put_at(at, static_cast<uint32_t>(out.size() - at - 4));
}

std::vector<uint8_t> call_frames(const CodePiece& piece) {
  Bytes out;
  put_entry(out, [&] {
    out.put(kNoCie);
    out.put(uint8_t{1});  // version
    out.put_text("");
    out.put_uleb(1);
    out.put(static_cast<uint8_t>(kDataAlignment & 0x7f));
    out.put(kReturnAddress);
    out.put(kDefineCfa);
    out.put(kRsp);
    out.put_uleb(8);
    out.put(static_cast<uint8_t>(kOffset | kReturnAddress));
    out.put_uleb(1);
  });
  for (const CodeFrame& frame : piece.frames) {
    put_entry(out, [&] {
      out.put(uint32_t{0});  // of the CIE, in the section
      out.put(reinterpret_cast<uint64_t>(piece.code.data()) + frame.begin);
      out.put(uint64_t{frame.end - frame.begin});
      out.put(kDefineCfa);
      out.put(kRsp);
      if (frame.pushed == 0) {
        out.put_uleb(sizeof(Frame) + 8 * (std::size(kPushed) + 1));
        for (size_t k = 0; k < std::size(kPushed); ++k) {
          out.put(static_cast<uint8_t>(kOffset | kPushed[k]));
          out.put_uleb(k + 2);
        }
      } else {
        out.put_uleb(frame.pushed);
        for (const uint8_t reg : kPushed) {
          out.put(kSameValue);
          out.put_uleb(reg);
        }
      }
    });
  }
  return out.take();
}

}  // namespace

std::vector<uint8_t> object_file(const CodePiece& piece) {
  enum Section : uint16_t { kNull, kText, kFrames, kSymbols, kStrings, kNames, kSections };
  static constexpr char kSectionNames[] = "\0.text\0.debug_frame\0.symtab\0.strtab\0.shstrtab";
  constexpr uint32_t kNameAt[kSections] = {0, 1, 7, 20, 28, 36};
  Elf64_Shdr sections[kSections] = {};
  Bytes file;
  Elf64_Ehdr header = {};
  file.put(header);
  const auto add = [&](Section section, uint32_t type, const void* content, size_t size_bytes) {
    file.align(8);
    sections[section].sh_name = kNameAt[section];
    sections[section].sh_type = type;
    sections[section].sh_offset = file.size();
    sections[section].sh_size = size_bytes;
    sections[section].sh_addralign = 8;
    file.put_bytes(content, size_bytes);
  };
  sections[kText].sh_name = kNameAt[kText];
  sections[kText].sh_type = SHT_NOBITS;
  sections[kText].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  sections[kText].sh_addr = reinterpret_cast<uint64_t>(piece.code.data());
  sections[kText].sh_offset = file.size();
  sections[kText].sh_size = piece.code.size();
  sections[kText].sh_addralign = 16;
  const std::vector<uint8_t> frames = call_frames(piece);
  add(kFrames, SHT_PROGBITS, frames.data(), frames.size());
  std::vector<Elf64_Sym> symbols(1);
  std::vector<char> strings(1);
  for (const CodeSymbol& symbol : piece.symbols) {
    Elf64_Sym s = {};
    s.st_name = static_cast<uint32_t>(strings.size());
    s.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    s.st_shndx = kText;
    s.st_value = symbol.offset;  // in its section: the file is of relocatable code that needs no relocation
    s.st_size = symbol.size_bytes;
    symbols.push_back(s);
    strings.insert(strings.end(), symbol.name.c_str(), symbol.name.c_str() + symbol.name.size() + 1);
  }
  add(kSymbols, SHT_SYMTAB, symbols.data(), symbols.size() * sizeof(Elf64_Sym));
  sections[kSymbols].sh_link = kStrings;
  sections[kSymbols].sh_info = 1;
  sections[kSymbols].sh_entsize = sizeof(Elf64_Sym);
  add(kStrings, SHT_STRTAB, strings.data(), strings.size());
  add(kNames, SHT_STRTAB, kSectionNames, sizeof kSectionNames);
  file.align(8);
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_shoff = file.size();
  header.e_ehsize = sizeof header;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = kSections;
  header.e_shstrndx = kNames;
  file.put_at(0, header);
  file.put_bytes(sections, sizeof sections);
  return file.take();
}

struct GdbJit::Entry {
  const uint8_t* code;
  std::vector<uint8_t> file;
  JitCodeEntry listed;

  explicit Entry(const CodePiece& piece) : code(piece.code.data()), file(object_file(piece)), listed{} {
    listed.file = reinterpret_cast<const char*>(file.data());
    listed.file_bytes = file.size();
    const std::lock_guard lock(list_mutex());
    listed.next = __jit_debug_descriptor.first;
    if (listed.next != nullptr) listed.next->previous = &listed;
    __jit_debug_descriptor.first = &listed;
    tell(kRegister, &listed);
  }
  ~Entry() {
    const std::lock_guard lock(list_mutex());
    (listed.previous != nullptr ? listed.previous->next : __jit_debug_descriptor.first) = listed.next;
    if (listed.next != nullptr) listed.next->previous = listed.previous;
    tell(kUnregister, &listed);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
};

GdbJit::GdbJit() = default;
GdbJit::~GdbJit() = default;

void GdbJit::installed(const CodePiece& piece) {
  // The first is what all others are called from, and stays.
  if (entries_.size() == kMaxPieces) entries_.erase(entries_.begin() + 1);
  entries_.push_back(std::make_unique<Entry>(piece));
}

void GdbJit::dropped(const uint8_t* code) {
  const auto it =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry->code == code; });
  if (it != entries_.end()) entries_.erase(it);
}

}  // namespace lockstep::jit
