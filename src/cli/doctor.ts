/** `saas-bridge doctor`: what does not agree between master, engine, disk and store, and with `--fix` what can be mended is. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import { diagnose, inBoth } from '../doctor/diagnose.js';
import { FIXES, type Finding } from '../doctor/kinds.js';
import type { Picture } from '../doctor/picture.js';
import { PHASE } from '../instance/phase.js';
import { mend } from './doctor-mend.js';
import { takePicture } from './doctor-picture.js';
import { mark, type Out } from './output.js';

/** What is under way has changed by then. */
const LOOK_AGAIN_MS = 3_000;

export interface DoctorOptions {
  fix: boolean;
  asJson: boolean;
}

/** Reads beside a running daemon. @returns whether nothing is left that a person should see to. */
export async function doctor(config: Config, out: Out, { fix, asJson }: DoctorOptions): Promise<boolean> {
  const first = diagnose(await takePicture(config));
  // Also where nothing was found, what is printed is of one look.
  if (first.length > 0) await sleep(LOOK_AGAIN_MS);
  const picture = await takePicture(config);
  const findings = inBoth(first, diagnose(picture));
  const mended = new Set(fix ? await mend(config, findings) : []);
  const ok = findings.every((finding) => mended.has(finding));
  if (asJson) {
    const told = findings.map((finding) => ({ ...finding, mended: mended.has(finding) }));
    out.write(`${JSON.stringify({ ok, running: picture.isRunning, findings: told })}\n`);
    return ok;
  }
  out.write(`${picture.isRunning ? 'A daemon works' : 'No daemon works'} on ${config.dataDir}.\n`);
  for (const finding of findings) out.write(`${inWords(finding, mended.has(finding), out)}\n`);
  out.write(`${summary(findings, mended.size, picture)}\n`);
  return ok;
}

function inWords({ kind, sentence, advice, fix }: Finding, isMended: boolean, out: Out): string {
  const help = fix === null ? '' : ` ${isMended ? 'Mended' : '--fix'}: ${FIXES[fix]}.`;
  return `${mark(isMended ? 'ok' : 'wrong', out)}  ${kind.padEnd(18)} ${sentence}\n${' '.repeat(26)}→ ${advice}${help}`;
}

function summary(findings: Finding[], mended: number, { store }: Picture): string {
  const count = store?.instances.filter(({ phase }) => !PHASE[phase].gone).length ?? 0;
  if (findings.length === 0) return `Master, engine, disk and store agree; ${count} instances.`;
  const [left, can] = [findings.length - mended, findings.filter(({ fix }) => fix !== null).length];
  if (mended > 0) return `${mended} mended, ${left} left.`;
  return `${findings.length} found${can > 0 ? `; ${can} can be mended: saas-bridge doctor --fix` : ''}.`;
}
