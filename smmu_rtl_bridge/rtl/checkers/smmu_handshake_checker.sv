// SPDX-License-Identifier: Apache-2.0

// A valid/ready handshake inside the SMMU: what is offered stays, unchanged, until it is taken.
module smmu_handshake_checker #(
    parameter int BITS = 1
) (
    input logic            clk,
    input logic            rst_n,
    input logic            valid,
    input logic            ready,
    input logic [BITS-1:0] payload
);

  offer_stays: assert property (@(posedge clk) disable iff (!rst_n) valid && !ready |=> valid)
  else $error("%m: the offer was withdrawn");

  payload_stays: assert property (@(posedge clk) disable iff (!rst_n) valid && !ready |=> $stable(payload))
  else $error("%m: the payload changed before it was taken");

endmodule
