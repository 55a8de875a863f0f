/** Where an instance runs. The runtime makes it, the store keeps it, and it stays as it is for as long as it stands. */
export interface Placement {
  /** Tells it from all others of the runtime. */
  slot: number;
  /** Published ports of its Odoo. */
  httpPort: number;
  longpollingPort: number;
  /** Range of its own network, e.g. `10.208.0.16/28`. */
  subnet: string;
}
