import type { Probe } from './probe.js';
import { readAssignments } from './text.js';

/** What the (virtual) firmware calls itself: it names most VPS providers. Empty strings where there is none. */
export interface Dmi {
  vendor: string;
  product: string;
  bios: string;
  board: string;
  asset: string;
  /** cloud-init's name for the platform: hetzner, digitalocean, aws, … */
  cloud: string;
}

export const dmi: Probe<Dmi> = {
  script: `show() { value=; [ -r "$2" ] && IFS= read -r value <"$2"; printf '%s=%.200s\\n' "$1" "$value"; }
for name in sys_vendor product_name bios_vendor board_vendor chassis_asset_tag; do
  show "$name" "/sys/class/dmi/id/$name"
done
show cloud /run/cloud-init/cloud-id`,
  parse({ stdout }) {
    const values = readAssignments(stdout);
    const read = (name: string) => (values.get(name) ?? '').trim();
    return {
      vendor: read('sys_vendor'),
      product: read('product_name'),
      bios: read('bios_vendor'),
      board: read('board_vendor'),
      asset: read('chassis_asset_tag'),
      cloud: read('cloud'),
    };
  },
};
