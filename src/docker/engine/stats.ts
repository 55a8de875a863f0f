/** What a container uses, from the engine's figures. Pure. */
export interface Stats {
  memory_stats: { usage?: number; stats?: Record<string, number> };
}

/** Memory in use without the page cache, bytes. */
export function memoryIn({ memory_stats: { usage = 0, stats } }: Stats): number {
  return usage - (stats?.total_inactive_file ?? stats?.inactive_file ?? 0);
}
