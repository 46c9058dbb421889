// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_wire.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

namespace lockstep::cli {
namespace {

constexpr size_t kFileBytes = size_t{1} << 20;

struct Socket {
  Socket() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~Socket() {
    for (const int end : ends) close(end);
  }
  int ends[2] = {-1, -1};
};

TEST(LockstepWire, MessagesArriveWhole) {
  Socket socket;
  std::vector<LockstepRecord> sent(100'000);
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = {i, i * i, static_cast<uint32_t>(i % 3), RecordKind::kWindow};
  // Far more than a socket holds: the sender waits for the receiver.
  std::thread sender([&] {
    EXPECT_TRUE(send_message(socket.ends[0], Message::kRecords, as_bytes_of(sent)));
    EXPECT_TRUE(send_message(socket.ends[0], Message::kGo));
  });
  Frame frame;
  ASSERT_TRUE(receive_message(socket.ends[1], frame));
  EXPECT_EQ(frame.message, Message::kRecords);
  EXPECT_EQ(frame.items<LockstepRecord>(), sent);
  ASSERT_TRUE(receive_message(socket.ends[1], frame));
  EXPECT_EQ(frame.message, Message::kGo);
  EXPECT_TRUE(frame.body.empty());
  sender.join();
}

TEST(LockstepWire, AnEndThatIsClosedIsSaid) {
  Socket socket;
  close(socket.ends[0]);
  socket.ends[0] = -1;
  Frame frame;
  EXPECT_FALSE(receive_message(socket.ends[1], frame));
}

TEST(LockstepWire, AShortMessageReadsAsZeros) {
  Frame frame;
  frame.body = std::string(8, '\1');
  const auto request = frame.as<ProbeRequest>();
  EXPECT_EQ(request.target, 0x0101010101010101u);
  EXPECT_EQ(request.cut, 0u);
}

// Memory with two views: what one gets the other shows.
struct TwoViews {
  ~TwoViews() {
    munmap(writable, kFileBytes);
    munmap(readable, kFileBytes);
  }
  uint8_t* writable = nullptr;
  uint8_t* readable = nullptr;
};

void expect_own_in_a_copy(const TwoViews& memory) {
  memory.writable[5] = 1;
  memory.writable[700'000] = 2;
  const pid_t child = fork();
  if (child == 0) {
    if (!make_shared_memory_private()) _exit(1);
    // As it was, with two views still, and nothing that is done here reaches the parent.
    if (memory.readable[5] != 1 || memory.readable[700'000] != 2 || memory.readable[900'000] != 0) _exit(2);
    memory.writable[5] = 9;
    memory.writable[900'000] = 9;
    _exit(memory.readable[5] == 9 && memory.readable[900'000] == 9 ? 0 : 3);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(memory.readable[5], 1);
  EXPECT_EQ(memory.readable[900'000], 0);
}

TEST(LockstepWire, AFileInMemoryBecomesTheCopysOwn) {
  TwoViews memory;
  const int fd = memfd_create("lockstep-test", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(fd, kFileBytes), 0);
  memory.writable = static_cast<uint8_t*>(mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  memory.readable = static_cast<uint8_t*>(mmap(nullptr, kFileBytes, PROT_READ, MAP_SHARED, fd, 0));
  close(fd);
  expect_own_in_a_copy(memory);
}

TEST(LockstepWire, SharedMemoryWithoutAFileBecomesTheCopysOwn) {
  TwoViews memory;
  void* first = mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  memory.writable = static_cast<uint8_t*>(first);
  memory.readable = static_cast<uint8_t*>(mremap(first, 0, kFileBytes, MREMAP_MAYMOVE));
  // In pieces of different protection, as long as it can be read.
  ASSERT_EQ(mprotect(memory.readable, kFileBytes / 2, PROT_READ), 0);
  ASSERT_EQ(mprotect(memory.readable + kFileBytes / 2, kFileBytes / 2, PROT_READ | PROT_EXEC), 0);
  expect_own_in_a_copy(memory);
}

}  // namespace
}  // namespace lockstep::cli
