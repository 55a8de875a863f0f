/** Runs the targets and counts. */
import fc from 'fast-check';
import { Escape, type Target } from './target.js';

export interface Finding {
  target: string;
  kind: 'crash' | 'escape';
  /** The smallest value that was found to do it. */
  value: string;
  message: string;
  /** For `--seed` and fast-check's `path`. */
  path: string;
}

export interface Result {
  seed: number;
  cases: number;
  crashes: number;
  escapes: number;
  findings: Finding[];
}

export interface Options {
  cases: number;
  seed: number;
  onTarget?(name: string, cases: number, ms: number): void;
}

/** At least `cases` of them, shared out by the targets. A target ends at its first finding, made as small as can be. */
export async function run(targets: readonly Target[], { cases, seed, onTarget }: Options): Promise<Result> {
  const shares = targets.reduce((sum, { share }) => sum + share, 0);
  const result: Result = { seed, cases: 0, crashes: 0, escapes: 0, findings: [] };
  for (const target of targets) {
    const numRuns = Math.ceil((cases * target.share) / shares);
    const startedAt = performance.now();
    const property = fc.asyncProperty(target.values, async (value) => target.check(value));
    let details: Awaited<ReturnType<typeof fc.check<[unknown]>>>;
    try {
      details = await fc.check(property, {
        numRuns,
        seed,
        interruptAfterTimeLimit: 600_000,
        markInterruptAsFailure: true,
      });
    } finally {
      await target.close?.();
    }
    result.cases += details.numRuns + details.numShrinks;
    if (details.failed) {
      const error = details.errorInstance;
      const kind = error instanceof Escape ? 'escape' : 'crash';
      result[kind === 'escape' ? 'escapes' : 'crashes']++;
      result.findings.push({
        target: target.name,
        kind,
        value: fc.stringify(details.counterexample?.[0]).slice(0, 2000),
        message: error instanceof Error ? `${error.message}\n${kind === 'crash' ? error.stack : ''}` : String(error),
        path: details.counterexamplePath ?? '',
      });
    }
    onTarget?.(target.name, details.numRuns + details.numShrinks, performance.now() - startedAt);
  }
  return result;
}
