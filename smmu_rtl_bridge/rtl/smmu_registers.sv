// SPDX-License-Identifier: Apache-2.0

// The programming interface: registers of page 0 and page 1 behind APB.
//
// An APB access takes no wait states: the setup phase reads or decodes, the first access phase is the last one. Registers
// are words; those of 64 bits are two. Accesses that are no whole aligned word are errors and do nothing; offsets
// without a register read as zero and ignore writes. Reserved bits do so too.
//
// Guards (SMMUv3.2: a guarded write is ignored): a register is locked while its enable is set in CR0 or CR0ACK, or in
// IRQ_CTRL or IRQ_CTRLACK. A field of CR0 that differs from CR0ACK ignores writes until it is acknowledged.
//
// Acknowledgements. CR0ACK.SMMUEN and GBPA.Update follow when translation has nothing left that was accepted under the
// old values: quiesce_req is raised and held until quiesce_done, and is raised again only when quiesce_done has fallen.
// Queue enables rise in the next clock and fall when their queue is not busy; enables of interrupts fall when no message
// of theirs is on its way.
//
// Chapter "Memory map and registers".
module smmu_registers #(
    parameter int SID_BITS = 16,
    parameter int SSID_BITS = 20,
    parameter int OAS = 5,              // as IDR5 has it: 0 to 6 are 32, 36, 40, 42, 44, 48, 52 bits
    parameter int CMDQ_LOG2_MAX = 19,
    parameter int EVTQ_LOG2_MAX = 19,
    parameter int HYP = 1,              // EL2 and EL2-E2H regimes
    parameter int VMW = 1,
    parameter int S2FWB = 1,
    parameter int STT = 1,
    parameter int TTENDIAN = 2,
    parameter int TERM_MODEL = 0,
    parameter int BBML = 2,
    parameter int IIDR = 32'h43b
) (
    input logic clk,
    input logic rst_n,

    input  logic        psel,
    input  logic        penable,
    input  logic        pwrite,
    input  logic [17:0] paddr,
    input  logic [31:0] pwdata,
    input  logic [3:0]  pstrb,
    output logic        pready,
    output logic [31:0] prdata,
    output logic        pslverr,

    // Translation.
    output smmu_pkg::regs_t regs,
    output logic            quiesce_req,
    input  logic            quiesce_done,

    // Command queue.
    output logic        cmdq_enable,   // CR0ACK.CMDQEN
    output logic        cmdq_halt,     // it is to be cleared
    input  logic        cmdq_busy,
    output logic        cmdq_error,    // GERROR.CMDQ_ERR is active
    output logic [51:0] cmdq_base,
    output logic [4:0]  cmdq_log2size,
    output logic [19:0] cmdq_prod,
    output logic [19:0] cmdq_cons,
    input  logic        cmdq_cons_set,
    input  logic [19:0] cmdq_cons_next,
    input  logic [6:0]  cmdq_err_next,  // CMDQ_CONS.ERR; other than zero raises CMDQ_ERR
    output logic        e2h,
    output logic [2:0]  vmw,
    output logic [9:0]  queue_attr,

    // Event queue.
    output logic        evtq_enable,
    output logic        evtq_halt,
    input  logic        evtq_busy,
    output logic        evtq_aborted,
    output logic [51:0] evtq_base,
    output logic [4:0]  evtq_log2size,
    output logic [19:0] evtq_cons,
    output logic        evtq_cons_ovackflg,
    output logic [19:0] evtq_prod,
    output logic        evtq_prod_ovflg,
    input  logic        evtq_prod_set,
    input  logic [19:0] evtq_prod_next,
    input  logic        evtq_overflow,
    input  logic        evtq_abt_error,

    // Interrupts.
    output logic        gerr_cause,  // a global error that interrupts has become active
    output logic        evt_irq_enable,
    output logic        gerr_irq_enable,
    input  logic        evt_irq_busy,
    input  logic        gerr_irq_busy,
    output logic [51:0] evt_irq_addr,
    output logic [31:0] evt_irq_data,
    output logic [5:0]  evt_irq_cfg2,
    output logic [51:0] gerr_irq_addr,
    output logic [31:0] gerr_irq_data,
    output logic [5:0]  gerr_irq_cfg2,
    input  logic        evt_msi_abort,
    input  logic        gerr_msi_abort,
    input  logic        sync_msi_abort,

    output logic idle  // every update is acknowledged
);

  localparam int OAS_BITS =
      OAS == 0 ? 32 : OAS == 1 ? 36 : OAS == 2 ? 40 : OAS == 3 ? 42 : OAS == 4 ? 44 : OAS == 5 ? 48 : 52;
  localparam logic [51:0] OAS_MASK = ~(52'hf_ffff_ffff_ffff << OAS_BITS);

  // ---- ID registers.
  localparam logic [31:0] IDR0 =
      32'h0000_0003                       // S1P, S2P
      | 32'h2 << 2                        // TTF: AArch64
      | 32'h1 << 4                        // COHACC
      | (HYP != 0 ? 32'h1 << 9 : 32'h0)   // HYP
      | 32'h1 << 12                       // ASID16
      | 32'h1 << 13                       // MSI
      | 32'h1 << 14                       // SEV
      | (VMW != 0 ? 32'h1 << 17 : 32'h0)  // VMW
      | 32'h1 << 18                       // VMID16
      | 32'h1 << 19                       // CD2L
      | {9'd0, 2'(TTENDIAN), 21'd0}
      | 32'h1 << 24                       // STALL_MODEL: terminate
      | (TERM_MODEL != 0 ? 32'h1 << 26 : 32'h0)
      | 32'h1 << 27;                      // ST_LEVEL: two
  localparam logic [31:0] IDR1 =
      {26'd0, 6'(SID_BITS)}
      | {21'd0, 5'(SSID_BITS), 6'd0}
      | {11'd0, 5'(EVTQ_LOG2_MAX), 16'd0}
      | {6'd0, 5'(CMDQ_LOG2_MAX), 21'd0}
      | 32'h1 << 26                       // ATTR_PERMS_OVR
      | 32'h1 << 27;                      // ATTR_TYPES_OVR
  localparam logic [31:0] IDR3 =
      32'h1 << 2                          // HAD
      | 32'h1 << 4                        // XNX
      | (S2FWB != 0 ? 32'h1 << 8 : 32'h0)
      | (STT != 0 ? 32'h1 << 9 : 32'h0)
      | 32'h1 << 10                       // RIL
      | {19'd0, 2'(BBML), 11'd0};
  localparam logic [31:0] IDR5 = {29'd0, 3'(OAS)} | 32'h70;  // granules of 4, 16 and 64 KiB
  localparam logic [31:0] AIDR = 32'h2;                      // SMMUv3.2

  // ---- Offsets. Page 1 lies at 64 KiB.
  localparam logic [17:0] A_IDR0 = 18'h00000;
  localparam logic [17:0] A_IDR1 = 18'h00004;
  localparam logic [17:0] A_IDR3 = 18'h0000c;
  localparam logic [17:0] A_IDR5 = 18'h00014;
  localparam logic [17:0] A_IIDR = 18'h00018;
  localparam logic [17:0] A_AIDR = 18'h0001c;
  localparam logic [17:0] A_CR0 = 18'h00020;
  localparam logic [17:0] A_CR0ACK = 18'h00024;
  localparam logic [17:0] A_CR1 = 18'h00028;
  localparam logic [17:0] A_CR2 = 18'h0002c;
  localparam logic [17:0] A_GBPA = 18'h00044;
  localparam logic [17:0] A_IRQ_CTRL = 18'h00050;
  localparam logic [17:0] A_IRQ_CTRLACK = 18'h00054;
  localparam logic [17:0] A_GERROR = 18'h00060;
  localparam logic [17:0] A_GERRORN = 18'h00064;
  localparam logic [17:0] A_GERROR_CFG0_LO = 18'h00068;
  localparam logic [17:0] A_GERROR_CFG0_HI = 18'h0006c;
  localparam logic [17:0] A_GERROR_CFG1 = 18'h00070;
  localparam logic [17:0] A_GERROR_CFG2 = 18'h00074;
  localparam logic [17:0] A_STRTAB_BASE_LO = 18'h00080;
  localparam logic [17:0] A_STRTAB_BASE_HI = 18'h00084;
  localparam logic [17:0] A_STRTAB_CFG = 18'h00088;
  localparam logic [17:0] A_CMDQ_BASE_LO = 18'h00090;
  localparam logic [17:0] A_CMDQ_BASE_HI = 18'h00094;
  localparam logic [17:0] A_CMDQ_PROD = 18'h00098;
  localparam logic [17:0] A_CMDQ_CONS = 18'h0009c;
  localparam logic [17:0] A_EVENTQ_BASE_LO = 18'h000a0;
  localparam logic [17:0] A_EVENTQ_BASE_HI = 18'h000a4;
  localparam logic [17:0] A_EVENTQ_CFG0_LO = 18'h000b0;
  localparam logic [17:0] A_EVENTQ_CFG0_HI = 18'h000b4;
  localparam logic [17:0] A_EVENTQ_CFG1 = 18'h000b8;
  localparam logic [17:0] A_EVENTQ_CFG2 = 18'h000bc;
  localparam logic [17:0] A_EVENTQ_PROD = 18'h100a8;
  localparam logic [17:0] A_EVENTQ_CONS = 18'h100ac;

  // ---- Masks of what software may write.
  localparam logic [31:0] TABLE_LO = 32'hffff_ffc0;
  localparam logic [31:0] MSI_LO = 32'hffff_fffc;
  localparam logic [19:0] ADDRESS_HI = OAS_MASK[51:32];
  localparam logic [1:0] CR2_MASK = HYP != 0 ? 2'h3 : 2'h2;
  localparam logic [8:0] CR0_MASK = VMW != 0 ? 9'h1cd : 9'h00d;
  localparam logic [20:0] GBPA_MASK = 21'h1f_3f1f;
  localparam logic [8:0] GERRORN_MASK = 9'h1b5;
  localparam logic [20:0] GBPA_RESET = 21'h00_1000;  // SHCFG: as it came

  localparam int SMMUEN = 0;
  localparam int EVENTQEN = 2;
  localparam int CMDQEN = 3;

  // ---- State.
  logic [8:0]  cr0;
  logic [8:0]  cr0ack;
  logic [11:0] cr1;
  logic [1:0]  cr2;
  logic [20:0] gbpa;      // without Update
  logic        updating;  // GBPA.Update
  logic        irq_gerr;  // IRQ_CTRL
  logic        irq_evt;
  logic        irq_gerr_ack;
  logic        irq_evt_ack;
  logic [8:0]  gerror;
  logic [8:0]  gerrorn;
  logic [51:0] strtab_base;
  logic        strtab_ra;
  logic [17:0] strtab_cfg;
  logic [51:0] cmdq_base_q;  // with LOG2SIZE in 4:0
  logic        cmdq_ra;
  logic [51:0] evtq_base_q;
  logic        evtq_wa;
  logic [6:0]  cmdq_err;

  // ---- APB. A read is looked up in the setup phase, a write takes effect at the end of the access.
  logic        setup;
  logic        whole;
  logic        write;
  logic [31:0] value;

  assign setup = psel && !penable;
  assign whole = paddr[1:0] == 2'd0 && (!pwrite || pstrb == 4'hf);
  assign write = psel && penable && pwrite && whole;
  assign pready = 1'b1;

  always_comb begin
    unique case (paddr)
      A_IDR0:           value = IDR0;
      A_IDR1:           value = IDR1;
      A_IDR3:           value = IDR3;
      A_IDR5:           value = IDR5;
      A_IIDR:           value = IIDR;
      A_AIDR:           value = AIDR;
      A_CR0:            value = {23'd0, cr0};
      A_CR0ACK:         value = {23'd0, cr0ack};
      A_CR1:            value = {20'd0, cr1};
      A_CR2:            value = {30'd0, cr2};
      A_GBPA:           value = {updating, 10'd0, gbpa};
      A_IRQ_CTRL:       value = {29'd0, irq_evt, 1'b0, irq_gerr};
      A_IRQ_CTRLACK:    value = {29'd0, irq_evt_ack, 1'b0, irq_gerr_ack};
      A_GERROR:         value = {23'd0, gerror};
      A_GERRORN:        value = {23'd0, gerrorn};
      A_GERROR_CFG0_LO: value = gerr_irq_addr[31:0];
      A_GERROR_CFG0_HI: value = {12'd0, gerr_irq_addr[51:32]};
      A_GERROR_CFG1:    value = gerr_irq_data;
      A_GERROR_CFG2:    value = {26'd0, gerr_irq_cfg2};
      A_STRTAB_BASE_LO: value = strtab_base[31:0];
      A_STRTAB_BASE_HI: value = {1'b0, strtab_ra, 10'd0, strtab_base[51:32]};
      A_STRTAB_CFG:     value = {14'd0, strtab_cfg};
      A_CMDQ_BASE_LO:   value = cmdq_base_q[31:0];
      A_CMDQ_BASE_HI:   value = {1'b0, cmdq_ra, 10'd0, cmdq_base_q[51:32]};
      A_CMDQ_PROD:      value = {12'd0, cmdq_prod};
      A_CMDQ_CONS:      value = {1'b0, cmdq_err, 4'd0, cmdq_cons};
      A_EVENTQ_BASE_LO: value = evtq_base_q[31:0];
      A_EVENTQ_BASE_HI: value = {1'b0, evtq_wa, 10'd0, evtq_base_q[51:32]};
      A_EVENTQ_CFG0_LO: value = evt_irq_addr[31:0];
      A_EVENTQ_CFG0_HI: value = {12'd0, evt_irq_addr[51:32]};
      A_EVENTQ_CFG1:    value = evt_irq_data;
      A_EVENTQ_CFG2:    value = {26'd0, evt_irq_cfg2};
      A_EVENTQ_PROD:    value = {evtq_prod_ovflg, 11'd0, evtq_prod};
      A_EVENTQ_CONS:    value = {evtq_cons_ovackflg, 11'd0, evtq_cons};
      default:          value = 32'd0;
    endcase
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      prdata <= 32'd0;
      pslverr <= 1'b0;
    end else if (setup) begin
      prdata <= pwrite || !whole ? 32'd0 : value;
      pslverr <= !whole;
    end
  end

  // ---- Guards.
  logic [8:0] enables;
  logic       table_open;
  logic       cmdq_open;
  logic       evtq_open;
  logic       gerr_irq_open;
  logic       evt_irq_open;

  assign enables = cr0 | cr0ack;
  assign table_open = !enables[SMMUEN];
  assign cmdq_open = !enables[CMDQEN];
  assign evtq_open = !enables[EVENTQEN];
  assign gerr_irq_open = !irq_gerr && !irq_gerr_ack;
  assign evt_irq_open = !irq_evt && !irq_evt_ack;

  // ---- CR0 and GBPA, and what acknowledges them.
  logic [8:0] cr0_settled;    // fields that may be written
  logic       covers_smmuen;  // what the quiescence under way is for
  logic       covers_gbpa;
  logic       unquiet;        // a change waits for a quiescence
  logic       gbpa_new;

  // VMW is one field.
  assign cr0_settled = {{3{cr0[8:6] == cr0ack[8:6]}}, ~(cr0[5:0] ^ cr0ack[5:0])};
  assign gbpa_new = write && paddr == A_GBPA && pwdata[31] && !updating;
  assign unquiet = (cr0[SMMUEN] != cr0ack[SMMUEN] || updating) && !quiesce_req && !quiesce_done;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      cr0 <= 9'd0;
      cr0ack <= 9'd0;
      gbpa <= GBPA_RESET;
      updating <= 1'b0;
      quiesce_req <= 1'b0;
      covers_smmuen <= 1'b0;
      covers_gbpa <= 1'b0;
    end else begin
      if (write && paddr == A_CR0)
        cr0 <= (cr0 & ~(CR0_MASK & cr0_settled)) | (pwdata[8:0] & CR0_MASK & cr0_settled);
      if (gbpa_new) begin
        gbpa <= pwdata[20:0] & GBPA_MASK;
        updating <= 1'b1;
      end

      if (unquiet) begin
        quiesce_req <= 1'b1;
        covers_smmuen <= cr0[SMMUEN] != cr0ack[SMMUEN];
        covers_gbpa <= updating;
      end else if (quiesce_req && quiesce_done) begin
        quiesce_req <= 1'b0;
        if (covers_smmuen) cr0ack[SMMUEN] <= cr0[SMMUEN];
        if (covers_gbpa) updating <= 1'b0;
      end

      cr0ack[8:6] <= cr0[8:6];
      if (cr0[EVENTQEN] || !evtq_busy) cr0ack[EVENTQEN] <= cr0[EVENTQEN];
      if (cr0[CMDQEN] || !cmdq_busy) cr0ack[CMDQEN] <= cr0[CMDQEN];
    end
  end

  // ---- Plain registers.
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      cr1 <= 12'd0;
      cr2 <= 2'd0;
      strtab_base <= 52'd0;
      strtab_ra <= 1'b0;
      strtab_cfg <= 18'd0;
      cmdq_base_q <= 52'd0;
      cmdq_ra <= 1'b0;
      cmdq_prod <= 20'd0;
      evtq_base_q <= 52'd0;
      evtq_wa <= 1'b0;
      evtq_cons <= 20'd0;
      evtq_cons_ovackflg <= 1'b0;
      gerr_irq_addr <= 52'd0;
      gerr_irq_data <= 32'd0;
      gerr_irq_cfg2 <= 6'd0;
      evt_irq_addr <= 52'd0;
      evt_irq_data <= 32'd0;
      evt_irq_cfg2 <= 6'd0;
    end else if (write) begin
      unique case (paddr)
        A_CR1: begin
          if (table_open) cr1[11:6] <= pwdata[11:6];
          if (cmdq_open && evtq_open) cr1[5:0] <= pwdata[5:0];
        end
        A_CR2: if (table_open) cr2 <= pwdata[1:0] & CR2_MASK;
        A_GERROR_CFG0_LO: if (gerr_irq_open) gerr_irq_addr[31:0] <= pwdata & MSI_LO;
        A_GERROR_CFG0_HI: if (gerr_irq_open) gerr_irq_addr[51:32] <= pwdata[19:0] & ADDRESS_HI;
        A_GERROR_CFG1: if (gerr_irq_open) gerr_irq_data <= pwdata;
        A_GERROR_CFG2: if (gerr_irq_open) gerr_irq_cfg2 <= pwdata[5:0];
        A_STRTAB_BASE_LO: if (table_open) strtab_base[31:0] <= pwdata & TABLE_LO;
        A_STRTAB_BASE_HI:
        if (table_open) begin
          strtab_base[51:32] <= pwdata[19:0] & ADDRESS_HI;
          strtab_ra <= pwdata[30];
        end
        A_STRTAB_CFG: if (table_open) strtab_cfg <= pwdata[17:0] & 18'h307ff;
        A_CMDQ_BASE_LO: if (cmdq_open) cmdq_base_q[31:0] <= pwdata;
        A_CMDQ_BASE_HI:
        if (cmdq_open) begin
          cmdq_base_q[51:32] <= pwdata[19:0] & ADDRESS_HI;
          cmdq_ra <= pwdata[30];
        end
        A_CMDQ_PROD: cmdq_prod <= pwdata[19:0];
        A_EVENTQ_BASE_LO: if (evtq_open) evtq_base_q[31:0] <= pwdata;
        A_EVENTQ_BASE_HI:
        if (evtq_open) begin
          evtq_base_q[51:32] <= pwdata[19:0] & ADDRESS_HI;
          evtq_wa <= pwdata[30];
        end
        A_EVENTQ_CFG0_LO: if (evt_irq_open) evt_irq_addr[31:0] <= pwdata & MSI_LO;
        A_EVENTQ_CFG0_HI: if (evt_irq_open) evt_irq_addr[51:32] <= pwdata[19:0] & ADDRESS_HI;
        A_EVENTQ_CFG1: if (evt_irq_open) evt_irq_data <= pwdata;
        A_EVENTQ_CFG2: if (evt_irq_open) evt_irq_cfg2 <= pwdata[5:0];
        A_EVENTQ_CONS: begin
          evtq_cons <= pwdata[19:0];
          evtq_cons_ovackflg <= pwdata[31];
        end
        default: ;
      endcase
    end
  end

  // ---- Indices that the SMMU moves. The queues move theirs only while software may not.
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      cmdq_cons <= 20'd0;
      cmdq_err <= 7'd0;
      evtq_prod <= 20'd0;
      evtq_prod_ovflg <= 1'b0;
    end else begin
      if (cmdq_cons_set) begin
        cmdq_cons <= cmdq_cons_next;
        cmdq_err <= cmdq_err_next;
      end else if (write && paddr == A_CMDQ_CONS && cmdq_open) begin
        cmdq_cons <= pwdata[19:0];
      end
      if (evtq_prod_set) begin
        evtq_prod <= evtq_prod_next;
      end else if (write && paddr == A_EVENTQ_PROD && evtq_open) begin
        evtq_prod <= pwdata[19:0];
        evtq_prod_ovflg <= pwdata[31];
      end
      if (evtq_overflow) evtq_prod_ovflg <= !evtq_prod_ovflg;
    end
  end

  // ---- Global errors. An error that is active already is not told again.
  logic [8:0] active;
  logic [8:0] raised;

  assign active = gerror ^ gerrorn;
  always_comb begin
    raised = 9'd0;
    raised[0] = cmdq_cons_set && cmdq_err_next != 7'd0;
    raised[2] = evtq_abt_error;
    raised[4] = sync_msi_abort;
    raised[5] = evt_msi_abort;
    raised[7] = gerr_msi_abort;
    raised = raised & ~active;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      gerror <= 9'd0;
      gerrorn <= 9'd0;
      gerr_cause <= 1'b0;
    end else begin
      gerror <= gerror ^ raised;
      if (write && paddr == A_GERRORN) gerrorn <= (gerrorn & ~GERRORN_MASK) | (pwdata[8:0] & GERRORN_MASK);
      // A failed message about errors must not cause another one.
      gerr_cause <= (raised & 9'h17f) != 9'd0;
    end
  end

  // ---- Enables of interrupts.
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      irq_gerr <= 1'b0;
      irq_evt <= 1'b0;
      irq_gerr_ack <= 1'b0;
      irq_evt_ack <= 1'b0;
    end else begin
      if (write && paddr == A_IRQ_CTRL) begin
        irq_gerr <= pwdata[0];
        irq_evt <= pwdata[2];
      end
      if (irq_gerr || !gerr_irq_busy) irq_gerr_ack <= irq_gerr;
      if (irq_evt || !evt_irq_busy) irq_evt_ack <= irq_evt;
    end
  end

  assign gerr_irq_enable = irq_gerr && irq_gerr_ack;
  assign evt_irq_enable = irq_evt && irq_evt_ack;

  // ---- To the others.
  assign regs.smmuen = cr0[SMMUEN];
  assign regs.gbpa_abort = gbpa[20];
  assign regs.gbpa_instcfg = gbpa[19:18];
  assign regs.gbpa_privcfg = gbpa[17:16];
  assign regs.gbpa_shcfg = gbpa[13:12];
  assign regs.gbpa_alloccfg = gbpa[11:8];
  assign regs.gbpa_mtcfg = gbpa[4];
  assign regs.gbpa_memattr = gbpa[3:0];
  assign regs.strtab_base = strtab_base;
  assign regs.strtab_log2size = strtab_cfg[5:0];
  assign regs.strtab_split = strtab_cfg[10:6];
  assign regs.strtab_fmt = strtab_cfg[17:16];
  assign regs.table_sh = cr1[11:10];
  assign regs.table_oc = cr1[9:8];
  assign regs.table_ic = cr1[7:6];
  assign regs.e2h = cr2[0];
  assign regs.recinvsid = cr2[1];

  assign cmdq_enable = cr0ack[CMDQEN];
  assign cmdq_halt = !cr0[CMDQEN];
  assign cmdq_error = active[0];
  assign cmdq_base = {cmdq_base_q[51:5], 5'd0};
  assign cmdq_log2size = cmdq_base_q[4:0];
  assign e2h = cr2[0];
  assign vmw = cr0ack[8:6];
  assign queue_attr = smmu_pkg::attr_of_register(cr1[1:0], cr1[3:2], cr1[5:4]);
  assign evtq_enable = cr0ack[EVENTQEN];
  assign evtq_halt = !cr0[EVENTQEN];
  assign evtq_aborted = active[2];
  assign evtq_base = {evtq_base_q[51:5], 5'd0};
  assign evtq_log2size = evtq_base_q[4:0];

  assign idle = !psel && cr0 == cr0ack && !updating && !quiesce_req && !quiesce_done && irq_gerr == irq_gerr_ack &&
                irq_evt == irq_evt_ack && !gerr_cause;

endmodule
