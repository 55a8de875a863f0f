import { expect } from 'chai';
import { NO_CREDENTIALS, repositoriesIn } from '../../../src/backup/repositories.js';
import { parseTarget, type Target, targetName } from '../../../src/backup/target.js';
import { deriveSecrets } from '../../../src/instance/secrets.js';
import { Secret } from '../../../src/lib/secret.js';

const KEY = Buffer.alloc(32, 7);

describe('the target of the backups', () => {
  const good: [string, Target][] = [
    ['volume:saas_backups', { kind: 'volume', volume: 'saas_backups' }],
    ['/srv/backups', { kind: 'folder', folder: '/srv/backups' }],
    ['local:/srv/backups', { kind: 'folder', folder: '/srv/backups' }],
    ['sftp:backup@nas.example.com:/srv/saas', { kind: 'sftp', address: 'sftp:backup@nas.example.com:/srv/saas' }],
    ['sftp://backup@nas:2222//srv/saas', { kind: 'sftp', address: 'sftp://backup@nas:2222//srv/saas' }],
    ['rest:https://backup.example.com:8000/', { kind: 'rest', address: 'rest:https://backup.example.com:8000' }],
    ['s3:https://s3.example.com/bucket/saas', { kind: 's3', address: 's3:https://s3.example.com/bucket/saas' }],
    ['s3:s3.amazonaws.com/bucket', { kind: 's3', address: 's3:s3.amazonaws.com/bucket' }],
  ];
  for (const [text, target] of good) it(`is read: ${text}`, () => expect(parseTarget(text)).deep.equal(target));

  const bad = [
    'backups',
    'volume:',
    'volume:../x',
    '/srv/../etc',
    'rest:https://user:secret@host/',
    'rest:ftp://host',
    's3:bucket',
    'sftp:nas:/srv',
    'b2:bucket',
  ];
  for (const text of bad) it(`is refused: ${text}`, () => expect(parseTarget(text)).equal(null));
});

describe('the repository of an instance', () => {
  const of = (text: string, credentials = NO_CREDENTIALS, fingerprint = 'abcdef0123456789') => {
    const target = parseTarget(text);
    if (!target) return expect.fail(text);
    expect(targetName(target)).not.to.contain('secret');
    const secretsOf = (key: string) => deriveSecrets(KEY, key);
    return repositoriesIn({ target, credentials, scope: 'default', fingerprint, secretsOf });
  };

  it('is its own, with a password of its own', () => {
    const [one, two] = [of('/srv/backups')('sol:7'), of('/srv/backups')('sol:8')];
    expect(one.address.reveal()).equal('/repository/default-abcdef01/sol-7');
    expect(two.address.reveal()).equal('/repository/default-abcdef01/sol-8');
    expect(one.password.reveal()).to.have.length(43).and.not.equal(two.password.reveal());
    expect(one.mount).deep.equal({ folder: '/srv/backups' });
  });

  it('is another one for another key of the daemon', () => {
    const [one, two] = ['a', 'b'].map((first) => of('/srv', NO_CREDENTIALS, `${first}bcdef0123456789`)('sol:7'));
    expect(one?.address.reveal()).not.equal(two?.address.reveal());
  });

  it('has the login of a rest-server in its address alone, which is a secret', () => {
    const credentials = { ...NO_CREDENTIALS, login: new Secret('saas:p:@/ä') };
    const { address, mount } = of('rest:https://nas:8000', credentials)('sol:7');
    expect(address.reveal()).equal('rest:https://saas:p%3A%40%2F%C3%A4@nas:8000/default-abcdef01/sol-7');
    expect(String(address)).equal('[redacted]');
    expect(mount).equal(null);
  });

  it('has the keys of S3 in a file', () => {
    const credentials = { ...NO_CREDENTIALS, login: new Secret('AKIA:hidden') };
    const { address, files } = of('s3:https://s3.example.com/bucket', credentials)('rec:3');
    expect(address.reveal()).equal('s3:https://s3.example.com/bucket/default-abcdef01/rec-3');
    expect(files.s3?.reveal()).to.contain('aws_access_key_id = AKIA').and.contain('aws_secret_access_key = hidden');
  });

  it('refuses a login that is none, and does not print it', () => {
    const credentials = { ...NO_CREDENTIALS, login: new Secret('hidden') };
    expect(() => of('rest:https://nas:8000', credentials)('sol:7'))
      .to.throw('no login')
      .and.not.match(/hidden/);
  });

  it('is of a key alone', () => {
    for (const key of ['../x', 'sol:7/../8', 'sol:', '']) expect(() => of('/srv')(key)).to.throw(RangeError);
  });
});
