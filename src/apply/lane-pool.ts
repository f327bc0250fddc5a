import type { DnsLane } from './dns-lane.js';

/**
 * The lanes of zones to which several servers of one command write: one lock, one journal and one order of writing for
 * each zone, given back with the last server that used it.
 */
export interface LanePool {
  take(zone: string, create: () => DnsLane): DnsLane;
}

export function createLanePool(): LanePool {
  const open = new Map<string, { lane: DnsLane; users: number }>();
  return {
    take(zone, create) {
      const entry = open.get(zone) ?? { lane: create(), users: 0 };
      entry.users += 1;
      open.set(zone, entry);
      return {
        backup: () => entry.lane.backup(),
        applyStage: (stage, planned) => entry.lane.applyStage(stage, planned),
        async close() {
          entry.users -= 1;
          if (entry.users > 0) return;
          // Until the lock is given back, whoever comes is in this lane's queue: a lane of its own would find the zone locked.
          await entry.lane.close();
          if (entry.users === 0 && open.get(zone) === entry) open.delete(zone);
        },
      };
    },
  };
}
