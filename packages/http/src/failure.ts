/**
 * What can go wrong between a request and its answer: whether trying again may help, and what to tell the user. URLs are
 * shown without passwords.
 */
import { redactUrl, redactUrlsIn } from '@neve/diagnostics';
import { HttpError, type HttpErrorCode } from './http-error.ts';

/** A request in messages. */
export type RequestName = { readonly method: string; readonly url: string };

export type Problem = {
  readonly code: HttpErrorCode;
  /** What happened, as a phrase. */
  readonly problem: string;
  /** What to do about it. */
  readonly hint: string;
  readonly status?: number;
  readonly cause?: unknown;
};

export type Failure = Problem & {
  readonly isTransient: boolean;
  readonly retryAfterMs?: number | undefined;
};

/** What a library threw instead of giving an answer. */
export function failureOfError(cause: unknown): Failure {
  const errorCode = codeOf(cause);
  const problem = redactUrlsIn(messageOf(cause));
  const failure = { code: 'unreachable', cause } as const;
  if (/^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_)|SELF_SIGNED|^HOSTNAME_MISMATCH$/.test(errorCode)) {
    const hint = 'add the certificate of the authority that it should trust, or mend the clock or the URL';
    return { ...failure, problem: `the connection is not secure: ${problem}`, hint, isTransient: false };
  }
  if (/Proxy.*407|407.*[Pp]roxy|Proxy response \(407\)/.test(problem)) {
    return {
      ...failure,
      problem: 'the proxy asks for a user and a password',
      hint: proxyHint,
      isTransient: false,
    };
  }
  if (errorCode === 'ENOTFOUND') {
    const hint = 'check its name and the network';
    return { ...failure, problem: 'the host is not known', hint, isTransient: true };
  }
  const isTransient = !/^(UND_ERR_INVALID|UND_ERR_NOT_SUPPORTED|ERR_INVALID)/.test(errorCode);
  return { ...failure, problem, hint: 'check the network and try again later', isTransient };
}

/** An answer that does not tell what was asked. */
export function problemOfStatus(status: number, statusText: string): Problem {
  const problem = `the server answered ${status}${statusText === '' ? '' : ` ${statusText}`}`;
  return { code: 'bad-status', status, problem, hint: hintForStatus(status) };
}

/** The error for an answer whose status is none that the caller can use. */
export function statusError(
  request: RequestName,
  { status, statusText }: { readonly status: number; readonly statusText: string },
): HttpError {
  return requestError(request, problemOfStatus(status, statusText));
}

/** `GET https://host/file: <what happened>, after 5 attempts; <what to do>`. */
export function requestError(request: RequestName, failure: Problem, attempts = 1): HttpError {
  const { code, problem, hint, status, cause } = failure;
  const count = attempts > 1 ? `, after ${attempts} attempts` : '';
  const message = `${request.method} ${redactUrl(request.url)}: ${problem}${count}; ${hint}`;
  return new HttpError(code, message, { status, ...(cause === undefined ? {} : { cause }) });
}

const proxyHint = 'put them into the URL of the proxy';

function hintForStatus(status: number): string {
  if (status === 401) return 'give a user and a password for the host in a netrc file';
  if (status === 407) return proxyHint;
  if (status === 511) return 'log in to this network first';
  return status >= 500 || status === 429 || status === 408 ? 'try again later' : 'check the URL';
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
