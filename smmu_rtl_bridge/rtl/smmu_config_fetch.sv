// SPDX-License-Identifier: Apache-2.0

// Fetches stream table entries and context descriptors, from linear and two-level tables, and checks them; one request at
// a time, while translation goes on with what is cached.
//
// A request (req_valid/req_ready) wants the entry of a stream, or with req_for_cd the descriptor with an index of a
// stream whose entry is known. It ends with done_valid until done_ready: done_fault.kind is zero where the structure was
// had, and then ste_fill or cd_fill was high for one clock before, unless an invalidation reached the stream meanwhile.
// Structures that are ILLEGAL are filled too, with `broken` set; those that could not be fetched are not.
// Reads of 8 and 64 bytes go out by rd_valid/rd_ready; the answer's beats come in order. Context descriptors of nested
// streams are found by stage 2, which the walker does for walk_valid/walk_ready and answers by walk_done.
// Sections "Configuration and Translation lookup", "STE", "CD", "Address sizes of SMMU-originated accesses".
module smmu_config_fetch #(
    parameter int SID_BITS = 16,
    parameter int SSID_BITS = 20,
    parameter int OAS_CODE = 5,
    parameter int TTENDIAN = 0
) (
    input  logic                     clk,
    input  logic                     rst_n,
    input  smmu_pkg::regs_t          regs,
    input  logic                     req_valid,
    output logic                     req_ready,
    input  logic                     req_for_cd,
    input  logic [31:0]              req_sid,
    input  logic [19:0]              req_index,
    input  smmu_pkg::ste_t           req_ste,
    input  logic [1:0]               req_world,
    output logic                     rd_valid,
    input  logic                     rd_ready,
    output logic [51:0]              rd_addr,
    output logic [3:0]               rd_beats,
    output smmu_pkg::attr_t          rd_attr,
    input  logic                     rsp_valid,
    input  logic [63:0]              rsp_data,
    input  logic                     rsp_last,
    input  logic                     rsp_err,
    output logic                     walk_valid,
    input  logic                     walk_ready,
    output smmu_pkg::walk_t          walk,
    input  logic                     walk_done,
    input  logic [47:0]              walk_address,
    input  smmu_pkg::entry_t         walk_entry,
    input  smmu_pkg::fault_t         walk_fault,
    output logic                     ste_fill,
    output smmu_pkg::ste_t           ste,
    output logic                     cd_fill,
    output smmu_pkg::cd_t            cd,
    output logic [31:0]              fill_sid,
    output logic [19:0]              fill_index,
    output logic                     done_valid,
    input  logic                     done_ready,
    output smmu_pkg::fault_t         done_fault,
    input  logic                     inv_busy,
    input  smmu_pkg::inv_t           inv,
    output logic                     busy
);

  localparam logic [3:0] F_IDLE = 4'd0;
  localparam logic [3:0] F_STREAM = 4'd1;     // is there such a stream, and where
  localparam logic [3:0] F_SPAN = 4'd2;       // level 1 stream table descriptor is here
  localparam logic [3:0] F_STE = 4'd3;        // stream table entry is here
  localparam logic [3:0] F_CONTEXT = 4'd4;    // where is the context descriptor
  localparam logic [3:0] F_POINTER = 4'd5;    // level 1 context descriptor is here
  localparam logic [3:0] F_CD = 4'd6;         // context descriptor is here
  localparam logic [3:0] F_WALK = 4'd7;       // stage 2 of `address`
  localparam logic [3:0] F_WALKING = 4'd8;
  localparam logic [3:0] F_READ = 4'd9;
  localparam logic [3:0] F_READING = 4'd10;
  localparam logic [3:0] F_DONE = 4'd11;

  localparam logic [5:0] OAS_BITS = smmu_pkg::size_bits(3'(OAS_CODE));

  logic [3:0]       state;
  logic [3:0]       then_state;   // once a read is through
  logic [31:0]      sid;
  logic [19:0]      index;
  smmu_pkg::ste_t   q_ste;
  logic [1:0]       world;
  logic [63:0]      address;
  logic [3:0]       beats;
  smmu_pkg::attr_t  attr;
  logic [2:0]       beat;
  logic             failed;
  logic             tainted;      // an invalidation reached the stream since
  logic [63:0]      word0;
  logic [63:0]      word1;
  logic [63:0]      word2;
  logic [63:0]      word3;
  smmu_pkg::fault_t fault;

  logic             unused;

  assign unused = ^{regs, inv, walk_entry, q_ste, address, word1, word2};
  assign busy = state != F_IDLE;
  assign req_ready = state == F_IDLE;

  function automatic logic over(input logic [63:0] value);
    over = (value >> OAS_BITS) != 64'd0;
  endfunction

  function automatic logic [2:0] size_code(input logic [2:0] code);
    size_code = code > 3'(OAS_CODE) ? 3'(OAS_CODE) : code;
  endfunction

  // TG0 and S2TG; 3 is reserved.
  function automatic logic [1:0] granule0(input logic [1:0] code);
    granule0 = code == 2'd1 ? smmu_pkg::TG_64K : code == 2'd2 ? smmu_pkg::TG_16K : smmu_pkg::TG_4K;
  endfunction

  // TG1; 0 is reserved.
  function automatic logic [1:0] granule1(input logic [1:0] code);
    granule1 = code == 2'd1 ? smmu_pkg::TG_16K : code == 2'd3 ? smmu_pkg::TG_64K : smmu_pkg::TG_4K;
  endfunction

  // ---- The stream table.
  logic [5:0]  stream_bits;
  logic        stream_bad;
  logic        two_level;
  logic [5:0]  split;
  logic [5:0]  level1_log2;
  logic [63:0] stream_address;
  logic [5:0]  span;
  logic        span_bad;
  logic [63:0] span_address;
  logic [63:0] low_sid;

  always_comb begin
    two_level = regs.strtab_fmt == 2'd1;
    split = 6'd6;
    stream_bits = 6'd0;
    low_sid = 64'd0;
    if (state == F_STREAM || state == F_SPAN) begin
      split = regs.strtab_split == 5'd8 ? 6'd8 : regs.strtab_split == 5'd10 ? 6'd10 : 6'd6;
      stream_bits = regs.strtab_log2size < 6'(SID_BITS) ? regs.strtab_log2size : 6'(SID_BITS);
      low_sid = {32'd0, sid} & smmu_pkg::low_ones(split);
    end
    stream_bad = 1'b0;
    level1_log2 = 6'd6;
    stream_address = 64'd0;
    span = {1'b0, word0[4:0]};
    span_bad = 1'b0;
    span_address = 64'd0;
    if (state == F_STREAM) begin
      stream_bad = ({32'd0, sid} >> stream_bits) != 64'd0;
      if (two_level) begin
        if (regs.strtab_log2size > split && regs.strtab_log2size - split > 6'd3)
          level1_log2 = regs.strtab_log2size - split + 6'd3;
        stream_address = ({12'd0, regs.strtab_base} & ~smmu_pkg::low_ones(level1_log2)) +
                         (({32'd0, sid} >> split) << 3);
      end else begin
        level1_log2 = regs.strtab_log2size > 6'd57 ? 6'd63 : regs.strtab_log2size + 6'd6;
        stream_address = ({12'd0, regs.strtab_base} & ~smmu_pkg::low_ones(level1_log2)) + {26'd0, sid, 6'd0};
      end
    end
    if (state == F_SPAN) begin
      span_bad = span == 6'd0 || span > 6'd11 || span > split + 6'd1 || (low_sid >> (span - 6'd1)) != 64'd0;
      span_address = ({12'd0, word0[51:6], 6'd0} & ~smmu_pkg::low_ones(span + 6'd5)) + (low_sid << 6);
    end
  end

  // ---- What makes a stream table entry ILLEGAL; section "STE".
  logic       s1;
  logic       s2;
  logic [1:0] s2tg;
  logic [2:0] s2ps;
  logic [1:0] s2sl0;
  logic [5:0] t0sz;
  logic [5:0] in_bits2;
  logic [1:0] start2;
  logic [5:0] shift2;
  logic       ste_broken;

  always_comb begin
    s1 = 1'b0;
    s2 = 1'b0;
    s2tg = 2'd0;
    s2ps = 3'd0;
    s2sl0 = 2'd0;
    t0sz = 6'd0;
    in_bits2 = 6'd0;
    start2 = 2'd0;
    shift2 = 6'd0;
    ste_broken = 1'b0;
    if (state == F_STE) begin
      s1 = word0[3] && word0[1];
      s2 = word0[3] && word0[2];
      s2tg = granule0(word2[47:46]);
      s2ps = size_code(word2[50:48]);
      s2sl0 = word2[39:38];
      t0sz = word2[37:32];
      in_bits2 = 6'd0 - t0sz;
      start2 = s2tg == smmu_pkg::TG_4K ? (s2sl0 == 2'd3 ? 2'd3 : 2'd2 - s2sl0) : 2'd3 - s2sl0;
      shift2 = smmu_pkg::level_shift(s2tg, start2);
      ste_broken = !word0[0];
      if (word0[3]) begin
        if (!s2 && s1 && word1[30]) ste_broken = 1'b1;                    // STRW
        if (s1) begin
          if (word1[27]) ste_broken = 1'b1;                               // S1STALLD: no stalls to disable
          if (SSID_BITS != 0 && word0[63:59] > 5'(SSID_BITS)) ste_broken = 1'b1;
          if (over({12'd0, word0[51:6], 6'd0})) ste_broken = 1'b1;        // S1ContextPtr
        end
        if (s2) begin
          if (word2[57]) ste_broken = 1'b1;                               // S2S
          if (!word2[51]) ste_broken = 1'b1;                              // S2AA64
          if (word2[56] || word2[55]) ste_broken = 1'b1;                  // S2HA, S2HD
          if (TTENDIAN == 2 ? word2[52] : TTENDIAN == 3 && !word2[52]) ste_broken = 1'b1;   // S2ENDI
          if (word2[47:46] == 2'd3) ste_broken = 1'b1;                    // S2TG
          if (({12'd0, word3[51:4], 4'd0} >> smmu_pkg::size_bits(s2ps)) != 64'd0) ste_broken = 1'b1;   // S2TTB
          // S2T0SZ
          if (t0sz > (s2tg == smmu_pkg::TG_64K ? 6'd47 : 6'd48) || t0sz < 6'd0 - OAS_BITS) ste_broken = 1'b1;
          // S2SL0: the first table must be there and resolve the input, with at most 16 tables side by side.
          if (s2sl0 == 2'd3 && s2tg != smmu_pkg::TG_4K) ste_broken = 1'b1;
          if (s2sl0 == 2'd2 && OAS_BITS < (s2tg == smmu_pkg::TG_16K ? 6'd42 : 6'd44)) ste_broken = 1'b1;
          if (in_bits2 <= shift2 || in_bits2 > shift2 + {2'd0, smmu_pkg::stride(s2tg)} + 6'd4) ste_broken = 1'b1;
        end
      end
    end
  end

  always_comb begin
    ste = {$bits(ste) {1'b0}};
    if (state == F_STE) begin
      ste.broken = ste_broken;
      ste.cfg = word0[3:1];
      ste.s1fmt = word0[5:4];
      ste.ctxptr = word0[47:6];
      ste.cdmax = word0[63:59];
      ste.s1dss = word1[1:0];
      ste.cattr = smmu_pkg::attr_of_table(word1[3:2], word1[5:4], word1[7:6]);
      ste.strw = word1[31:30];
      ste.over = {word1[45:44], word1[40:37], word1[36], word1[35:32]};
      ste.privcfg = word1[49:48];
      ste.instcfg = word1[51:50];
      ste.s2r = word2[58];
      ste.s2.vmid = word2[15:0];
      ste.s2.ttb = word3[47:4];
      ste.s2.t0sz = t0sz;
      ste.s2.sl0 = s2sl0;
      ste.s2.tg = s2tg;
      ste.s2.ps = s2ps;
      ste.s2.walk = smmu_pkg::attr_of_table(word2[41:40], word2[43:42], word2[45:44]);
      ste.s2.endi = word2[52];
      ste.s2.affd = word2[53];
      ste.s2.ptw = word2[54];
      ste.s2.fwb = word1[25];
    end
  end

  // ---- The table of context descriptors.
  logic        cd_linear;
  logic [5:0]  cd_split;
  logic [5:0]  cd_log2;
  logic [5:0]  cd_align;
  logic [63:0] cd_base;
  logic [63:0] cd_address;
  logic [63:0] low_index;
  logic [63:0] table_address;
  logic        pointer_bad;
  logic [63:0] pointed_address;

  always_comb begin
    cd_log2 = 6'd0;
    cd_linear = 1'b0;
    cd_split = 6'd0;
    cd_base = 64'd0;
    low_index = 64'd0;
    cd_align = 6'd0;
    cd_address = 64'd0;
    table_address = 64'd0;
    pointer_bad = 1'b0;
    pointed_address = 64'd0;
    if (state == F_CONTEXT || state == F_POINTER) begin
      cd_log2 = SSID_BITS == 0 ? 6'd0 : {1'b0, q_ste.cdmax};
      cd_linear = cd_log2 == 6'd0 || q_ste.s1fmt == 2'd0 || q_ste.s1fmt == 2'd3;
      cd_split = q_ste.s1fmt == 2'd1 ? 6'd6 : 6'd10;
      cd_base = {16'd0, q_ste.ctxptr, 6'd0};
      low_index = {44'd0, index} & smmu_pkg::low_ones(cd_split);
      cd_align = cd_linear ? cd_log2 + 6'd6
                 : cd_log2 > cd_split && cd_log2 - cd_split > 6'd3 ? cd_log2 - cd_split + 6'd3 : 6'd6;
      cd_address = (cd_base & ~smmu_pkg::low_ones(cd_align)) +
                   (cd_linear ? {38'd0, index, 6'd0} : ({44'd0, index} >> cd_split) << 3);
      table_address = {12'd0, word0[51:12], 12'd0} & ~smmu_pkg::low_ones(cd_split + 6'd6);
      pointer_bad = !word0[0] || over(table_address);
      pointed_address = table_address + (low_index << 6);
    end
  end

  // ---- What makes a context descriptor ILLEGAL; section "CD".
  logic       two_halves;
  logic       used0;
  logic       used1;
  logic [1:0] tg0;
  logic [1:0] tg1;
  logic [2:0] ips;
  logic       cd_broken;

  always_comb begin
    two_halves = 1'b0;
    used0 = 1'b0;
    used1 = 1'b0;
    tg0 = 2'd0;
    tg1 = 2'd0;
    ips = 3'd0;
    cd_broken = 1'b0;
    if (state == F_CD) begin
      two_halves = world != smmu_pkg::WORLD_EL2;
      used0 = !(two_halves && word0[14]);
      used1 = two_halves && !word0[30];
      tg0 = granule0(word0[7:6]);
      tg1 = granule1(word0[23:22]);
      ips = size_code(word0[34:32]);
      cd_broken = !word0[31];
      if (word0[44]) cd_broken = 1'b1;                 // S: there is no stall
      if (!word0[41]) cd_broken = 1'b1;                // AA64
      if (word0[42] || word0[43]) cd_broken = 1'b1;    // HD, HA
      if ((used0 || used1) && (TTENDIAN == 2 ? word0[15] : TTENDIAN == 3 && !word0[15])) cd_broken = 1'b1;   // ENDI
      if (used0) begin
        if (word0[5:0] < 6'd16 || word0[5:0] > (word0[6] ? 6'd47 : 6'd48)) cd_broken = 1'b1;
        if (word0[7:6] == 2'd3) cd_broken = 1'b1;
        if (({12'd0, word1[51:4], 4'd0} >> smmu_pkg::size_bits(ips)) != 64'd0) cd_broken = 1'b1;
      end
      if (used1) begin
        if (word0[21:16] < 6'd16 || word0[21:16] > (tg1 == smmu_pkg::TG_64K ? 6'd47 : 6'd48)) cd_broken = 1'b1;
        if (word0[23:22] == 2'd0) cd_broken = 1'b1;
        if (({12'd0, word2[51:4], 4'd0} >> smmu_pkg::size_bits(ips)) != 64'd0) cd_broken = 1'b1;
      end
    end
  end

  always_comb begin
    cd = {$bits(cd) {1'b0}};
    if (state == F_CD) begin
      cd.broken = cd_broken;
      cd.half0 = {word1[47:4], word0[5:0], tg0, smmu_pkg::attr_of_table(word0[9:8], word0[11:10], word0[13:12]),
                  two_halves && word0[14], word1[1], word0[38]};
      cd.half1 = {word2[47:4], word0[21:16], tg1, smmu_pkg::attr_of_table(word0[25:24], word0[27:26], word0[29:28]),
                  word0[30], word2[1], word0[39]};
      cd.endi = word0[15];
      cd.ips = ips;
      cd.affd = word0[35];
      cd.wxn = word0[36];
      cd.pan = two_halves && word0[40];
      cd.r = word0[45];
      cd.a = word0[46];
      cd.aset = word0[47];
      cd.asid = two_halves ? word0[63:48] : 16'd0;
      cd.mair = word3;
    end
  end

  // ---- Requests to the walker: the address is read by the SMMU itself, privileged.
  always_comb begin
    walk = {$bits(walk) {1'b0}};
    if (state == F_WALK) begin
      walk.for_config = 1'b1;
      walk.stage2 = 1'b1;
      walk.need_r = 1'b1;
      walk.need_priv = 1'b1;
      walk.va = {1'b0, address[47:0]};
      walk.tag.vmid = q_ste.s2.vmid;
      walk.s2 = q_ste.s2;
    end
  end

  assign walk_valid = state == F_WALK;
  assign rd_valid = state == F_READ;
  assign rd_addr = address[51:0];
  assign rd_beats = beats;
  assign rd_attr = attr;
  assign fill_sid = sid;
  assign fill_index = index;
  assign ste_fill = state == F_STE && !failed && !tainted && !inv_busy;
  assign cd_fill = state == F_CD && !failed && !tainted && !inv_busy;
  assign done_valid = state == F_DONE;
  assign done_fault = fault;

  // ---- The sequence.
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state <= F_IDLE;
      then_state <= F_IDLE;
      tainted <= 1'b0;
      failed <= 1'b0;
      beat <= 3'd0;
      beats <= 4'd0;
    end else begin
      if (inv_busy && (inv.kind == smmu_pkg::INV_STE ? sid >= inv.sid_first && sid <= inv.sid_last
                       : inv.kind != smmu_pkg::INV_TLB && sid == inv.sid_first))
        tainted <= 1'b1;
      case (state)
        F_IDLE: begin
          sid <= req_sid;
          index <= req_index;
          q_ste <= req_ste;
          world <= req_world;
          fault <= {$bits(fault) {1'b0}};
          if (req_valid) begin
            state <= req_for_cd ? F_CONTEXT : F_STREAM;
            tainted <= inv_busy;
          end
        end

        F_STREAM: begin
          address <= stream_address;
          attr <= smmu_pkg::attr_of_register(regs.table_ic, regs.table_oc, regs.table_sh);
          beats <= two_level ? 4'd1 : 4'd8;
          then_state <= two_level ? F_SPAN : F_STE;
          state <= F_READ;
          if (stream_bad) begin
            fault.kind <= smmu_pkg::C_BAD_STREAMID;
            state <= F_DONE;
          end else if (over(stream_address)) begin
            fault.kind <= smmu_pkg::F_STE_FETCH;
            fault.fetch <= stream_address[47:0] & smmu_pkg::low48(OAS_BITS);
            state <= F_DONE;
          end
        end

        F_SPAN: begin
          address <= span_address;
          beats <= 4'd8;
          then_state <= F_STE;
          state <= F_READ;
          if (failed || (!span_bad && over(span_address))) begin
            fault.kind <= smmu_pkg::F_STE_FETCH;
            fault.fetch <= failed ? address[47:0] : span_address[47:0] & smmu_pkg::low48(OAS_BITS);
            state <= F_DONE;
          end else if (span_bad) begin
            fault.kind <= smmu_pkg::C_BAD_STREAMID;
            state <= F_DONE;
          end
        end

        F_STE: begin
          if (failed) begin
            fault.kind <= smmu_pkg::F_STE_FETCH;
            fault.fetch <= address[47:0];
          end
          state <= F_DONE;
        end

        F_CONTEXT: begin
          address <= cd_address;
          attr <= q_ste.cattr;
          beats <= cd_linear ? 4'd8 : 4'd1;
          then_state <= cd_linear ? F_CD : F_POINTER;
          state <= q_ste.cfg[1] ? F_WALK : F_READ;
        end

        F_POINTER: begin
          address <= pointed_address;
          attr <= q_ste.cattr;
          beats <= 4'd8;
          then_state <= F_CD;
          state <= q_ste.cfg[1] ? F_WALK : F_READ;
          if (failed) begin
            fault.kind <= smmu_pkg::F_CD_FETCH;
            fault.fetch <= address[47:0];
            state <= F_DONE;
          end else if (pointer_bad) begin
            fault.kind <= smmu_pkg::C_BAD_SUBSTREAMID;
            state <= F_DONE;
          end
        end

        F_CD: begin
          if (failed) begin
            fault.kind <= smmu_pkg::F_CD_FETCH;
            fault.fetch <= address[47:0];
          end
          state <= F_DONE;
        end

        F_WALK: if (walk_ready) state <= F_WALKING;

        F_WALKING: begin
          if (walk_done) begin
            address <= {16'd0, walk_address};
            attr <= smmu_pkg::attr_stage2(attr, q_ste.s2.fwb, walk_entry.memattr2, walk_entry.sh2);
            state <= F_READ;
            if (walk_fault.kind != smmu_pkg::EVT_NONE) begin
              fault <= walk_fault;
              state <= F_DONE;
            end
          end
        end

        F_READ: begin
          beat <= 3'd0;
          failed <= 1'b0;
          if (rd_ready) state <= F_READING;
        end

        F_READING: begin
          if (rsp_valid) begin
            beat <= beat + 3'd1;
            if (rsp_err) failed <= 1'b1;
            case (beat)
              3'd0: word0 <= rsp_data;
              3'd1: word1 <= rsp_data;
              3'd2: word2 <= rsp_data;
              3'd3: word3 <= rsp_data;
              default: ;
            endcase
            if (rsp_last) state <= then_state;
          end
        end

        default: if (done_ready) state <= F_IDLE;  // F_DONE
      endcase
    end
  end

endmodule
