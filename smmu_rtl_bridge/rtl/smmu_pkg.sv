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

  // ---- Inside of the translation half.

  localparam int SLOT_BITS = 6;   // of a transaction in flight
  localparam int VA_BITS = 49;    // {upper half, address bits 47:0}

  // How a transaction ends; RESULT_ZERO reads as zero and ignores writes.
  localparam logic [1:0] RESULT_PASS = 2'd0;
  localparam logic [1:0] RESULT_ABORT = 2'd1;
  localparam logic [1:0] RESULT_ZERO = 2'd2;

  // Granules as all modules here encode them.
  localparam logic [1:0] TG_4K = 2'd0;
  localparam logic [1:0] TG_16K = 2'd1;
  localparam logic [1:0] TG_64K = 2'd2;

  // A transaction as translation sees it.
  typedef struct packed {
    logic        atomic;
    logic        translated;
    logic [1:0]  sh;
    logic [7:0]  mair;
    logic        ssv;
    logic [19:0] ssid;
    logic [31:0] sid;
    logic        write;
    logic        instruction;
    logic        privileged;
    logic [63:0] address;
  } access_t;

  // Override fields of STEs and GBPA.
  typedef struct packed {
    logic [1:0] shcfg;
    logic [3:0] alloccfg;
    logic       mtcfg;
    logic [3:0] memattr;
  } override_t;

  // Stage 2 of a stream, checked.
  typedef struct packed {
    logic [15:0] vmid;
    logic [43:0] ttb;      // address bits 47:4
    logic [5:0]  t0sz;
    logic [1:0]  sl0;
    logic [1:0]  tg;
    logic [2:0]  ps;       // effective, not above OAS
    attr_t       walk;
    logic        endi;
    logic        affd;
    logic        ptw;
    logic        fwb;
  } stage2_t;

  // A stream table entry, decoded and checked once.
  typedef struct packed {
    logic        broken;   // ILLEGAL, or not valid
    logic [2:0]  cfg;
    logic [1:0]  s1fmt;
    logic [41:0] ctxptr;   // address bits 47:6
    logic [4:0]  cdmax;
    logic [1:0]  s1dss;
    attr_t       cattr;
    logic [1:0]  strw;
    override_t   over;
    logic [1:0]  privcfg;
    logic [1:0]  instcfg;
    logic        s2r;
    stage2_t     s2;
  } ste_t;

  // One of the two halves of a stage 1 address space.
  typedef struct packed {
    logic [43:0] ttb;      // address bits 47:4
    logic [5:0]  tsz;
    logic [1:0]  tg;
    attr_t       walk;
    logic        epd;
    logic        had;
    logic        tbi;
  } half_t;

  // A context descriptor, decoded for its regime and checked once.
  typedef struct packed {
    logic        broken;
    half_t       half1;
    half_t       half0;
    logic        endi;
    logic [2:0]  ips;      // effective, not above OAS
    logic        affd;
    logic        wxn;
    logic        pan;
    logic        r;
    logic        a;
    logic        aset;
    logic [15:0] asid;
    logic [63:0] mair;
  } cd_t;

  // What translations and pointers to tables are tagged with, besides their address.
  typedef struct packed {
    logic        virt;     // by virtual address: stage 1, or both stages
    logic [1:0]  world;
    logic        aset;
    logic [15:0] asid;
    logic [15:0] vmid;
  } tag_t;

  // A walk to be done.
  typedef struct packed {
    logic                 for_config;   // stage 2 of a context descriptor's address, for the configuration fetch
    logic [SLOT_BITS-1:0] slot;
    logic                 stage1;
    logic                 stage2;
    logic                 need_r;
    logic                 need_w;
    logic                 need_x;
    logic                 need_priv;
    logic [VA_BITS-1:0]   va;
    tag_t                 tag;
    half_t                half;
    logic                 endi;
    logic [2:0]           ips;
    logic                 affd;
    logic                 wxn;
    logic                 pan;
    logic [63:0]          mair;
    stage2_t              s2;
    attr_t                attr;         // of the access, overrides applied
    logic                 privileged;   // as it goes downstream
    logic                 instruction;
    logic                 cd_a;         // CD.A, CD.R, STE.S2R
    logic                 cd_r;
    logic                 s2r;
  } walk_t;

  // What a translation is, as the TLB has it beside tag and address.
  typedef struct packed {
    logic [35:0] page;     // output bits 47:12
    logic [1:0]  size;     // 4 KiB, 64 KiB, 2 MiB, 1 GiB
    logic [5:0]  perms;    // {x, w, r} privileged, {x, w, r} unprivileged
    logic        stage1;   // attr1 replaces the access's own
    attr_t       attr1;
    logic        stage2;
    logic        fwb;
    logic [3:0]  memattr2;
    logic [1:0]  sh2;
  } entry_t;

  // A fault of a walk.
  typedef struct packed {
    logic [7:0]  kind;     // event number
    logic [1:0]  cls;
    logic        stage2;
    logic        ttrnw;
    logic        only_read;   // of an atomic access: the write would have been allowed
    logic [47:0] ipa;
    logic [47:0] fetch;
  } fault_t;

  // Bits of an address size code, as OAS, IPS and S2PS share it.
  function automatic logic [5:0] size_bits(input logic [2:0] code);
    size_bits = code == 3'd0 ? 6'd32 : code == 3'd1 ? 6'd36 : code == 3'd2 ? 6'd40 : code == 3'd3 ? 6'd42
              : code == 3'd4 ? 6'd44 : 6'd48;
  endfunction

  function automatic logic [63:0] low_ones(input logic [5:0] count);
    low_ones = (64'd1 << count) - 64'd1;
  endfunction

  function automatic logic [47:0] low48(input logic [5:0] count);
    low48 = (48'd1 << count) - 48'd1;
  endfunction

  // Whether an address has bits at or above an address size.
  function automatic logic beyond(input logic [47:0] address, input logic [2:0] code);
    beyond = (address >> smmu_pkg::size_bits(code)) != 48'd0;
  endfunction

  // Input bits below a descriptor's at a level.
  function automatic logic [5:0] level_shift(input logic [1:0] tg, input logic [1:0] level);
    case (tg)
      TG_4K: level_shift = level == 2'd3 ? 6'd12 : level == 2'd2 ? 6'd21 : level == 2'd1 ? 6'd30 : 6'd39;
      TG_16K: level_shift = level == 2'd3 ? 6'd14 : level == 2'd2 ? 6'd25 : level == 2'd1 ? 6'd36 : 6'd47;
      default: level_shift = level == 2'd3 ? 6'd16 : level == 2'd2 ? 6'd29 : level == 2'd1 ? 6'd42 : 6'd55;
    endcase
  endfunction

  // log2 of the descriptors of a table.
  function automatic logic [3:0] stride(input logic [1:0] tg);
    stride = tg == TG_4K ? 4'd9 : tg == TG_16K ? 4'd11 : 4'd13;
  endfunction

  // PRIVCFG and INSTCFG: 2 clears, 3 sets, the rest leaves what came in.
  function automatic logic overridden(input logic incoming, input logic [1:0] code);
    overridden = code == 2'd3 || (code != 2'd2 && incoming);
  endfunction

  // The place of a stream and substream in a cache of configuration, of which users take the low bits.
  function automatic logic [15:0] place_of(input logic [31:0] sid, input logic [19:0] ssid);
    place_of = sid[15:0] ^ {7'd0, sid[15:7]} ^ {sid[9:0], 6'd0} ^ sid[31:16] ^ ssid[15:0] ^
               {2'd0, ssid[19:6]};
  endfunction

  // ---- Memory attributes; chapter "Attribute Transformation".
  // Functions take and give attr_t as plain bits {sh, mair}, which the tools of this design resolve across packages.
  // Nibbles of a Normal type are kept in one form each: 4 non-cacheable, otherwise {not transient, write-back, read
  // allocate, write allocate}, where a level without allocation hints is not transient.

  localparam logic [3:0] LEVEL_NC = 4'h4;

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

  // Override fields; section "Replace". What comes out may still want attr_consistent().
  function automatic logic [3:0] attr_replace_level(input logic keep, input logic [3:0] from, input logic [1:0] code,
                                                    input logic mtcfg, input logic [3:0] alloc);
    logic [3:0] n;
    n = !mtcfg ? from
        : code == 2'd1 ? 4'h4
        : keep ? smmu_pkg::attr_level(code[0], !from[3], from[1], from[0]) : smmu_pkg::attr_stage2_level(code);
    if (alloc[3] && n != 4'h4) n = smmu_pkg::attr_level(n[2], alloc[0], alloc[2], alloc[1]);
    attr_replace_level = n;
  endfunction

  function automatic logic [9:0] attr_replace(input logic [9:0] in, input logic [3:0] memattr, input logic mtcfg,
                                              input logic [3:0] alloc, input logic [1:0] shcfg);
    logic in_device;
    logic out_device;
    logic [7:0] mair;
    logic [1:0] sh;
    in_device = in[7:4] == 4'h0;
    out_device = mtcfg ? memattr[3:2] == 2'd0 || memattr[1:0] == 2'd0 : in_device;
    if (out_device) begin
      mair = !mtcfg ? in[7:0] : memattr[3:2] == 2'd0 ? {4'h0, memattr[1:0], 2'b00} : 8'h00;
      sh = mtcfg ? 2'd2 : in[9:8];
    end else begin
      mair = {smmu_pkg::attr_replace_level(!in_device && in[7:4] != 4'h4, in[7:4], memattr[3:2], mtcfg, alloc),
              smmu_pkg::attr_replace_level(!in_device && in[3:0] != 4'h4, in[3:0], memattr[1:0], mtcfg, alloc)};
      sh = in[9:8];
    end
    attr_replace = {shcfg == 2'd1 ? sh : smmu_pkg::attr_sh(shcfg), mair};
  endfunction

  // Hints of the access and those of stage 1; section "Stage 1 memory attributes".
  function automatic logic [3:0] attr_hint_level(input logic [3:0] n, input logic [3:0] from);
    attr_hint_level = n == 4'h4 || from == 4'h4 ? n
        : smmu_pkg::attr_level(n[2], !n[3] || !from[3], n[1] && from[1], n[0] && from[0]);
  endfunction

  function automatic logic [9:0] attr_with_hints(input logic [9:0] stage1, input logic [7:0] in);
    attr_with_hints = stage1[7:4] == 4'h0 || in[7:4] == 4'h0 ? stage1
        : {stage1[9:8], smmu_pkg::attr_hint_level(stage1[7:4], in[7:4]),
           smmu_pkg::attr_hint_level(stage1[3:0], in[3:0])};
  endfunction

  // Outer is stronger than inner, and inner than none.
  function automatic logic [1:0] attr_combine_sh(input logic [1:0] a, input logic [1:0] b);
    attr_combine_sh = a == 2'd2 || b == 2'd2 ? 2'd2 : a == 2'd3 || b == 2'd3 ? 2'd3 : 2'd0;
  endfunction

  function automatic logic [1:0] attr_weaker(input logic [1:0] a, input logic [1:0] b);
    attr_weaker = a < b ? a : b;
  endfunction

  // A level with the stage 2 code 1 to 3 on top: the weaker policy, the first's hints.
  function automatic logic [3:0] attr_combine_level(input logic [3:0] n, input logic [1:0] code);
    attr_combine_level = n == 4'h4 || code == 2'd1 ? 4'h4 : {n[3], n[2] && code == 2'd3, n[1:0]};
  endfunction

  function automatic logic [3:0] attr_force_level(input logic device, input logic [3:0] n);
    attr_force_level = device || n == 4'h4 ? 4'hf : {n[3], 1'b1, n[1:0]};
  endfunction

  // Attributes of an access by intermediate address, combined with those of its page at stage 2; sections "Combine" and,
  // with forced write-back, "Stage 2 control of memory types".
  function automatic logic [9:0] attr_stage2(input logic [9:0] first, input logic fwb, input logic [3:0] memattr,
                                             input logic [1:0] sh);
    logic dev1;
    logic dev2;
    logic [1:0] type2;
    dev1 = first[7:4] == 4'h0;
    dev2 = fwb ? !memattr[2] : memattr[3:2] == 2'd0 || memattr[1:0] == 2'd0;
    type2 = fwb || memattr[3:2] == 2'd0 ? memattr[1:0] : 2'd0;
    if (dev2) begin
      attr_stage2 = {2'd2, 4'h0, dev1 ? smmu_pkg::attr_weaker(first[3:2], type2) : type2, 2'b00};
    end else if (!fwb) begin
      attr_stage2 = dev1 ? {2'd2, first[7:0]}
          : smmu_pkg::attr_consistent({smmu_pkg::attr_combine_sh(first[9:8], smmu_pkg::attr_sh(sh)),
                                       smmu_pkg::attr_combine_level(first[7:4], memattr[3:2]),
                                       smmu_pkg::attr_combine_level(first[3:0], memattr[1:0])});
    end else begin
      attr_stage2 = smmu_pkg::attr_consistent(
          {smmu_pkg::attr_combine_sh(first[9:8], smmu_pkg::attr_sh(sh)),
           memattr[1:0] == 2'd2 ? {smmu_pkg::attr_force_level(dev1, first[7:4]),
                                   smmu_pkg::attr_force_level(dev1, first[3:0])}
           : memattr[1:0] == 2'd3 || dev1 ? first[7:0] : 8'h44});
    end
  endfunction

  // Whether stage 2 makes a page Device memory.
  function automatic logic stage2_device(input logic fwb, input logic [3:0] memattr);
    stage2_device = fwb ? !memattr[2] : memattr[3:2] == 2'd0 || memattr[1:0] == 2'd0;
  endfunction

endpackage
