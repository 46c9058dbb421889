// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "smmu_rtl_bridge/coverage/watched.h"
#include "tlm_models/smmuv3/commands.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// Chapters ats and pri.
class AtsChapter {
 public:
  explicit AtsChapter(Watched& watched) : watched_(watched) {}
  void asked(const AtsQuestion& question, const Look& look);
  void answered(const AtsAnswer& answer);
  void translated(const ClientAccess& access, const Look& look);
  void event_recorded() { ++events_; }
  void command(const smmuv3::CommandWords& command);
  void atc_invalidated(const AtcInvalidation& invalidation);
  void atc_done(bool timed_out);
  void device_fetches_command() { at_once_ = false; }
  unsigned pending_atc() const { return pending_atc_; }

  void page_asked(const PageQuestion& question);
  void page_recorded(uint64_t index, unsigned log2, bool failed);
  void page_answered(const PageAnswer& answer);
  void errors_acknowledged(uint64_t before, uint64_t after);

 private:
  struct Question {
    AtsQuestion question;
    smmuv3::Event event;
    const char* config = "";
    uint64_t events_before = 0;
  };
  void page_ended();

  Watched& watched_;
  std::map<uint64_t, Question> questions_;
  uint64_t events_ = 0;
  unsigned pending_atc_ = 0;
  bool at_once_ = false;

  PageQuestion page_;
  bool page_open_ = false;
  bool page_queued_ = false;
  uint64_t pages_produced_ = 0;
  bool page_queue_aborted_ = false;
  unsigned commanded_ = 0;  // responses that software sent and devices have not seen
};

}  // namespace lockstep::smmu_rtl_bridge::coverage
