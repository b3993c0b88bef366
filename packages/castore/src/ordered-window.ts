/**
 * Work under way whose results are wanted in the order in which it began: as many as fit into a budget run at the same
 * time. The budget bounds the memory of whoever starts the work.
 */
export type WindowLimits = {
  /** The sum of the costs of what is under way. */
  readonly maxCost: number;
  readonly maxItems: number;
};

export class OrderedWindow<T> implements AsyncDisposable {
  readonly #limits: WindowLimits;
  #queue: { readonly result: Promise<T>; readonly cost: number }[] = [];
  #first = 0;
  #cost = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#first === this.#queue.length;
  }

  /** Whether a result has to be taken before more work may begin. */
  get isFull(): boolean {
    const items = this.#queue.length - this.#first;
    return items >= this.#limits.maxItems || (items > 0 && this.#cost >= this.#limits.maxCost);
  }

  push(result: Promise<T>, cost: number): void {
    // A failure is seen by whoever takes the result, perhaps later.
    result.catch(() => {});
    this.#queue.push({ result, cost });
    this.#cost += cost;
  }

  /** The result of what began first. The window is not empty. */
  async shift(): Promise<T> {
    const next = this.#queue[this.#first];
    if (next === undefined) throw new Error('nothing is under way');
    this.#first++;
    if (this.#first > 1024 && this.#first * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    const result = await next.result;
    this.#cost -= next.cost;
    return result;
  }

  /** Waits for what is still under way, whether it succeeds or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#queue.slice(this.#first).map(({ result }) => result));
  }
}
