import { expect } from 'chai';
import { addressFindings } from '../../../src/cli/addresses.js';

describe('addresses in check', () => {
  const look = (urlTemplate: string, masterUrl = 'https://shop.example.com', bindAddress = '127.0.0.1') =>
    addressFindings({ urlTemplate, masterUrl, bindAddress });

  const warnings: [string, string, string, RegExp][] = [
    [
      'https://{name}.example.com',
      'https://shop.example.com',
      '127.0.0.1',
      /share example\.com: .* cookies for the shop/,
    ],
    ['https://{name}.shop.example.com', 'https://shop.example.com', '10.0.0.5', /share example\.com: .* the shop/],
    ['https://{name}.example.net', 'https://shop.example.com', '127.0.0.1', /share example\.net, .* for another/],
    ['https://{name}.clients.example.net', 'https://example.com', '::1', /share example\.net, .* for another/],
    ['http://localhost:{port}', 'https://shop.example.com', '127.0.0.1', /share localhost, .* for another/],
    ['http://127.0.0.1:{port}', 'http://127.0.0.1:8069', '127.0.0.1', /share 127\.0\.0\.1: .* for the shop/],
    ['http://{name}.localhost:{port}', 'http://127.0.0.1:8069', '0.0.0.0', /published on 0\.0\.0\.0: a link/],
    ['https://{name}.github.io', 'https://shop.example.com', '::', /published on ::/],
    ['https://{name}.github.io', 'https://shop.example.com', '172.32.0.1', /published on 172\.32\.0\.1/],
  ];
  for (const [url, shop, bind, expected] of warnings) {
    it(`warns of ${url} beside ${shop} on ${bind}`, () => {
      const findings = look(url, shop, bind);
      expect(findings).length(1);
      expect(findings[0]).include({ ok: true, isWarning: true });
      expect(findings[0]?.detail).match(expected);
      expect(findings[0]?.advice).match(/^[A-Z].*\.$/);
    });
  }

  it('is content with a domain of the customers that browsers know as a public suffix, and with this machine', () => {
    for (const url of ['https://{name}.github.io', 'https://{name}.co.uk', 'http://{name}.localhost:{port}']) {
      for (const bind of ['127.0.0.1', '::1', '192.168.1.4', '172.31.0.1', '100.64.0.1', 'fd00::1']) {
        expect(look(url, 'https://shop.example.com', bind), url).deep.equal([
          { ok: true, detail: `${url}: cookies of one customer reach no other` },
        ]);
      }
    }
  });

  it('tells both, where names and ports are open', () => {
    expect(look('https://{name}.example.com', 'https://example.com', '203.0.113.7')).length(2);
  });
});
