import { execFileSync } from 'node:child_process';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { curl, quote } from '../curl';

describe('curl', () => {
  it('sends the example with a token', () => {
    expect(
      curl({
        address: 'http://localhost:8888/workflows/hooks/shop/order',
        method: 'POST',
        auth: 'token',
        request: {
          body: { item: "a 'b'" },
          query: { tag: ['x', 'y z'] },
          headers: { 'X-Kind': 'test', authorization: 'no' }
        }
      })
    ).toBe(
      [
        `curl 'http://localhost:8888/workflows/hooks/shop/order?tag=x&tag=y+z' \\`,
        `  -X POST \\`,
        `  -H 'Authorization: Bearer TOKEN' \\`,
        `  -H 'X-Kind: test' \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  --data-binary '{"item":"a '\\''b'\\''"}'`
      ].join('\n')
    );
  });

  it('asks without a body', () => {
    expect(curl({ address: 'http://h/x', method: 'GET', auth: 'none' })).toBe('curl http://h/x');
  });

  it('signs the body', () => {
    const command = curl({
      address: 'http://h/x',
      method: 'POST',
      auth: 'signature',
      request: { body: 'hi' }
    });
    expect(command).toContain('BODY=hi');
    expect(command).toContain('openssl dgst -sha256 -hmac SECRET');
  });

  it('quotes for the shell', () => {
    const texts = fc.sample(fc.string(), 20).filter(text => !text.includes('\0'));
    for (const text of ['it\'s $HOME `x` \\ "', ...texts]) {
      expect(execFileSync('sh', ['-c', `printf %s ${quote(text)}`]).toString()).toBe(text);
    }
  });
});
