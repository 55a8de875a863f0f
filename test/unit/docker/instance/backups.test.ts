import { expect } from 'chai';
import { reportIn } from '../../../../src/docker/instance/backups.js';

const JSON_LINE = 'backup {"snapshot_id":"0123456789ab","total_bytes_processed":5000000,"data_added_packed":1000}';

describe('what a backup reports', () => {
  it('is its snapshot, its size, and the moments of all that are kept, the newest first', () => {
    const report = reportIn(
      `${JSON_LINE}\nforgotten 2026-11-27T02:10:04.123456789+01:00 2026-11-28T02:10:05.5Z 2026-11-26T02:10:04Z \n`,
    );
    expect(report).deep.equal({
      ...{ snapshot: '0123456789ab', bytes: 5e6, addedBytes: 1000, kept: null },
      moments: ['2026-11-28T02:10:05.500Z', '2026-11-27T01:10:04.123Z', '2026-11-26T02:10:04.000Z'].map(
        (at) => new Date(at),
      ),
    });
  });

  it('is no moment at all where one makes no sense, or old ones could not go', () => {
    for (const line of ['forgotten ', 'forgotten 2026-11-27T02:10:04Z never', 'kept the target refuses', '']) {
      expect(reportIn(`${JSON_LINE}\n${line}\n`)?.moments, line).equal(null);
    }
    expect(reportIn(`${JSON_LINE}\nkept the target refuses\n`)?.kept).equal('the target refuses');
    expect(reportIn('forgotten 2026-11-27T02:10:04Z')).equal(null);
  });
});
