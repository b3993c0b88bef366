/** What is wrong with what a client has put. It becomes an answer before it leaves the cache. */
import type { CacheResponse } from './http-exchange.ts';
import { textResponse } from './text-response.ts';

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The answer of `work`, or the refusal that it throws. */
export async function answerRefusals(work: () => Promise<CacheResponse>): Promise<CacheResponse> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return textResponse(error.status, error.message);
    throw error;
  }
}
