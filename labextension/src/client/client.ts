/**
 * The server's routes.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { ProblemError } from './problems';
import type { ICheckAnswer } from './types';

export type Query = Readonly<
  Record<string, string | number | boolean | readonly string[] | null | undefined>
>;

/** Asks the server; every refusal is a `ProblemError`, every broken connection a `NetworkError`. */
export class WorkflowsClient {
  constructor(readonly serverSettings: ServerConnection.ISettings = ServerConnection.makeSettings()) {}

  /** Address of a route, such as `url('runs', id)`. */
  url(...parts: string[]): string {
    return URLExt.join(this.serverSettings.baseUrl, 'workflows/api', ...parts.map(encodeURIComponent));
  }

  get<T>(parts: readonly string[], query?: Query, signal?: AbortSignal): Promise<T> {
    return this._request<T>('GET', parts, { query, signal });
  }

  post<T>(parts: readonly string[], body: unknown = {}, query?: Query, signal?: AbortSignal): Promise<T> {
    return this._request<T>('POST', parts, { body, query, signal });
  }

  put<T>(parts: readonly string[], body: unknown): Promise<T> {
    return this._request<T>('PUT', parts, { body });
  }

  patch<T>(parts: readonly string[], body: unknown): Promise<T> {
    return this._request<T>('PATCH', parts, { body });
  }

  delete(parts: readonly string[]): Promise<void> {
    return this._request<void>('DELETE', parts, {});
  }

  /** Check a document that is being edited; its notebooks are looked for beside `path`. */
  check(document: string, path: string | null, signal?: AbortSignal): Promise<ICheckAnswer> {
    return this.post<ICheckAnswer>(['check'], { document, ...(path ? { path } : {}) }, undefined, signal);
  }

  private async _request<T>(
    method: string,
    parts: readonly string[],
    { body, query, signal }: { body?: unknown; query?: Query; signal?: AbortSignal }
  ): Promise<T> {
    const response = await ServerConnection.makeRequest(
      this.url(...parts) + queryString(query),
      {
        method,
        signal,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })
      },
      this.serverSettings
    );
    if (response.ok) {
      return (response.status === 204 ? undefined : await response.json()) as T;
    }
    let details: ProblemError['details'] = {};
    try {
      details = (await response.json()) as ProblemError['details'];
    } catch {
      details = { detail: `The server answered ${response.status} ${response.statusText}.` };
    }
    throw new ProblemError(response.status, details);
  }
}

function queryString(query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) {
      value.forEach(one => parameters.append(name, String(one)));
    } else if (value !== null && value !== undefined) {
      parameters.append(name, String(value));
    }
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
