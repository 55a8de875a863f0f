import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { edgeFindings } from '../../../src/cli/edge.js';

const DAY_MS = 86_400_000;
/** For *.example.com and *.example.net, for ninety days from 28 November 2026; their keys are gone. */
const MADE = Date.parse('2026-11-28T12:00:00Z');
const OF_COM = `-----BEGIN CERTIFICATE-----
MIIBjjCCATOgAwIBAgIUXmBc2oIgXGdDkMx0VqI6rJqoFgowCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjgxMTA3NTRaFw0yNzAyMjYxMTA3NTRa
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQDhxnw
hcMEfX1KbUMgieclvvSS/L2CPU2cOTsm7y3JVW38+4l3xEJbPtF3okN7rxgB1iNj
/gyZTtPuPKVkJeIMo20wazAdBgNVHQ4EFgQUDKFvBmGtG/eJi6FjdSwVW27Rq7ww
HwYDVR0jBBgwFoAUDKFvBmGtG/eJi6FjdSwVW27Rq7wwDwYDVR0TAQH/BAUwAwEB
/zAYBgNVHREEETAPgg0qLmV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0kAMEYCIQDw
YDzOvkiOplOdiGILxJJ1m6iF1p4IJ3C2tF8TBseETAIhAOYA1w/pNt5Pf4DThCrh
0AyRygbsEJN5/MtGDK8DC76M
-----END CERTIFICATE-----`;
const OF_NET = `-----BEGIN CERTIFICATE-----
MIIBjjCCATOgAwIBAgIUQCksZotN/UMzFAbIdRiaJ0rGRggwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjgxMTA3NTRaFw0yNzAyMjYxMTA3NTRa
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARbe1B3
BFgUBhtwDqxNuusKzuue3+Zj3BG01MC7jikK85lxt7NZS3vw9mlxLZwJJ8WIrKNw
b/Qxk8BL7Hr1snb8o20wazAdBgNVHQ4EFgQUxPcXqAMLGw3FkCm+4Ilpg6bPa/ww
HwYDVR0jBBgwFoAUxPcXqAMLGw3FkCm+4Ilpg6bPa/wwDwYDVR0TAQH/BAUwAwEB
/zAYBgNVHREEETAPgg0qLmV4YW1wbGUubmV0MAoGCCqGSM49BAMCA0kAMEYCIQDJ
jbf1Z6jFewhXS0qF1SesJrprP2EOVKppWadwdEE8rQIhAMNaeiDKN1qcj7Gmv8Gd
zKWvNNiNRUOBd2to0F4qNs6G
-----END CERTIFICATE-----`;

describe('the edge in check', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-edge-check-'));
    mkdirSync(path.join(dir, 'routes', 'acme.example.com'), { recursive: true });
    mkdirSync(path.join(dir, 'wildcard'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const look = (afterDays = 0, resolve: (host: string) => Promise<string> = async () => '192.0.2.7') =>
    edgeFindings({ dir, host: 'check.example.com', now: new Date(MADE + afterDays * DAY_MS), resolve });
  const certify = (certificate: string) => writeFileSync(path.join(dir, 'wildcard', 'cert.pem'), certificate);

  it('is well with routes, names that lead to it and a certificate for each host', async () => {
    expect(await look()).deep.equal([
      { ok: true, detail: `1 hosts have a route in ${path.join(dir, 'routes')}` },
      { ok: true, detail: 'each host gets a certificate of its own at its first visit' },
      { ok: true, detail: 'check.example.com leads to 192.0.2.7' },
    ]);
  });

  it('tells of names that lead nowhere, with the record that is missing', async () => {
    const [, , name] = await look(0, async () => {
      throw new Error('ENOTFOUND');
    });
    expect(name).include({ ok: true, isWarning: true });
    expect(name?.advice).equal('Add a record *.example.com with the address of the edge.');
  });

  const cases: [string, number, { ok: boolean; isWarning?: boolean }, RegExp][] = [
    ['lasts', 60, { ok: true }, /ends in (29|30) days$/],
    ['ends soon', 80, { ok: true, isWarning: true }, /ends in (9|10) days$/],
    ['has ended', 91, { ok: false }, /ended on /],
  ];
  for (const [name, afterDays, expected, detail] of cases) {
    it(`says of a certificate of all names that it ${name}`, async () => {
      certify(OF_COM);
      const [, found] = await look(afterDays);
      expect(found).include(expected);
      expect(found?.isWarning).equal(expected.isWarning);
      expect(found?.detail).match(detail);
    });
  }

  it('says of a certificate that it is for other names', async () => {
    certify(OF_NET);
    const [, found] = await look();
    expect(found).include({ ok: true, isWarning: true });
    expect(found?.detail).contain('DNS:*.example.net is not for check.example.com');
  });
});
