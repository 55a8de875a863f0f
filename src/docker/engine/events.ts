/** What happens on the engine, as it happens: one JSON object a line, for as long as the connection lasts. */
import type { Readable } from 'node:stream';

/** A longer line is no event of ours. */
const LONGEST_LINE = 1_000_000;

export interface EngineEvent {
  /** `die`, `start`, `destroy`, … */
  action: string;
  labels: Record<string, string>;
}

export interface EventStream {
  /** Settles when the connection has ended: an engine that is restarted ends all of them. */
  ended: Promise<void>;
  close(): void;
}

/** @param onEvent is called for each line that is an event; others are left out. */
export function readEvents(connection: Readable, onEvent: (event: EngineEvent) => void): EventStream {
  let rest = '';
  connection.setEncoding('utf8');
  connection.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    for (const line of lines) {
      const event = parse(line);
      if (event) onEvent(event);
    }
  });
  const ended = new Promise<void>((resolve) => {
    for (const end of ['end', 'close', 'error']) connection.on(end, () => resolve());
  });
  return { ended, close: () => void connection.destroy() };
}

function parse(line: string): EngineEvent | null {
  try {
    const event = JSON.parse(line) as { Action?: unknown; Actor?: { Attributes?: Record<string, string> } };
    if (typeof event.Action !== 'string') return null;
    return { action: event.Action, labels: event.Actor?.Attributes ?? {} };
  } catch {
    return null;
  }
}
