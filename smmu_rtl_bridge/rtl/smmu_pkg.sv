// SPDX-License-Identifier: Apache-2.0

// What the modules of the SMMU share: widths, the records that pass between the translation half (client port, caches,
// configuration fetch, walker) and the control half (registers, queues, messages, memory port), event numbers, and the
// arithmetic of memory attributes. Sections are those of the SMMUv3 architecture specification (IHI 0070).
//
// The seams between the halves, all valid/ready (valid never waits for ready, payload is stable until ready):
//   regs_t        registers as software wrote them; translation samples them when it looks a transaction up.
//   quiesce       registers raises quiesce_req after a change of CR0.SMMUEN, GBPA, CR2 or the stream table's place and holds
//                 it; translation answers with quiesce_done once everything accepted before is translated. The change is
//                 acknowledged (CR0ACK, GBPA.Update) then, and quiesce_req falls; quiesce_done falls with it.
//   inv           one invalidation; ready in the clock in which all caches have applied it.
//   sync          ready once every transaction accepted before sync_valid rose has been answered downstream.
//   evt           one event record, ready when the event queue has taken it (or lost it to overflow).
//   memory reads  rd_valid/rd_ready with rd_addr, rd_beats (1, 2 or 8), rd_tag, rd_attr; answers rsp_valid with rsp_tag,
//                 rsp_data, rsp_last, rsp_err, always taken. Beats of one answer are in order; answers of different
//                 tags come in any order and may interleave.
//   memory writes wr_valid/wr_ready with wr_addr, wr_beats (1 or 4), wr_data, wr_strb (of one beat, for 4-byte
//                 messages), wr_attr; then wr_done for one clock with wr_err.
package smmu_pkg;

  localparam int PA_BITS = 52;        // of addresses on their way to memory
  localparam int RD_TAG_BITS = 4;     // reads of the translation half under way: 0 to 7 walks, 8 configuration
  localparam int S_USER_BITS = 65;
  localparam int M_USER_BITS = 10;
  localparam int EVENT_BITS = 256;

  // AxUSER of the client port, from bit 0: sid, ssid, ssv, mair, shareability, translated, atomic.
  localparam int S_USER_SID = 0;
  localparam int S_USER_SSID = 32;
  localparam int S_USER_SSV = 52;
  localparam int S_USER_MAIR = 53;
  localparam int S_USER_SH = 61;
  localparam int S_USER_TRANSLATED = 63;
  localparam int S_USER_ATOMIC = 64;

  // Memory attributes as the pins carry them: a byte as in MAIR, and a shareability (0 none, 2 outer, 3 inner).
  typedef struct packed {
    logic [1:0] sh;
    logic [7:0] mair;
  } attr_t;

  // Current values of the registers that translation needs. Fields have the register's encoding.
  typedef struct packed {
    logic        smmuen;             // CR0.SMMUEN
    logic        gbpa_abort;         // GBPA, as it is in effect
    logic [1:0]  gbpa_instcfg;
    logic [1:0]  gbpa_privcfg;
    logic [1:0]  gbpa_shcfg;
    logic [3:0]  gbpa_alloccfg;
    logic        gbpa_mtcfg;
    logic [3:0]  gbpa_memattr;
    logic [51:0] strtab_base;        // STRTAB_BASE.ADDR in its place, bits 5:0 zero
    logic [5:0]  strtab_log2size;    // STRTAB_BASE_CFG
    logic [4:0]  strtab_split;
    logic [1:0]  strtab_fmt;         // 1: two levels
    logic [1:0]  table_sh;           // CR1
    logic [1:0]  table_oc;
    logic [1:0]  table_ic;
    logic        e2h;                // CR2
    logic        recinvsid;
  } regs_t;

  // Kinds of invalidations.
  localparam logic [1:0] INV_TLB = 2'd0;      // translations, by the scope below
  localparam logic [1:0] INV_STE = 2'd1;      // STEs of sid_first to sid_last and all their CDs
  localparam logic [1:0] INV_CD = 2'd2;       // the CD of sid_first with index ssid
  localparam logic [1:0] INV_CD_ALL = 2'd3;   // all CDs of sid_first

  // Regimes: bits of inv_t.worlds, and the encoding in tags.
  localparam logic [1:0] WORLD_EL1 = 2'd0;
  localparam logic [1:0] WORLD_EL2 = 2'd1;
  localparam logic [1:0] WORLD_EL2_E2H = 2'd2;

  // Scope of an invalidation. A condition that is off matches everything.
  typedef struct packed {
    logic [1:0]  kind;
    logic [31:0] sid_first;
    logic [31:0] sid_last;
    logic [19:0] ssid;
    logic [2:0]  worlds;         // a set of regimes
    logic        virt;           // results of stage 1 and of both stages, tagged by virtual address
    logic        intermediate;   // results of stage 2 alone
    logic        by_vmid;
    logic [15:0] vmid;
    logic [15:0] vmid_ignored;   // bits that CR0.VMW leaves out of the comparison
    logic        by_asid;
    logic [15:0] asid;
    logic        spare_global;   // with by_asid: global entries stay
    logic        by_address;
    logic [63:0] first;          // inclusive, bits 11:0 zero
    logic [63:0] last;           // inclusive, bits 11:0 ones
    logic [1:0]  tg;             // 0 any granule, 1 4 KiB, 2 16 KiB, 3 64 KiB
    logic [1:0]  ttl;            // 0 any level
    logic        leaf;           // pointers to tables may stay
  } inv_t;

  // Event records; section "Event records".
  localparam logic [7:0] EVT_NONE = 8'h00;
  localparam logic [7:0] F_UUT = 8'h01;
  localparam logic [7:0] C_BAD_STREAMID = 8'h02;
  localparam logic [7:0] F_STE_FETCH = 8'h03;
  localparam logic [7:0] C_BAD_STE = 8'h04;
  localparam logic [7:0] F_STREAM_DISABLED = 8'h06;
  localparam logic [7:0] F_TRANSL_FORBIDDEN = 8'h07;
  localparam logic [7:0] C_BAD_SUBSTREAMID = 8'h08;
  localparam logic [7:0] F_CD_FETCH = 8'h09;
  localparam logic [7:0] C_BAD_CD = 8'h0a;
  localparam logic [7:0] F_WALK_EABT = 8'h0b;
  localparam logic [7:0] F_TRANSLATION = 8'h10;
  localparam logic [7:0] F_ADDR_SIZE = 8'h11;
  localparam logic [7:0] F_ACCESS = 8'h12;
  localparam logic [7:0] F_PERMISSION = 8'h13;
  localparam logic [1:0] CLASS_CD = 2'd0;
  localparam logic [1:0] CLASS_TT = 2'd1;
  localparam logic [1:0] CLASS_IN = 2'd2;

  // ---- Memory attributes; chapter "Attribute Transformation".
  // Functions take and give attr_t as plain bits {sh, mair}, which the tools of this design resolve across packages.
  // Nibbles of a Normal type are kept in one form each: 4 non-cacheable, otherwise {not transient, write-back, read
  // allocate, write allocate}, where a level without allocation hints is not transient.

  localparam logic [3:0] LEVEL_NC = 4'h4;

  function automatic logic attr_is_device(input logic [7:0] mair);
    attr_is_device = mair[7:4] == 4'h0;
  endfunction

  function automatic logic [3:0] attr_level(input logic write_back, input logic short_lived, input logic ra,
                                            input logic wa);
    attr_level = {!(short_lived && (ra || wa)), write_back, ra, wa};
  endfunction

  // Shareability is what it must be where a type leaves no choice.
  function automatic logic [9:0] attr_consistent(input logic [9:0] a);
    attr_consistent = {a[7:4] == 4'h0 || a[7:0] == 8'h44 ? 2'd2 : a[9:8], a[7:0]};
  endfunction

  // Shareability 1 is reserved and counts as none.
  function automatic logic [1:0] attr_sh(input logic [1:0] sh);
    attr_sh = sh[1] ? sh : 2'd0;
  endfunction

  function automatic logic [3:0] attr_mair_level(input logic [3:0] nibble);
    attr_mair_level = nibble == 4'h0 ? 4'h3 : nibble;
  endfunction

  // A byte of MAIR, or of the client's pins, with a shareability.
  function automatic logic [9:0] attr_from_mair(input logic [7:0] mair, input logic [1:0] sh);
    attr_from_mair = smmu_pkg::attr_consistent(
        {smmu_pkg::attr_sh(sh),
         mair[7:4] == 4'h0 ? {4'h0, mair[3:2], 2'b00}
                           : {smmu_pkg::attr_mair_level(mair[7:4]), smmu_pkg::attr_mair_level(mair[3:0])}});
  endfunction

  function automatic logic [3:0] attr_table_level(input logic [1:0] code);
    attr_table_level = code == 2'd1 ? 4'hf : code == 2'd2 ? 4'ha : code == 2'd3 ? 4'he : 4'h4;
  endfunction

  // The fields IR, OR, SH of CDs and STEs.
  function automatic logic [9:0] attr_of_table(input logic [1:0] inner, input logic [1:0] outer,
                                               input logic [1:0] sh);
    attr_of_table = smmu_pkg::attr_consistent(
        {smmu_pkg::attr_sh(sh), smmu_pkg::attr_table_level(outer), smmu_pkg::attr_table_level(inner)});
  endfunction

  // The fields of CR1, where 3 is reserved and counts as non-cacheable.
  function automatic logic [9:0] attr_of_register(input logic [1:0] inner, input logic [1:0] outer,
                                                  input logic [1:0] sh);
    attr_of_register =
        smmu_pkg::attr_of_table(inner == 2'd3 ? 2'd0 : inner, outer == 2'd3 ? 2'd0 : outer, sh);
  endfunction

  // A level of the four-bit encoding of stage 2 descriptors: 1 non-cacheable, 2 write-through, 3 write-back.
  function automatic logic [3:0] attr_stage2_level(input logic [1:0] code);
    attr_stage2_level = code == 2'd1 ? 4'h4 : code == 2'd2 ? 4'hb : 4'hf;
  endfunction

  // The four-bit encoding of stage 2 descriptors, STE.MemAttr, GBPA and MSI configurations. Hints are all set.
  function automatic logic [9:0] attr_from_stage2(input logic [3:0] memattr, input logic [1:0] sh);
    attr_from_stage2 =
        memattr[3:2] == 2'd0 ? {2'd2, 4'h0, memattr[1:0], 2'b00}
        : memattr[1:0] == 2'd0 ? {2'd2, 8'h00}
        : {smmu_pkg::attr_sh(sh), smmu_pkg::attr_stage2_level(memattr[3:2]), smmu_pkg::attr_stage2_level(memattr[1:0])};
  endfunction

  // Attributes of a message: MSI configuration registers and CMD_SYNC.
  function automatic logic [9:0] attr_of_message(input logic [3:0] memattr, input logic [1:0] sh);
    attr_of_message = smmu_pkg::attr_consistent(smmu_pkg::attr_from_stage2(memattr, sh));
  endfunction

endpackage
