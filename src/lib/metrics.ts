import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What a gauge is computed from when it is scraped; no work is done in between. */
export interface MetricSources {
  instancesByPhase(): Record<string, number>;
  jobsWaiting(): number;
  /** How many instances have failed for long. */
  stuck(): number;
  /** Instances whose backup fails, and whose trial has failed. */
  backups(): { failing: number; notWhole: number };
  outbox(): { count: number; oldestAgeMs: number; deadLetters: number };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Prometheus metrics of one daemon, in a registry of their own. */
export function createMetrics(sources: MetricSources) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  new Gauge({
    name: 'saas_instances',
    help: 'Instances by phase',
    labelNames: ['phase'],
    registers,
    collect() {
      this.reset();
      for (const [phase, count] of Object.entries(sources.instancesByPhase())) this.set({ phase }, count);
    },
  });
  new Gauge({
    name: 'saas_jobs_waiting',
    help: 'Jobs that are due and not done',
    registers,
    collect() {
      this.set(sources.jobsWaiting());
    },
  });
  new Gauge({
    name: 'saas_instances_stuck',
    help: 'Instances whose work has failed for so long that a person was told',
    registers,
    collect() {
      this.set(sources.stuck());
    },
  });
  new Gauge({
    name: 'saas_outbox_pending',
    help: 'Writes owed to the master',
    registers,
    collect() {
      this.set(sources.outbox().count);
    },
  });
  new Gauge({
    name: 'saas_outbox_oldest_seconds',
    help: 'Age of the oldest write owed to the master',
    registers,
    collect() {
      this.set(sources.outbox().oldestAgeMs / 1000);
    },
  });
  new Gauge({
    name: 'saas_outbox_dead_letters',
    help: 'Writes that the master refused for good',
    registers,
    collect() {
      this.set(sources.outbox().deadLetters);
    },
  });
  new Gauge({
    name: 'saas_backups_failing',
    help: 'Instances whose last try of a backup has failed',
    registers,
    collect() {
      this.set(sources.backups().failing);
    },
  });
  new Gauge({
    name: 'saas_backups_not_whole',
    help: 'Instances whose backup was restored on trial and was not whole',
    registers,
    collect() {
      this.set(sources.backups().notWhole);
    },
  });
  return {
    registry,
    /** Null before the first time. */
    lastPollAge(ageMs: () => number | null) {
      new Gauge({
        name: 'saas_last_poll_age_seconds',
        help: 'Seconds since the master was last read; absent before the first time',
        registers,
        collect() {
          const age = ageMs();
          if (age === null) this.remove();
          else this.set(age / 1000);
        },
      });
    },
    /** Suspensions, warnings, reminders and deletions wait. */
    calendarWaits(isWaiting: () => boolean) {
      new Gauge({
        name: 'saas_calendar_waits',
        help: '1 while suspensions, warnings, reminders and deletions wait: the master is unread or the clocks differ',
        registers,
        collect() {
          this.set(isWaiting() ? 1 : 0);
        },
      });
    },
    /** Null before the first look. */
    diskFree(free: () => number | null) {
      new Gauge({
        name: 'saas_disk_free_ratio',
        help: "Free part of the engine's disk; absent before the first look",
        registers,
        collect() {
          const part = free();
          if (part === null) this.remove();
          else this.set(part);
        },
      });
    },
    backupSeconds: new Histogram({
      name: 'saas_backup_seconds',
      help: 'Duration of the backups that were made',
      buckets: [1, 2, 4, 8, 16, 60, 300, 1800, 7200],
      registers,
    }),
    polls: new Counter({
      name: 'saas_polls_total',
      help: 'Polls of the master',
      labelNames: ['result'],
      registers,
    }),
    provisionSeconds: new Histogram({
      name: 'saas_provision_seconds',
      help: 'From the decision to a customer who can log in',
      buckets: [1, 2, 3, 4, 5, 7.5, 10, 15, 30, 60, 120],
      registers,
    }),
    reconciles: new Counter({
      name: 'saas_reconciles_total',
      help: 'Runs of the reconciler',
      labelNames: ['result'],
      registers,
    }),
    stepSeconds: new Histogram({
      name: 'saas_step_seconds',
      help: 'Duration of the steps',
      labelNames: ['step'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 60],
      registers,
    }),
  };
}
