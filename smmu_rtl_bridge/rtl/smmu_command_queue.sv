// SPDX-License-Identifier: Apache-2.0

// Fetches commands from the command queue in memory and carries them out in order.
//
// Fetching runs ahead: bursts of one, two or four commands that stay inside an aligned 64 bytes and inside what software
// has handed over, into a buffer of eight. CMDQ_CONS counts commands that are over. What was fetched ahead is dropped, and
// fetched again, whenever the queue stops: when it is switched off, on an error, or when the indices make no sense.
//
// A command takes two clocks and what its handshake takes: inv_ready for an invalidation, sync_ready for CMD_SYNC, which
// then also waits for the event record that is on its way. The signal of a CMD_SYNC follows its index. CMD_PREFETCH_* are
// hints that this SMMU does not follow.
//
// An illegal command, or one that could not be read, is not consumed: CMDQ_CONS.ERR and GERROR.CMDQ_ERR are set in one
// clock. Reserved fields are ignored.
// Sections "Command queue", "Commands", "Command queue errors", "CMD_SYNC".
module smmu_command_queue #(
    parameter int QUEUE_LOG2_MAX = 19,
    parameter int HYP = 1
) (
    input logic clk,
    input logic rst_n,

    // Registers. `enable` is CR0ACK's bit; with `halt` software wants it cleared, and `busy` holds that up.
    input  logic        enable,
    input  logic        halt,
    input  logic        error,  // GERROR.CMDQ_ERR is active
    input  logic [51:0] base,   // CMDQ_BASE.ADDR in its place
    input  logic [4:0]  log2size,
    input  logic [19:0] prod,
    input  logic [19:0] cons,
    output logic        cons_set,
    output logic [19:0] cons_next,
    output logic [6:0]  err_next,
    input  logic        e2h,
    input  logic [2:0]  vmw,
    input  logic [9:0]  attr,

    output logic                         rd_valid,
    input  logic                         rd_ready,
    output logic [smmu_pkg::PA_BITS-1:0] rd_addr,
    output logic [3:0]                   rd_beats,
    output logic [9:0]                   rd_attr,
    input  logic                         rsp_valid,
    input  logic [63:0]                  rsp_data,
    input  logic                         rsp_last,
    input  logic                         rsp_err,

    output logic           inv_valid,
    input  logic           inv_ready,
    output smmu_pkg::inv_t inv,

    output logic sync_valid,
    input  logic sync_ready,
    input  logic evt_busy,     // a record is being written
    input  logic evt_written,  // it is over

    // The signal of a CMD_SYNC that asks for an interrupt.
    output logic        msi_valid,
    input  logic        msi_ready,
    output logic [51:0] msi_addr,
    output logic [31:0] msi_data,
    output logic [5:0]  msi_cfg2,
    output logic        sev,  // one clock: wake processors that wait for events

    output logic busy,
    output logic idle
);

  localparam logic [4:0] MAX = 5'(QUEUE_LOG2_MAX);
  localparam logic [6:0] CERROR_NONE = 7'd0;
  localparam logic [6:0] CERROR_ILL = 7'd1;
  localparam logic [6:0] CERROR_ABT = 7'd2;

  localparam logic [7:0] CMD_PREFETCH_CONFIG = 8'h01;
  localparam logic [7:0] CMD_PREFETCH_ADDR = 8'h02;
  localparam logic [7:0] CMD_CFGI_STE = 8'h03;
  localparam logic [7:0] CMD_CFGI_STE_RANGE = 8'h04;
  localparam logic [7:0] CMD_CFGI_CD = 8'h05;
  localparam logic [7:0] CMD_CFGI_CD_ALL = 8'h06;
  localparam logic [7:0] CMD_TLBI_NH_ALL = 8'h10;
  localparam logic [7:0] CMD_TLBI_NH_ASID = 8'h11;
  localparam logic [7:0] CMD_TLBI_NH_VA = 8'h12;
  localparam logic [7:0] CMD_TLBI_NH_VAA = 8'h13;
  localparam logic [7:0] CMD_TLBI_EL2_ALL = 8'h20;
  localparam logic [7:0] CMD_TLBI_EL2_ASID = 8'h21;
  localparam logic [7:0] CMD_TLBI_EL2_VA = 8'h22;
  localparam logic [7:0] CMD_TLBI_EL2_VAA = 8'h23;
  localparam logic [7:0] CMD_TLBI_S12_VMALL = 8'h28;
  localparam logic [7:0] CMD_TLBI_S2_IPA = 8'h2a;
  localparam logic [7:0] CMD_TLBI_NSNH_ALL = 8'h30;
  localparam logic [7:0] CMD_SYNC = 8'h46;

  localparam logic [2:0] IDLE = 3'd0;
  localparam logic [2:0] DECODE = 3'd1;
  localparam logic [2:0] INVALIDATE = 3'd2;
  localparam logic [2:0] SYNC = 3'd3;
  localparam logic [2:0] DRAIN = 3'd4;
  localparam logic [2:0] SIGNAL = 3'd5;

  // ---- The queue.
  logic [4:0]  log2;
  logic [20:0] size;
  logic [19:0] mask;  // of indices, wrap bit included
  logic [19:0] used;
  logic        run;
  logic        holding;  // a command has left the buffer and is not over
  logic [2:0]  state;

  assign log2 = log2size > MAX ? MAX : log2size;
  assign size = 21'd1 << log2;
  assign mask = {size[18:0], 1'b0} - 20'd1;
  assign used = (prod - cons) & mask;
  // Indices further apart than the queue is long: nothing is consumed.
  assign run = enable && !halt && !error && {1'b0, used} <= size;
  assign holding = state != IDLE && state != SIGNAL;

  // ---- The buffer: commands that come next, the first one at `head`. The bit above a command's is a bus error.
  logic [128:0] buffer [0:7];
  logic [128:0] first;
  logic [2:0]   head;
  logic [3:0]   count;
  logic         take;
  logic         put;
  logic         flush;

  // ---- Fetching, one burst at a time.
  logic         fetching;
  logic         discard;
  logic         odd;  // the second word of a command comes next
  logic [63:0]  low;
  logic         low_err;
  logic [2:0]   coming;  // commands of the burst that are not in the buffer yet
  logic [19:0]  next_index;
  logic [19:0]  ahead;
  logic [2:0]   burst;
  logic         ask;
  logic [51:0]  below;

  assign next_index = (cons + {19'd0, holding} + {16'd0, count}) & mask;
  assign ahead = used - {19'd0, holding} - {16'd0, count};
  assign flush = !run || used < {19'd0, holding} + {16'd0, count} + {17'd0, coming};
  assign burst = next_index[1:0] == 2'd0 && ahead >= 20'd4 && log2 >= 5'd2 ? 3'd4
                 : !next_index[0] && ahead >= 20'd2 && log2 >= 5'd1        ? 3'd2
                                                                           : 3'd1;
  assign ask = !fetching && !flush && ahead != 20'd0 && count <= 4'd4;
  // Queues lie at multiples of their size, and of 32 bytes at least.
  assign below = {27'd0, size, 4'd0} - 52'd1;
  assign rd_attr = attr;
  assign put = rsp_valid && odd && !discard && !flush;
  assign first = buffer[head];
  assign take = state == IDLE && !flush && count != 4'd0;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      rd_valid <= 1'b0;
      fetching <= 1'b0;
      discard <= 1'b0;
      odd <= 1'b0;
      coming <= 3'd0;
      head <= 3'd0;
      count <= 4'd0;
    end else begin
      if (ask) begin
        rd_valid <= 1'b1;
        fetching <= 1'b1;
        coming <= burst;
      end else begin
        if (rd_valid && rd_ready) rd_valid <= 1'b0;
        if (rsp_valid && rsp_last) fetching <= 1'b0;
        if (flush) coming <= 3'd0;
        else if (put) coming <= coming - 3'd1;
      end
      if (rsp_valid && rsp_last) discard <= 1'b0;
      else if (flush && fetching) discard <= 1'b1;
      if (rsp_valid) odd <= !odd;
      if (take) head <= head + 3'd1;
      if (flush) count <= 4'd0;
      else count <= count + {3'd0, put} - {3'd0, take};
    end
  end

  always_ff @(posedge clk) begin
    if (ask) begin
      rd_addr <= (base & ~(below | 52'h1f)) | ({28'd0, next_index, 4'd0} & below);
      rd_beats <= {burst, 1'b0};
    end
    if (rsp_valid) begin
      low <= rsp_data;
      low_err <= rsp_err;
    end
    if (put) buffer[head + count[2:0]] <= {rsp_err || low_err, rsp_data, low};
  end

  // ---- What a command says.
  logic [63:0] w0;
  logic [63:0] w1;
  logic        unread;
  logic [7:0]  op;
  logic        legal;
  logic        is_sync;
  logic        invalidates;
  logic        secure;       // SSec
  logic        empty_range;  // a granule without level and range, which is reserved
  logic [1:0]  tg;
  logic [1:0]  ttl;
  logic [5:0]  pages_log2;
  logic [52:0] pages;
  logic [51:0] first_page;
  logic [52:0] last_page;
  logic [31:0] stream_range;

  assign op = w0[7:0];
  assign secure = w0[10];
  assign tg = w1[11:10];
  // 16 KiB tables have no leaves at level 1.
  assign ttl = tg == 2'd0 || (tg == 2'd2 && w1[9:8] == 2'd1) ? 2'd0 : w1[9:8];
  assign empty_range = tg != 2'd0 && ttl == 2'd0 && w0[16:12] == 5'd0 && w0[24:20] == 5'd0;
  assign is_sync = op == CMD_SYNC;

  always_comb begin
    invalidates = 1'b1;
    unique case (op)
      CMD_PREFETCH_CONFIG, CMD_PREFETCH_ADDR: begin
        legal = !secure;
        invalidates = 1'b0;
      end
      CMD_CFGI_STE, CMD_CFGI_STE_RANGE, CMD_CFGI_CD, CMD_CFGI_CD_ALL: legal = !secure;
      CMD_TLBI_NH_ALL, CMD_TLBI_NH_ASID, CMD_TLBI_S12_VMALL, CMD_TLBI_NSNH_ALL: legal = 1'b1;
      CMD_TLBI_NH_VA, CMD_TLBI_NH_VAA, CMD_TLBI_S2_IPA: legal = !empty_range;
      CMD_TLBI_EL2_ALL, CMD_TLBI_EL2_ASID: legal = HYP != 0;
      CMD_TLBI_EL2_VA, CMD_TLBI_EL2_VAA: legal = HYP != 0 && !empty_range;
      CMD_SYNC: begin
        legal = w0[13:12] != 2'd3;
        invalidates = 1'b0;
      end
      default: begin
        legal = 1'b0;
        invalidates = 1'b0;
      end
    endcase
  end

  // ---- The scope of an invalidation, in pages of 4 KiB. A range that runs over the top ends there.
  assign first_page = op == CMD_TLBI_S2_IPA ? {12'd0, w1[51:12]} : w1[63:12];
  assign pages_log2 = {1'b0, w0[24:20]} + (tg == 2'd2 ? 6'd2 : tg == 2'd3 ? 6'd4 : 6'd0);
  assign pages = tg == 2'd0 ? 53'd1 : ({48'd0, w0[16:12]} + 53'd1) << pages_log2;
  assign last_page = {1'b0, first_page} + pages - 53'd1;
  assign stream_range = ~(32'hffff_fffe << w1[4:0]);

  logic of_el1;
  logic by_address;

  assign of_el1 = op == CMD_TLBI_NH_ALL || op == CMD_TLBI_NH_ASID || op == CMD_TLBI_NH_VA || op == CMD_TLBI_NH_VAA ||
                  op == CMD_TLBI_S12_VMALL || op == CMD_TLBI_S2_IPA || op == CMD_TLBI_NSNH_ALL;
  assign by_address = op == CMD_TLBI_NH_VA || op == CMD_TLBI_NH_VAA || op == CMD_TLBI_S2_IPA ||
                      op == CMD_TLBI_EL2_VA || op == CMD_TLBI_EL2_VAA;

  always_ff @(posedge clk) begin
    if (state == DECODE) begin
      inv.kind <= op == CMD_CFGI_STE || op == CMD_CFGI_STE_RANGE ? smmu_pkg::INV_STE
                  : op == CMD_CFGI_CD                            ? smmu_pkg::INV_CD
                  : op == CMD_CFGI_CD_ALL                        ? smmu_pkg::INV_CD_ALL
                                                                 : smmu_pkg::INV_TLB;
      inv.sid_first <= op == CMD_CFGI_STE_RANGE ? w0[63:32] & ~stream_range : w0[63:32];
      inv.sid_last <= op == CMD_CFGI_STE_RANGE ? w0[63:32] | stream_range : w0[63:32];
      inv.ssid <= w0[31:12];
      inv.worlds[smmu_pkg::WORLD_EL1] <= of_el1;
      inv.worlds[smmu_pkg::WORLD_EL2] <=
          op == CMD_TLBI_EL2_ALL || ((op == CMD_TLBI_EL2_VA || op == CMD_TLBI_EL2_VAA) && !e2h);
      inv.worlds[smmu_pkg::WORLD_EL2_E2H] <=
          op == CMD_TLBI_EL2_ALL || op == CMD_TLBI_EL2_ASID ||
          ((op == CMD_TLBI_EL2_VA || op == CMD_TLBI_EL2_VAA) && e2h);
      inv.virt <= op != CMD_TLBI_S2_IPA;
      inv.intermediate <= op == CMD_TLBI_S2_IPA || op == CMD_TLBI_S12_VMALL || op == CMD_TLBI_NSNH_ALL;
      inv.by_vmid <= of_el1 && op != CMD_TLBI_NSNH_ALL;
      inv.vmid <= w0[47:32];
      inv.vmid_ignored <= vmw <= 3'd4 ? ~(16'hffff << vmw) : 16'd0;
      inv.by_asid <= op == CMD_TLBI_NH_ASID || op == CMD_TLBI_NH_VA || op == CMD_TLBI_EL2_ASID ||
                     (op == CMD_TLBI_EL2_VA && e2h);
      inv.asid <= w0[63:48];
      inv.spare_global <= op == CMD_TLBI_NH_ASID || op == CMD_TLBI_EL2_ASID;
      inv.by_address <= by_address;
      inv.first <= {first_page, 12'd0};
      inv.last <= last_page[52] ? 64'hffff_ffff_ffff_ffff : {last_page[51:0], 12'hfff};
      inv.tg <= tg;
      inv.ttl <= ttl;
      inv.leaf <= w1[0];
    end
  end

  // ---- Carrying it out.
  logic over;    // the command is consumed
  logic broken;  // it stops the queue
  logic drained;

  assign drained = state == SYNC ? sync_ready && (!evt_busy || evt_written) : state == DRAIN && evt_written;
  assign broken = state == DECODE && (unread || !legal);
  assign over = (state == DECODE && !broken && !is_sync && !invalidates) || (state == INVALIDATE && inv_ready) || drained;

  assign inv_valid = state == INVALIDATE;
  assign sync_valid = state == SYNC;
  assign cons_set = over || broken;
  assign cons_next = broken ? cons : (cons + 20'd1) & mask;
  assign err_next = !broken ? CERROR_NONE : unread ? CERROR_ABT : CERROR_ILL;

  assign msi_valid = state == SIGNAL && w0[13:12] == 2'd1;
  assign msi_addr = {w1[51:2], 2'd0};
  assign msi_data = w0[63:32];
  assign msi_cfg2 = {w0[23:22], w0[27:24]};

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state <= IDLE;
      sev <= 1'b0;
    end else begin
      // A full queue has room again, or a CMD_SYNC asks for it.
      sev <= (over && {1'b0, used} == size) || (state == SIGNAL && w0[13:12] == 2'd2);
      unique case (state)
        IDLE: if (take) state <= DECODE;
        DECODE: state <= broken ? IDLE : is_sync ? SYNC : invalidates ? INVALIDATE : IDLE;
        INVALIDATE: if (inv_ready) state <= IDLE;
        SYNC: if (sync_ready) state <= !drained ? DRAIN : w0[13:12] == 2'd0 ? IDLE : SIGNAL;
        DRAIN: if (evt_written) state <= w0[13:12] == 2'd0 ? IDLE : SIGNAL;
        default: if (!msi_valid || msi_ready) state <= IDLE;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (take) begin
      unread <= first[128];
      w1 <= first[127:64];
      w0 <= first[63:0];
    end
  end

  assign busy = state != IDLE || fetching;
  assign idle = !busy && !sev && !(run && used != 20'd0);

  // Fields of commands that this SMMU does not need: SSV, and Global of ATC invalidations.
  logic unused;
  assign unused = &{1'b0, w0[11], w0[9:8]};

endmodule
