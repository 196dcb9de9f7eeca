/**
 * How a hook is called from a terminal.
 */
import type { ReadonlyJSONObject, ReadonlyJSONValue } from '@lumino/coreutils';

export interface ICall {
  readonly address: string;
  readonly method: string;
  readonly auth: string;
  /** An example: `test.request` of the stage. */
  readonly request?: ReadonlyJSONObject;
}

/** Return the lines of a command for a POSIX shell. The secret is to be put in place of TOKEN or SECRET. */
export function curl({ address, method, auth, request = {} }: ICall): string {
  const body = bodyOf(method, request);
  const options: string[] = [];
  if (method !== 'GET') {
    options.push(`-X ${method}`);
  }
  if (auth === 'token') {
    options.push(`-H 'Authorization: Bearer TOKEN'`);
  }
  for (const [name, value] of Object.entries(object(request.headers))) {
    if (!/^(?:authorization|content-type|content-length|host)$/i.test(name)) {
      options.push(`-H ${quote(`${name}: ${text(value)}`)}`);
    }
  }
  if (body !== null) {
    options.push(`-H 'Content-Type: ${body.type}'`);
  }
  const url = quote(address + queryOf(object(request.query)));
  if (auth === 'signature') {
    options.push(
      `-H "X-Hub-Signature-256: sha256=$(printf %s "$BODY" | openssl dgst -sha256 -hmac SECRET -r | cut -d' ' -f1)"`
    );
    options.push(`--data-binary "$BODY"`);
    return [`BODY=${quote(body?.text ?? '')}`, [`curl ${url}`, ...options].join(' \\\n  ')].join('\n');
  }
  if (body !== null) {
    options.push(`--data-binary ${quote(body.text)}`);
  }
  return [`curl ${url}`, ...options].join(' \\\n  ');
}

/** Quote a text for a POSIX shell. */
export function quote(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

function bodyOf(method: string, request: ReadonlyJSONObject): { text: string; type: string } | null {
  const { body } = request;
  if (method === 'GET' || (body === undefined && method === 'DELETE')) {
    return null;
  }
  if (typeof body === 'string') {
    return { text: body, type: 'text/plain' };
  }
  return { text: JSON.stringify(body ?? {}), type: 'application/json' };
}

function queryOf(query: ReadonlyJSONObject): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? (value as ReadonlyJSONValue[]) : [value]) {
      parameters.append(name, text(one));
    }
  }
  const written = parameters.toString();
  return written === '' ? '' : `?${written}`;
}

function object(value: ReadonlyJSONValue | undefined): ReadonlyJSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as ReadonlyJSONObject)
    : {};
}

function text(value: ReadonlyJSONValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
