// SPDX-License-Identifier: Apache-2.0
//
// A little SMMUv3: stage 1 with 4 KiB pages, a linear stream table, one access at a time, no caches. It is the worked
// example of docs/bring-your-rtl.md: its pins have names, polarities and protocols of their own.
//
// - One clock, a reset that is active high.
// - Registers: `cfg_request` stays until `cfg_done`, which comes in the same cycle; words of 32 bits.
// - Clients: an AXI4 subordinate (`up_`) and manager (`down_`); what AXI calls USER lies beside the address.
// - Memory: `mem_request` with 1 to 8 words of 64 bits stays until `mem_finish`. Words of a read come with
//   `mem_word_valid`; those of a write are all there at once.
// - Interrupts: a line changes its level for each.
module little_smmu #(
    parameter SID_BITS = 6,
    parameter CMDQ_LOG2 = 8,
    parameter EVENTQ_LOG2 = 7
) (
    input  wire         clock,
    input  wire         reset,

    input  wire         cfg_request,
    input  wire         cfg_write,
    input  wire [17:0]  cfg_address,
    input  wire [31:0]  cfg_data,
    output wire         cfg_done,
    output reg  [31:0]  cfg_answer,

    input  wire         up_arvalid,
    output wire         up_arready,
    input  wire [7:0]   up_arid,
    input  wire [63:0]  up_araddr,
    input  wire [7:0]   up_arlen,
    input  wire [2:0]   up_arsize,
    input  wire         up_awvalid,
    output wire         up_awready,
    input  wire [7:0]   up_awid,
    input  wire [63:0]  up_awaddr,
    input  wire [7:0]   up_awlen,
    input  wire [2:0]   up_awsize,
    input  wire [31:0]  up_stream,      // of the channel that is valid; AR where both are
    input  wire         up_substream_valid,
    input  wire [19:0]  up_substream,
    input  wire         up_privileged,
    input  wire         up_instruction,
    input  wire         up_translated,
    input  wire [7:0]   up_type,
    input  wire [1:0]   up_share,
    input  wire [31:0]  up_aw_stream,
    input  wire         up_aw_substream_valid,
    input  wire [19:0]  up_aw_substream,
    input  wire         up_aw_privileged,
    input  wire         up_aw_translated,
    input  wire         up_aw_atomic,
    input  wire [7:0]   up_aw_type,
    input  wire [1:0]   up_aw_share,
    input  wire         up_wvalid,
    output wire         up_wready,
    input  wire [63:0]  up_wdata,
    input  wire [7:0]   up_wstrb,
    input  wire         up_wlast,
    output wire         up_rvalid,
    input  wire         up_rready,
    output wire [7:0]   up_rid,
    output wire [63:0]  up_rdata,
    output wire [1:0]   up_rresp,
    output wire         up_rlast,
    output wire         up_bvalid,
    input  wire         up_bready,
    output wire [7:0]   up_bid,
    output wire [1:0]   up_bresp,

    output wire         down_arvalid,
    input  wire         down_arready,
    output wire         down_awvalid,
    input  wire         down_awready,
    output wire [39:0]  down_address,   // of AR and AW
    output wire [7:0]   down_len,
    output wire [2:0]   down_size,
    output wire         down_privileged,
    output wire         down_instruction,
    output wire [7:0]   down_type,
    output wire [1:0]   down_share,
    output wire         down_wvalid,
    input  wire         down_wready,
    output wire [63:0]  down_wdata,
    output wire [7:0]   down_wstrb,
    output wire         down_wlast,
    input  wire         down_rvalid,
    output wire         down_rready,
    input  wire [63:0]  down_rdata,
    input  wire [1:0]   down_rresp,
    input  wire         down_rlast,
    input  wire         down_bvalid,
    output wire         down_bready,
    input  wire [1:0]   down_bresp,

    output wire         mem_request,
    output wire         mem_write,
    output wire [39:0]  mem_address,
    output wire [3:0]   mem_words,
    output wire [255:0] mem_data,
    output wire [7:0]   mem_type,
    output wire [1:0]   mem_share,
    input  wire         mem_word_valid,
    input  wire [63:0]  mem_word,
    input  wire         mem_finish,
    input  wire         mem_error,

    output reg          line_event,
    output reg          line_sync,
    output reg          line_error
);

  localparam [31:0] IDR0 = 32'h0540_001a;  // stage 1, AArch64 tables, coherent, little-endian, terminate with abort only
  localparam [31:0] IDR1 = (CMDQ_LOG2 << 21) | (EVENTQ_LOG2 << 16) | SID_BITS;
  localparam [31:0] IDR3 = 32'h0000_0004;  // hierarchical attributes can be disabled
  localparam [31:0] IDR5 = 32'h0000_0012;  // 40 bits out, pages of 4 KiB
  localparam [31:0] IIDR = 32'h0000_0001;
  localparam [31:0] GBPA_SHARE = 32'h0000_1000;

  // ---- what a fault is called
  localparam [7:0] BAD_STREAMID = 8'h02, STE_FETCH = 8'h03, BAD_STE = 8'h04, FORBIDDEN = 8'h07, BAD_SUBSTREAM = 8'h08,
      CD_FETCH = 8'h09, BAD_CD = 8'h0a, WALK_ABORT = 8'h0b, TRANSLATION = 8'h10, ADDRESS_SIZE = 8'h11, ACCESS = 8'h12,
      PERMISSION = 8'h13;

  localparam [3:0] IDLE = 0, LOOK = 1, READ_STE = 2, USE_STE = 3, READ_CD = 4, USE_CD = 5, READ_ENTRY = 6, USE_ENTRY = 7,
      PASS = 9, RECORD = 10, WRITE_EVENT = 11, REFUSE = 12, READ_COMMAND = 13, DO_COMMAND = 14;
  reg [3:0] state;

  // ---- registers
  reg [3:0]  cr0, cr0_ack;  // SMMUEN 0, EVENTQEN 2, CMDQEN 3
  reg [11:0] cr1;
  reg        record_bad_streams;
  reg        bypass_aborts;
  reg [2:0]  irq_enable;
  reg        error_command, error_event, seen_command, seen_event;
  reg        strtab_ra, cmdq_ra, eventq_wa;
  reg [39:0] strtab_base, cmdq_base, eventq_base;
  reg [5:0]  strtab_log2;
  reg [4:0]  cmdq_log2, eventq_log2;
  reg [19:0] cmdq_prod, cmdq_cons, eventq_prod, eventq_cons;
  reg [6:0]  cmdq_error;
  reg        eventq_overflow, eventq_overflow_seen;
  reg [8:0]  gerror_kept;  // GERRORN bits of errors that never happen here

  wire [3:0] cr0_off = ~(cr0 | cr0_ack);
  wire [3:0] cr0_free = ~(cr0 ^ cr0_ack);  // a bit on its way keeps its value
  wire       cmdq_stopped = error_command != seen_command;
  wire       eventq_stopped = error_event != seen_event;

  // ---- queues
  wire [4:0]  cmdq_bits = cmdq_log2 > CMDQ_LOG2 ? CMDQ_LOG2 : cmdq_log2;
  wire [4:0]  eventq_bits = eventq_log2 > EVENTQ_LOG2 ? EVENTQ_LOG2 : eventq_log2;
  wire [19:0] cmdq_mask = (20'd2 << cmdq_bits) - 20'd1;
  wire [19:0] eventq_mask = (20'd2 << eventq_bits) - 20'd1;
  wire [19:0] cmdq_used = (cmdq_prod - cmdq_cons) & cmdq_mask;
  wire [19:0] eventq_used = (eventq_prod - eventq_cons) & eventq_mask;
  wire        cmdq_waits = cr0_ack[3] && !cmdq_stopped && cmdq_used != 0 && cmdq_used <= (20'd1 << cmdq_bits);
  wire        eventq_full = eventq_used >= (20'd1 << eventq_bits);
  wire [39:0] cmdq_align = cmdq_bits == 0 ? 40'h1f : (40'd16 << cmdq_bits) - 40'd1;
  wire [39:0] eventq_align = (40'd32 << eventq_bits) - 40'd1;
  wire [39:0] command_place = (cmdq_base & ~cmdq_align) | ({20'd0, cmdq_cons & (cmdq_mask >> 1)} << 4);
  wire [39:0] event_place = (eventq_base & ~eventq_align) | ({20'd0, eventq_prod & (eventq_mask >> 1)} << 5);

  // ---- attributes
  function automatic [3:0] level_of_table(input [1:0] code);
    case (code)
      2'd1: level_of_table = 4'hf;
      2'd2: level_of_table = 4'ha;
      2'd3: level_of_table = 4'he;
      default: level_of_table = 4'h4;
    endcase
  endfunction
  function automatic [1:0] share_of(input [1:0] code);
    share_of = code[1] ? code : 2'd0;
  endfunction
  // {type, shareability} of a table's fields.
  function automatic [9:0] of_table(input [1:0] inner, input [1:0] outer, input [1:0] share);
    reg [7:0] both;
    begin
      both = {level_of_table(outer), level_of_table(inner)};
      of_table = {both, both == 8'h44 ? 2'd2 : share_of(share)};
    end
  endfunction
  function automatic [9:0] of_register(input [1:0] inner, input [1:0] outer, input [1:0] share);
    of_register = of_table(inner == 2'd3 ? 2'd0 : inner, outer == 2'd3 ? 2'd0 : outer, share);
  endfunction
  // As a byte of MAIR says it, in the one way to say it.
  function automatic [9:0] settled(input [7:0] kind, input [1:0] share);
    reg [7:0] both;
    begin
      if (kind[7:4] == 4'd0) begin
        settled = {4'd0, kind[3:2], 2'd0, 2'd2};
      end else begin
        both = {kind[7:4], kind[3:0] == 4'd0 ? 4'd3 : kind[3:0]};
        settled = {both, both == 8'h44 ? 2'd2 : share_of(share)};
      end
    end
  endfunction
  // Stage 1's level with no more allocation hints than the access came with.
  function automatic [3:0] hinted(input [3:0] level, input [3:0] incoming);
    reg read_allocate, write_allocate, transient_hint;
    begin
      if (level == 4'h4 || incoming == 4'h4) begin
        hinted = level;
      end else begin
        read_allocate = level[1] && incoming[1];
        write_allocate = level[0] && incoming[0];
        transient_hint = (!level[3] || !incoming[3]) && (read_allocate || write_allocate);
        hinted = {!transient_hint, level[2], read_allocate, write_allocate};
      end
    end
  endfunction
  function automatic [9:0] of_page(input [7:0] kind, input [1:0] share, input [9:0] incoming);
    reg [9:0] own;
    begin
      own = settled(kind, share);
      if (own[9:6] == 4'd0 || incoming[9:6] == 4'd0) of_page = own;
      else of_page = {hinted(own[9:6], incoming[9:6]), hinted(own[5:2], incoming[5:2]), own[1:0]};
    end
  endfunction
  function automatic [5:0] bits_of(input [2:0] code);
    case (code)
      3'd0: bits_of = 6'd32;
      3'd1: bits_of = 6'd36;
      default: bits_of = 6'd40;
    endcase
  endfunction

  // ---- the access that is under way
  reg        writes, atomic;
  reg [7:0]  axi_id, len;
  reg [2:0]  axi_size;
  reg [63:0] address;
  reg [31:0] stream;
  reg        substream_valid, privileged, instruction, translated;
  reg [19:0] substream;
  reg [9:0]  incoming;
  reg        prefers_writes;

  // ---- its translation
  reg [63:0] word0, word1, word2, word3;
  reg [2:0]  word_count;
  reg [63:0] cd0;
  reg [63:0] mair;
  reg [39:0] table_place;
  reg [9:0]  table_attributes;
  reg [1:0]  level;
  reg [5:0]  low;         // lowest input bit that the level resolves
  reg [3:0]  limits;      // of table descriptors: no user, read-only, no user execution, no privileged execution
  reg        no_limits;   // HAD
  reg [8:0]  first_mask;  // index bits of the first table
  reg [39:0] out_address;
  reg [9:0]  out_attributes;

  reg [7:0]  fault;
  reg        fault_recorded;
  reg [63:0] record1, record2, record3;

  // ---- client side
  wire takes_read = state == IDLE && !cmdq_waits && cr0 == cr0_ack && up_arvalid && !(prefers_writes && up_awvalid);
  wire takes_write = state == IDLE && !cmdq_waits && cr0 == cr0_ack && up_awvalid && !(up_arvalid && !prefers_writes);
  assign up_arready = takes_read;
  assign up_awready = takes_write;

  reg address_sent, refused_data;
  reg [7:0] refused_beats;
  assign down_arvalid = state == PASS && !writes && !address_sent;
  assign down_awvalid = state == PASS && writes && !address_sent;
  assign down_address = out_address;
  assign down_len = len;
  assign down_size = axi_size;
  assign down_privileged = privileged;
  assign down_instruction = instruction;
  assign down_type = out_attributes[9:2];
  assign down_share = out_attributes[1:0];
  assign down_wvalid = state == PASS && writes && up_wvalid && !refused_data;
  assign down_wdata = up_wdata;
  assign down_wstrb = up_wstrb;
  assign down_wlast = up_wlast;
  assign up_wready = (state == PASS && writes && !refused_data && down_wready) ||
                     (state == REFUSE && writes && !refused_data);
  assign down_rready = state == PASS && up_rready;
  assign down_bready = state == PASS && up_bready;
  assign up_rvalid = (state == PASS && down_rvalid) || (state == REFUSE && !writes);
  assign up_rid = axi_id;
  assign up_rdata = state == PASS ? down_rdata : 64'd0;
  assign up_rresp = state == PASS ? down_rresp : 2'd2;
  assign up_rlast = state == PASS ? down_rlast : refused_beats == 0;
  assign up_bvalid = (state == PASS && down_bvalid) || (state == REFUSE && writes && refused_data);
  assign up_bid = axi_id;
  assign up_bresp = state == PASS ? down_bresp : 2'd2;

  // ---- memory side
  wire [39:0] table_base = strtab_base & ~(strtab_log2 >= 6'd34 ? {40{1'b1}} : (40'd64 << strtab_log2) - 40'd1);
  wire [39:0] ste_place = table_base | ({8'd0, stream} << 6);
  wire [63:0] ste_context = {12'd0, word0[51:6], 6'd0};
  wire        takes_context = state == READ_CD;
  wire [9:0]  queue_attributes = of_register(cr1[1:0], cr1[3:2], cr1[5:4]);
  reg  [39:0] context_place;
  reg  [9:0]  context_attributes;
  wire [51:0] index = address[51:0] >> low;
  wire [39:0] entry_place = table_place | {28'd0, index[8:0] & first_mask, 3'd0};

  assign mem_request = state == READ_STE || takes_context || state == READ_ENTRY || state == READ_COMMAND ||
                       state == WRITE_EVENT;
  assign mem_write = state == WRITE_EVENT;
  assign mem_address = state == READ_STE ? ste_place : takes_context ? context_place : state == READ_ENTRY ? entry_place :
                       state == READ_COMMAND ? command_place : event_place;
  assign mem_words = state == READ_ENTRY ? 4'd1 : state == READ_COMMAND ? 4'd2 : state == WRITE_EVENT ? 4'd4 : 4'd8;
  wire [9:0] mem_attributes = state == READ_STE ? of_register(cr1[7:6], cr1[9:8], cr1[11:10]) :
                              takes_context ? context_attributes : state == READ_ENTRY ? table_attributes :
                              queue_attributes;
  assign mem_type = mem_attributes[9:2];
  assign mem_share = mem_attributes[1:0];
  // Which substream it was, where the record has a place for it; whether it was one, in all but those about it.
  wire        tells_substream = substream_valid && fault != FORBIDDEN;
  wire [63:0] record0 = {stream, tells_substream ? substream : 20'd0, tells_substream && fault != BAD_SUBSTREAM, 3'd0, fault};
  assign mem_data = {record3, record2, record1, record0};

  // ---- stage 1, as the context descriptor and the address say
  wire        high = address[55];
  wire [5:0]  size_offset = high ? cd0[21:16] : cd0[5:0];
  wire        disabled = high ? cd0[30] : cd0[14];
  wire        ignores_top = high ? cd0[39] : cd0[38];
  wire [63:0] canonical = !ignores_top ? address : high ? address | 64'hff00_0000_0000_0000 : address & 64'h00ff_ffff_ffff_ffff;
  wire [5:0]  input_bits = 6'd0 - size_offset;  // 64 - TxSZ, 25 to 48
  wire [63:0] above = canonical >> input_bits;
  wire        outside = above != (high ? ~64'd0 >> input_bits : 64'd0);
  wire [39:0] output_limit = (40'd1 << bits_of(cd0[34:32])) - 40'd1;  // all ones for 40 bits
  wire        in_use0 = !cd0[14], in_use1 = !cd0[30];
  wire        bad_size0 = in_use0 && (cd0[5:0] < 6'd16 || cd0[5:0] > 6'd39);
  wire        bad_size1 = in_use1 && (cd0[21:16] < 6'd16 || cd0[21:16] > 6'd39);
  wire        bad_granule = (in_use0 && cd0[7:6] != 2'd0) || (in_use1 && cd0[23:22] != 2'd2);
  wire        bad_table0 = in_use0 && (word1[51:4] & ~{12'd0, output_limit[39:4]}) != 0;
  wire        bad_table1 = in_use1 && (word2[51:4] & ~{12'd0, output_limit[39:4]}) != 0;
  wire        bad_cd = !cd0[31] || !cd0[46] || cd0[44] || ((in_use0 || in_use1) && cd0[15]) || !cd0[41] || cd0[42] ||
                       cd0[43] || cd0[63:56] != 8'd0 || bad_size0 || bad_size1 || bad_granule || bad_table0 || bad_table1;

  wire [63:0] entry = word0;
  wire        is_table = entry[1] && level != 2'd3;
  wire        is_leaf = level == 2'd3 ? entry[1] : !entry[1] && level != 2'd0;
  wire [47:0] page_mask = is_leaf ? (48'd1 << low) - 48'd1 : 48'hfff;
  wire [47:0] entry_address = {entry[47:12], 12'd0} & ~page_mask;
  wire        user = entry[6] && !limits[0];
  wire        can_write = !entry[7] && !limits[1];
  wire        user_write = user && can_write;
  wire        user_execute = !entry[54] && !limits[2] && !(cd0[36] && user_write);
  wire        privileged_execute = !entry[53] && !limits[3] && !user_write && !(cd0[36] && can_write);
  wire        privileged_data = !(cd0[40] && user);
  wire        lacks_read = !instruction && (!writes || atomic) && !(privileged ? privileged_data : user);
  wire        lacks_write = writes && !(privileged ? privileged_data && can_write : user_write);
  wire        lacks_execute = instruction && !(privileged ? privileged_execute : user_execute);

  wire [63:0] told_access = {28'd0, !writes, instruction, privileged, 33'd0};
  wire [63:0] input_class = 64'd2 << 40, table_class = 64'd1 << 40;

  // ---- commands
  wire [7:0] opcode = word0[7:0];
  wire       secure_stream = word0[10];
  reg        legal;
  always @(*) begin
    case (opcode)
      8'h01, 8'h02, 8'h03, 8'h04, 8'h05, 8'h06: legal = !secure_stream;
      8'h10, 8'h11, 8'h12, 8'h13, 8'h30: legal = 1'b1;
      8'h46: legal = word0[13:12] != 2'd3;
      default: legal = 1'b0;
    endcase
  end

  wire raises_command = (state == READ_COMMAND && mem_finish && mem_error) || (state == DO_COMMAND && !legal);
  wire raises_event = state == WRITE_EVENT && mem_finish && mem_error;

  // The access cannot go on: `kind` is told, and it is refused.
  task automatic stop(input [7:0] kind, input recorded, input [63:0] about, input [63:0] where, input [63:0] fetched);
    begin
      fault <= kind;
      fault_recorded <= recorded;
      record1 <= about;
      record2 <= where;
      record3 <= fetched;
      state <= RECORD;
    end
  endtask

  always @(posedge clock) begin
    if (reset) begin
      state <= IDLE;
      cr0_ack <= 0;
      eventq_prod <= 0;
      eventq_overflow <= 0;
      cmdq_cons <= 0;
      cmdq_error <= 0;
      error_command <= 0;
      error_event <= 0;
      line_event <= 0;
      line_sync <= 0;
      line_error <= 0;
      prefers_writes <= 0;
      cr0 <= 0;
      cr1 <= 0;
      record_bad_streams <= 0;
      bypass_aborts <= 0;
      irq_enable <= 0;
      seen_command <= 0;
      seen_event <= 0;
      gerror_kept <= 0;
      strtab_ra <= 0;
      cmdq_ra <= 0;
      eventq_wa <= 0;
      strtab_base <= 0;
      strtab_log2 <= 0;
      cmdq_base <= 0;
      cmdq_log2 <= 0;
      eventq_base <= 0;
      eventq_log2 <= 0;
      cmdq_prod <= 0;
      eventq_cons <= 0;
      eventq_overflow_seen <= 0;
    end else begin
      // ---- software's writes
      if (cfg_request && cfg_write) begin
        case (cfg_address)
          18'h00020: cr0 <= (cfg_data[3:0] & cr0_free & 4'hd) | (cr0 & ~cr0_free);
          18'h00028: begin
            if (cr0_off[0]) cr1[11:6] <= cfg_data[11:6];
            if (cr0_off[3] && cr0_off[2]) cr1[5:0] <= cfg_data[5:0];
          end
          18'h0002c: if (cr0_off[0]) record_bad_streams <= cfg_data[1];
          18'h00044: if (cfg_data[31]) bypass_aborts <= cfg_data[20];
          18'h00050: irq_enable <= cfg_data[2:0] & 3'd5;
          18'h00064: begin
            seen_command <= cfg_data[0];
            seen_event <= cfg_data[2];
            gerror_kept <= cfg_data[8:0] & 9'h100;
          end
          18'h00080: if (cr0_off[0]) strtab_base[31:0] <= {cfg_data[31:6], 6'd0};
          18'h00084: if (cr0_off[0]) {strtab_ra, strtab_base[39:32]} <= {cfg_data[30], cfg_data[7:0]};
          18'h00088: if (cr0_off[0]) strtab_log2 <= cfg_data[5:0];
          18'h00090: if (cr0_off[3]) {cmdq_base[31:0], cmdq_log2} <= {cfg_data[31:5], 5'd0, cfg_data[4:0]};
          18'h00094: if (cr0_off[3]) {cmdq_ra, cmdq_base[39:32]} <= {cfg_data[30], cfg_data[7:0]};
          18'h00098: cmdq_prod <= cfg_data[19:0];
          18'h0009c: if (cr0_off[3]) cmdq_cons <= cfg_data[19:0];
          18'h000a0: if (cr0_off[2]) {eventq_base[31:0], eventq_log2} <= {cfg_data[31:5], 5'd0, cfg_data[4:0]};
          18'h000a4: if (cr0_off[2]) {eventq_wa, eventq_base[39:32]} <= {cfg_data[30], cfg_data[7:0]};
          18'h100a8: if (cr0_off[2]) {eventq_overflow, eventq_prod} <= {cfg_data[31], cfg_data[19:0]};
          18'h100ac: {eventq_overflow_seen, eventq_cons} <= {cfg_data[31], cfg_data[19:0]};
          default: ;
        endcase
      end

      // ---- errors that concern all of it
      if (raises_command && error_command == seen_command) error_command <= !error_command;
      if (raises_event && error_event == seen_event) error_event <= !error_event;
      if (((raises_command && error_command == seen_command) || (raises_event && error_event == seen_event)) &&
          irq_enable[0])
        line_error <= !line_error;

      if (mem_word_valid) begin
        word_count <= word_count + 3'd1;
        case (word_count)
          3'd0: word0 <= mem_word;
          3'd1: word1 <= mem_word;
          3'd2: word2 <= mem_word;
          3'd3: word3 <= mem_word;
          default: ;
        endcase
      end

      case (state)
        IDLE: begin
          word_count <= 0;
          limits <= 0;
          address_sent <= 0;
          refused_data <= 0;
          if (cr0 != cr0_ack) begin
            cr0_ack <= cr0;
          end else if (cmdq_waits) begin
            state <= READ_COMMAND;
          end else if (takes_read) begin
            {writes, atomic} <= 2'b00;
            {axi_id, len, axi_size, address} <= {up_arid, up_arlen, up_arsize, up_araddr};
            {stream, substream_valid, substream} <= {up_stream, up_substream_valid, up_substream};
            {privileged, instruction, translated} <= {up_privileged, up_instruction, up_translated};
            incoming <= settled(up_type, up_share);
            refused_beats <= up_arlen;
            prefers_writes <= 1;
            state <= LOOK;
          end else if (takes_write) begin
            {writes, atomic} <= {1'b1, up_aw_atomic};
            {axi_id, len, axi_size, address} <= {up_awid, up_awlen, up_awsize, up_awaddr};
            {stream, substream_valid, substream} <= {up_aw_stream, up_aw_substream_valid, up_aw_substream};
            {privileged, instruction, translated} <= {up_aw_privileged, 1'b0, up_aw_translated};
            incoming <= settled(up_aw_type, up_aw_share);
            refused_beats <= up_awlen;
            prefers_writes <= 0;
            state <= LOOK;
          end
        end

        LOOK: begin
          out_address <= address[39:0];
          out_attributes <= incoming;
          if (!cr0_ack[0] && translated) stop(FORBIDDEN, 1'b1, {28'd0, !writes, 35'd0}, address, 64'd0);
          else if (!cr0_ack[0]) state <= bypass_aborts || address[63:40] != 24'd0 ? REFUSE : PASS;
          else if (translated) state <= REFUSE;
          else if ((stream >> SID_BITS) != 32'd0 || (strtab_log2 < 6'd32 && (stream >> strtab_log2) != 32'd0))
            stop(BAD_STREAMID, record_bad_streams, 64'd0, 64'd0, 64'd0);
          else state <= READ_STE;
        end

        READ_STE: if (mem_finish) begin
          word_count <= 0;
          if (mem_error) stop(STE_FETCH, 1'b1, 64'd0, 64'd0, {24'd0, ste_place});
          else state <= USE_STE;
        end

        USE_STE: begin
          context_place <= ste_context[39:0];
          context_attributes <= of_table(word1[3:2], word1[5:4], word1[7:6]);
          if (word0[0] && !word0[3]) state <= REFUSE;
          else if (!word0[0] || word0[2] || (word0[1] && (word1[27] || ste_context[63:40] != 24'd0)))
            stop(BAD_STE, 1'b1, 64'd0, 64'd0, 64'd0);
          else if (substream_valid) stop(BAD_SUBSTREAM, 1'b1, 64'd0, 64'd0, 64'd0);
          else if (word0[1]) state <= READ_CD;
          else if (address[63:40] != 24'd0)
            stop(ADDRESS_SIZE, 1'b1, told_access | input_class, address, 64'd0);
          else state <= PASS;
        end

        READ_CD: if (mem_finish) begin
          word_count <= 0;
          cd0 <= word0;
          mair <= word3;
          if (mem_error) stop(CD_FETCH, 1'b1, 64'd0, 64'd0, {24'd0, context_place});
          else state <= USE_CD;
        end

        USE_CD: begin
          // Levels resolve nine bits each; the first one has what is left.
          level <= input_bits > 6'd39 ? 2'd0 : input_bits > 6'd30 ? 2'd1 : 2'd2;
          low <= input_bits > 6'd39 ? 6'd39 : input_bits > 6'd30 ? 6'd30 : 6'd21;
          first_mask <= (9'd1 << (input_bits - (input_bits > 6'd39 ? 6'd39 : input_bits > 6'd30 ? 6'd30 : 6'd21))) - 9'd1;
          table_place <= (high ? {word2[39:4], 4'd0} : {word1[39:4], 4'd0}) &
                         ~((40'd8 << (input_bits - (input_bits > 6'd39 ? 6'd39 : input_bits > 6'd30 ? 6'd30 : 6'd21))) - 40'd1);
          table_attributes <= high ? of_table(cd0[25:24], cd0[27:26], cd0[29:28]) : of_table(cd0[9:8], cd0[11:10], cd0[13:12]);
          no_limits <= high ? word2[1] : word1[1];
          if (bad_cd) stop(BAD_CD, 1'b1, 64'd0, 64'd0, 64'd0);
          else if (disabled || outside) stop(TRANSLATION, cd0[45], told_access | input_class, address, 64'd0);
          else state <= READ_ENTRY;
        end

        READ_ENTRY: if (mem_finish) begin
          word_count <= 0;
          if (mem_error) stop(WALK_ABORT, 1'b1, told_access | table_class, address, {24'd0, entry_place});
          else state <= USE_ENTRY;
        end

        USE_ENTRY: begin
          level <= level + 2'd1;
          low <= low - 6'd9;
          first_mask <= 9'h1ff;
          table_place <= entry_address[39:0];
          if (is_table && !no_limits) limits <= limits | {entry[59], entry[60], entry[62], entry[61]};
          out_address <= entry_address[39:0] | (address[39:0] & page_mask[39:0]);
          out_attributes <= of_page(mair[{entry[4:2], 3'd0}+:8], entry[9:8], incoming);
          if (!entry[0] || (!is_table && !is_leaf))
            stop(TRANSLATION, cd0[45], told_access | input_class, address, 64'd0);
          else if ((entry_address & ~{8'd0, output_limit}) != 48'd0)
            stop(ADDRESS_SIZE, cd0[45], told_access | input_class, address, 64'd0);
          else if (is_table) state <= READ_ENTRY;
          else if (!entry[10] && !cd0[35]) stop(ACCESS, cd0[45], told_access | input_class, address, 64'd0);
          else if (lacks_read || lacks_write || lacks_execute)
            stop(PERMISSION, cd0[45],
                 told_access | input_class | (atomic && lacks_read && !lacks_write ? 64'd1 << 35 : 64'd0), address, 64'd0);
          else state <= PASS;
        end

        PASS: begin
          if ((down_arvalid && down_arready) || (down_awvalid && down_awready)) address_sent <= 1;
          if (up_wvalid && up_wready && up_wlast) refused_data <= 1;
          if ((up_rvalid && up_rready && up_rlast) || (up_bvalid && up_bready)) state <= IDLE;
        end

        RECORD: begin
          if (!fault_recorded || !cr0_ack[2] || eventq_stopped) begin
            state <= REFUSE;
          end else if (eventq_full) begin
            if (eventq_overflow == eventq_overflow_seen) eventq_overflow <= !eventq_overflow;
            state <= REFUSE;
          end else begin
            state <= WRITE_EVENT;
          end
        end

        WRITE_EVENT: if (mem_finish) begin
          state <= REFUSE;
          if (!mem_error) begin
            eventq_prod <= (eventq_prod + 20'd1) & eventq_mask;
            if (eventq_used == 20'd0 && irq_enable[2]) line_event <= !line_event;
          end
        end

        REFUSE: begin
          if (!writes) begin
            if (up_rready) refused_beats <= refused_beats - 8'd1;
            if (up_rready && up_rlast) state <= IDLE;
          end else if (!refused_data) begin
            if (up_wvalid && up_wlast) refused_data <= 1;
          end else if (up_bready) begin
            state <= IDLE;
          end
        end

        READ_COMMAND: if (mem_finish) begin
          word_count <= 0;
          if (mem_error) cmdq_error <= 7'd2;
          state <= mem_error ? IDLE : DO_COMMAND;
        end

        DO_COMMAND: begin
          state <= IDLE;
          if (!legal) begin
            cmdq_error <= 7'd1;
          end else begin
            cmdq_error <= 7'd0;
            cmdq_cons <= (cmdq_cons + 20'd1) & cmdq_mask;
            if (opcode == 8'h46 && word0[13:12] == 2'd1) line_sync <= !line_sync;
          end
        end

        default: state <= IDLE;
      endcase
    end
  end

  // ---- software's reads
  assign cfg_done = cfg_request;
  always @(*) begin
    case (cfg_address)
      18'h00000: cfg_answer = IDR0;
      18'h00004: cfg_answer = IDR1;
      18'h0000c: cfg_answer = IDR3;
      18'h00014: cfg_answer = IDR5;
      18'h00018: cfg_answer = IIDR;
      18'h0001c: cfg_answer = 32'd2;
      18'h00020: cfg_answer = {28'd0, cr0};
      18'h00024: cfg_answer = {28'd0, cr0_ack};
      18'h00028: cfg_answer = {20'd0, cr1};
      18'h0002c: cfg_answer = {30'd0, record_bad_streams, 1'b0};
      18'h00044: cfg_answer = {11'd0, bypass_aborts, 20'd0} | GBPA_SHARE;
      18'h00050, 18'h00054: cfg_answer = {29'd0, irq_enable};
      18'h00060: cfg_answer = {29'd0, error_event, 1'b0, error_command};
      18'h00064: cfg_answer = {23'd0, gerror_kept[8:3], seen_event, 1'b0, seen_command};
      18'h00080: cfg_answer = strtab_base[31:0];
      18'h00084: cfg_answer = {1'b0, strtab_ra, 22'd0, strtab_base[39:32]};
      18'h00088: cfg_answer = {26'd0, strtab_log2};
      18'h00090: cfg_answer = {cmdq_base[31:5], cmdq_log2};
      18'h00094: cfg_answer = {1'b0, cmdq_ra, 22'd0, cmdq_base[39:32]};
      18'h00098: cfg_answer = {12'd0, cmdq_prod};
      18'h0009c: cfg_answer = {1'b0, cmdq_error, 4'd0, cmdq_cons};
      18'h000a0: cfg_answer = {eventq_base[31:5], eventq_log2};
      18'h000a4: cfg_answer = {1'b0, eventq_wa, 22'd0, eventq_base[39:32]};
      18'h100a8: cfg_answer = {eventq_overflow, 11'd0, eventq_prod};
      18'h100ac: cfg_answer = {eventq_overflow_seen, 11'd0, eventq_cons};
      default: cfg_answer = 32'd0;
    endcase
  end

endmodule
