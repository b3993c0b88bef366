/**
 * What can go wrong between a request and its answer: whether trying again may help, and what to tell the user. URLs are
 * shown without passwords.
 */
import { redactUrl } from '@neve/diagnostics';
import { StoreError } from '../../store-error.ts';

export type Failure = {
  /** What happened, as a phrase. */
  readonly problem: string;
  readonly hint: string;
  readonly isTransient: boolean;
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
};

const later = 'check the network and try again later';

/** What a library threw instead of giving an answer. */
export function failureOfError(cause: unknown): Failure {
  const code = codeOf(cause);
  const problem = redactUrl(messageOf(cause));
  if (/^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_)|SELF_SIGNED|^HOSTNAME_MISMATCH$/.test(code)) {
    const hint = 'add the certificate of the authority that it should trust, or mend the clock or the URL';
    return { problem: `the connection is not secure: ${problem}`, hint, isTransient: false, cause };
  }
  if (/Proxy.*407|407.*[Pp]roxy|Proxy response \(407\)/.test(problem)) {
    return {
      problem: 'the proxy asks for a user and a password',
      hint: proxyHint,
      isTransient: false,
      cause,
    };
  }
  if (code === 'ENOTFOUND') {
    return {
      problem: 'the host is not known',
      hint: 'check its name and the network',
      isTransient: true,
      cause,
    };
  }
  const isTransient = !/^(UND_ERR_INVALID|UND_ERR_NOT_SUPPORTED|ERR_INVALID)/.test(code);
  return { problem, hint: later, isTransient, cause };
}

const proxyHint = 'put them into the URL of the proxy';

/** An answer that does not tell what was asked. */
export function failureOfStatus(status: number, statusText: string): Omit<Failure, 'isTransient' | 'cause'> {
  const problem = `the server answered ${status}${statusText === '' ? '' : ` ${statusText}`}`;
  if (status === 401) return { problem, hint: 'give a user and a password for the host in a netrc file' };
  if (status === 407) return { problem, hint: proxyHint };
  if (status === 511) return { problem, hint: 'log in to this network first' };
  if (status >= 500 || status === 429 || status === 408) return { problem, hint: 'try again later' };
  return { problem, hint: 'check the URL' };
}

/** `GET https://host/file: <what happened>, after 5 attempts; <what to do>`. */
export function requestError(
  request: { readonly method: string; readonly url: string },
  { problem, hint, cause }: Pick<Failure, 'problem' | 'hint' | 'cause'>,
  attempts = 1,
): StoreError {
  const count = attempts > 1 ? `, after ${attempts} attempts` : '';
  const message = `${request.method} ${redactUrl(request.url)}: ${problem}${count}; ${hint}`;
  return new StoreError('io', message, cause === undefined ? undefined : { cause });
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Trying several addresses of a host gives one error for each, and an empty message.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error.message === '' ? codeOf(error) || error.name : error.message;
}
