/** Brings up the engine, the images and a demonstration master with the scripts of this folder, and speaks to it. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const COMPOSE_DIR = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const REPO_DIR = path.dirname(COMPOSE_DIR);

/** Which master: its project name and the three ports it takes on 127.0.0.1. */
export interface MasterOptions {
  project: string;
  port: number;
  mailPort: number;
  smtpPort: number;
  stateDir: string;
}

/** What `master.sh up` writes: where the master is and who may enter. */
export interface MasterState {
  master_url: string;
  master_db: string;
  admin_login: string;
  admin_password: string;
  sales_login: string;
  sales_password: string;
  manager_login: string;
  manager_password: string;
  api_login: string;
  api_key_file: string;
  mail_url: string;
  mail_smtp: string;
}

/** Engine and images, then the master: quick when they are there. Progress goes to stderr. */
export async function masterUp(options: MasterOptions, fresh = false): Promise<MasterState> {
  await script('engine.sh', []);
  await script('images.sh', []);
  await masterCommand(options, fresh ? ['up', '--fresh'] : ['up']);
  return JSON.parse(readFileSync(path.join(options.stateDir, `${options.project}.json`), 'utf8')) as MasterState;
}

export async function masterDown(options: MasterOptions): Promise<void> {
  await masterCommand(options, ['down']);
}

async function masterCommand(options: MasterOptions, args: string[]): Promise<void> {
  await script('master.sh', [
    ...args,
    ...['--project', options.project, '--port', String(options.port), '--mail-port', String(options.mailPort)],
    ...['--smtp-port', String(options.smtpPort), '--state-dir', options.stateDir],
  ]);
}

/** Runs a script of compose/; its progress is shown, its failure is ours. */
export function script(name: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(path.join(COMPOSE_DIR, name), args, { stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`compose/${name} ${args[0] ?? ''} ended with code ${code}; the reason is above`));
    });
  });
}

export interface Mail {
  id: string;
  subject: string;
  html: string;
  text: string;
  to: { address: string }[];
}

/** All mails the catcher holds for an address, oldest first. */
export async function mailsTo(mailUrl: string, address: string): Promise<Mail[]> {
  const response = await fetch(new URL('/api/email', mailUrl), { signal: AbortSignal.timeout(10_000) });
  const mails = (await response.json()) as Mail[];
  return mails.filter((mail) => mail.to.some((to) => to.address.toLowerCase() === address.toLowerCase()));
}

/** The temporary password in a welcome mail, as its reader finds it. */
export function passwordIn(mail: Mail): string {
  const password = /(?:Contraseña temporal|Temporary password)[\s:*]+(\S+)/i.exec(mail.text)?.[1];
  if (!password) throw new Error(`the mail "${mail.subject}" has no password`);
  return password;
}
