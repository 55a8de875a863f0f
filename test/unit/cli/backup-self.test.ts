import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { backupSelf } from '../../../src/cli/backup-self.js';
import { openStore } from '../../../src/store/store.js';

describe('backup-self', () => {
  let dir: string;
  const out = {
    text: '',
    isTTY: false,
    write(text: string) {
      out.text += text;
      return true;
    },
  };
  const data = () => ({ dataDir: path.join(dir, 'data'), storePath: path.join(dir, 'data', 'bridge.sqlite') });
  const self = () => path.join(dir, 'self');

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-self-'));
    out.text = '';
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('copies key, owner, store, settings and the files that they name, for nobody else to read', async () => {
    const store = openStore(data().storePath);
    store.meta.set('a', 'b');
    writeFileSync(path.join(dir, 'data', 'secret.key'), `${'a'.repeat(64)}\n`, { mode: 0o600 });
    writeFileSync(path.join(dir, 'data', 'owner.id'), 'x');
    writeFileSync(path.join(dir, 'api'), 'the API key');
    const env = { SAAS_ODOO_API_KEY_FILE: path.join(dir, 'api'), SAAS_SCOPE: 'x', HOME: '/root' };
    await backupSelf(data(), env, self(), out, false);
    expect(readdirSync(self()).sort()).deep.equal([
      ...['SAAS_ODOO_API_KEY_FILE', 'bridge.sqlite', 'owner.id', 'secret.key', 'settings'],
    ]);
    for (const file of readdirSync(self())) expect(statSync(path.join(self(), file)).mode & 0o777, file).equal(0o600);
    expect(statSync(self()).mode & 0o777).equal(0o700);
    const read = (file: string) => readFileSync(path.join(self(), file), 'utf8');
    expect(read('secret.key')).equal(`${'a'.repeat(64)}\n`);
    expect(read('SAAS_ODOO_API_KEY_FILE')).equal('the API key');
    expect(read('settings')).equal(`SAAS_ODOO_API_KEY_FILE=${path.join(dir, 'api')}\nSAAS_SCOPE=x\n`);
    // Of one moment, while it is open elsewhere.
    store.close();
    const copy = openStore(path.join(self(), 'bridge.sqlite'), { access: 'readonly' });
    expect(copy.meta.get('a')).equal('b');
    copy.close();
    expect(out.text)
      .match(/not on this host alone/)
      .not.contain('a'.repeat(64));
  });

  it('never writes over what is there, and says that there is no key', async () => {
    const refused = async () => (await backupSelf(data(), {}, self(), out, true).catch((error) => error)).code;
    openStore(data().storePath).close();
    expect(await refused()).equal('key.none');
    writeFileSync(path.join(dir, 'data', 'secret.key'), 'a'.repeat(64), { mode: 0o600 });
    writeFileSync(self(), '');
    expect(await refused()).equal('self.exists');
  });
});
