/** A real, small DNS server whose records a test sets. */
import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { type Answer, decode, encode, type Packet } from 'dns-packet';

export interface Records {
  A?: string[];
  AAAA?: string[];
  TXT?: string[];
  /** `issue` values. */
  CAA?: string[];
  /** Leads on to that name. */
  CNAME?: string;
  /** Does not answer, or answers that something is wrong. */
  fails?: 'silent' | 'refused';
}

export interface DnsServer {
  /** `127.0.0.1:port` */
  address: string;
  /** What is asked of a name that is none of these: there is nothing. */
  records: Map<string, Records>;
  /** `TYPE name`, in the order of the questions. */
  asked: string[];
  close(): void;
}

const MOST_ALIASES = 8;

export async function startDns(port = 0): Promise<DnsServer> {
  const records = new Map<string, Records>();
  const asked: string[] = [];
  const socket = createSocket('udp4');

  function answersTo(type: string, name: string): Answer[] {
    const answers: Answer[] = [];
    let at = name.toLowerCase();
    for (let i = 0; i < MOST_ALIASES; i++) {
      const found = records.get(at) ?? {};
      if (found.CNAME) {
        answers.push({ type: 'CNAME', name: at, ttl: 1, data: found.CNAME });
        at = found.CNAME;
        continue;
      }
      if (type === 'A' || type === 'AAAA') {
        answers.push(...(found[type] ?? []).map((data) => ({ type, name: at, ttl: 1, data }) as Answer));
      } else if (type === 'TXT') {
        answers.push(...(found.TXT ?? []).map((data) => ({ type, name: at, ttl: 1, data: [data] }) as Answer));
      } else if (type === 'CAA') {
        const data = (value: string) => ({ flags: 0, tag: 'issue' as const, value });
        answers.push(...(found.CAA ?? []).map((value) => ({ type, name: at, ttl: 1, data: data(value) }) as Answer));
      }
      break;
    }
    return answers;
  }

  socket.on('message', (message, from) => {
    const packet = decode(message);
    const [question] = packet.questions ?? [];
    if (!question) return;
    asked.push(`${question.type} ${question.name}`);
    const fails = records.get(question.name.toLowerCase())?.fails;
    if (fails === 'silent') return;
    const answers = fails === 'refused' ? [] : answersTo(question.type, question.name);
    // The low bits are the code of the answer: 5 is REFUSED, 3 that there is no such name.
    const code = fails === 'refused' ? 5 : records.has(question.name.toLowerCase()) ? 0 : 3;
    const reply: Packet = { type: 'response', flags: 0x0180 | code, questions: [question], answers };
    if (packet.id !== undefined) reply.id = packet.id;
    socket.send(encode(reply), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', resolve);
  });
  const { port: bound } = socket.address() as AddressInfo;
  return { address: `127.0.0.1:${bound}`, records, asked, close: () => socket.close() };
}
