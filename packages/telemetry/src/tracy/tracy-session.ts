/**
 * What one server of Tracy is told: events as items, of which those of a thread carry the time since the item before, and
 * answers to its queries for strings. Zones that began before the session are not its business.
 */
import {
  type Query,
  acknowledgedItem,
  messageItems,
  noSourceCodeItem,
  query as queries,
  stringItem,
  threadContextItem,
  zoneBeginItems,
  zoneColorItem,
  zoneEndItem,
  zoneNameItems,
  zoneTextItems,
} from './queue-items.ts';
import type { TracyEvent } from './tracy-tracer.ts';

const failed = { red: 0xd0, green: 0x30, blue: 0x30 } as const;

export class TracySession {
  readonly #threadName: (thread: number) => string | undefined;
  readonly #begun = new Set<string>();
  #thread: number | undefined;
  #lastTime = 0n;

  constructor(threadName: (thread: number) => string | undefined) {
    this.#threadName = threadName;
  }

  /** The items of an event, none for the end of a zone that this server has not seen begin. */
  items(event: TracyEvent): readonly Uint8Array[] {
    if (event.kind === 'end' && !this.#begun.delete(event.spanId)) return [];
    if (event.kind === 'begin') this.#begun.add(event.spanId);
    return [...this.#context(event.thread), ...this.#itemsInContext(event)];
  }

  /** The answer to a query; `close` when the server has had enough. */
  answer({ type, pointer }: Query): Uint8Array | 'close' {
    switch (type) {
      case queries.terminate:
      case queries.disconnect:
        return 'close';
      case queries.threadString:
        return stringItem('threadName', pointer, this.#threadName(Number(pointer)) ?? 'unknown');
      // Nothing of ours has an address; it would ask again and again without an answer.
      case queries.string:
        return stringItem('stringData', pointer, '');
      case queries.plotName:
        return stringItem('plotName', pointer, '');
      case queries.frameName:
        return stringItem('frameName', pointer, '');
      case queries.sourceCode:
        return noSourceCodeItem(pointer);
      default:
        return acknowledgedItem();
    }
  }

  #context(thread: number): readonly Uint8Array[] {
    if (thread === this.#thread) return [];
    this.#thread = thread;
    this.#lastTime = 0n;
    return [threadContextItem(thread)];
  }

  #itemsInContext(event: TracyEvent): readonly Uint8Array[] {
    switch (event.kind) {
      case 'begin':
        return [
          zoneBeginItems({
            ...{ name: '', function: event.name, file: 'neve', line: 0 },
            elapsed: this.#elapsed(event.time),
          }),
          ...(event.title === event.name ? [] : [zoneNameItems(event.title)]),
          ...zoneText(event.text),
        ];
      case 'end':
        return [
          ...zoneText(event.text),
          ...(event.hasFailed ? [zoneColorItem(failed)] : []),
          zoneEndItem(this.#elapsed(event.time)),
        ];
      case 'message':
        return [messageItems(event.text, event.time)];
    }
  }

  #elapsed(time: bigint): bigint {
    const elapsed = time - this.#lastTime;
    this.#lastTime = time;
    return elapsed;
  }
}

function zoneText(text: string): readonly Uint8Array[] {
  return text === '' ? [] : [zoneTextItems(text)];
}
