import { inspect } from 'node:util';
import { expect } from 'chai';
import { odooPasswordHash } from '../../../src/docker/instance/personalise.js';
import { deriveSecrets } from '../../../src/instance/secrets.js';
import { Secret } from '../../../src/lib/secret.js';

const KEY = Buffer.alloc(32, 7);

describe('deriveSecrets', () => {
  it('gives the same secrets every time', () => {
    const [one, two] = [deriveSecrets(KEY, 'sol:7'), deriveSecrets(KEY, 'sol:7')];
    expect(one.adminPassword.reveal()).to.equal(two.adminPassword.reveal());
    expect(one.databaseUuid).to.equal(two.databaseUuid);
  });

  it('gives each instance, purpose and key its own', () => {
    const all = [deriveSecrets(KEY, 'sol:7'), deriveSecrets(KEY, 'sol:8'), deriveSecrets(Buffer.alloc(32, 8), 'sol:7')];
    const texts = all.flatMap((secrets) =>
      Object.values(secrets).map((value) => (value instanceof Secret ? value.reveal() : String(value))),
    );
    expect(new Set(texts).size).to.equal(18);
  });

  it('makes an administrator password that can be read aloud', () => {
    expect(deriveSecrets(KEY, 'sol:7').adminPassword.reveal()).to.match(/^[a-hjkm-zA-HJ-NP-Z2-9]{20}$/);
  });

  it('makes a real UUID', () => {
    expect(deriveSecrets(KEY, 'sol:7').databaseUuid).to.match(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});

describe('Secret', () => {
  it('is printed nowhere', () => {
    const secret = new Secret('hunter2');
    for (const text of [`${secret}`, JSON.stringify({ secret }), inspect({ secret }), String(secret)]) {
      expect(text).to.contain('[redacted]').and.not.contain('hunter2');
    }
    expect(secret.reveal()).to.equal('hunter2');
  });
});

describe('odooPasswordHash', () => {
  it("writes passlib's format", async () => {
    // python3: passlib.hash.pbkdf2_sha512.using(rounds=10000, salt=bytes(range(16))).hash('secret')
    expect(await odooPasswordHash('secret', Buffer.from([...Array(16).keys()]))).to.equal(
      '$pbkdf2-sha512$10000$AAECAwQFBgcICQoLDA0ODw$s1qOkFay1DbcR0sablkjBgtOqf1IcoQVkkK1uzR9LdXA0A7SkKhkz0j9Li48.pDMKueSh3UUQNkgDDksLeAu.Q',
    );
  });
});
