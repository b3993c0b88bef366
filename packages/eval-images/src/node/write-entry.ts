/** Writes the file of an entry beside its place, and moves it there when it is complete. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Checksum, Checksummer } from '../checksum.ts';
import { encodeHead, payloadStart } from '../image-file.ts';
import type { NewEntry } from './image-folder.ts';

/**
 * Arrays that follow each other, each but the last a multiple of 4 bytes; or their number of bytes, and who writes them.
 * Arrays are not kept.
 */
export type Payload =
  | readonly Uint8Array[]
  | {
      readonly sizeBytes: number;
      /** Calls `write` for each piece, in order. What it throws, `put` notes as its problem. */
      readonly writeTo: (write: (piece: Uint8Array) => void) => void;
    };

export type WriteRequest = {
  readonly entry: NewEntry;
  readonly target: string;
  readonly maxBytes: number;
};

let counter = 0;

/** Gives the size of the file; undefined when it would be too large. Throws what the file system throws. */
export function writeEntry(folder: string, { entry, target, maxBytes }: WriteRequest): number | undefined {
  const { key, info, reads, payload = [], payloadCheck = 'checksum' } = entry;
  const payloadBytes = isPieces(payload)
    ? payload.reduce((sum, piece) => sum + piece.length, 0)
    : payload.sizeBytes;
  const headWith = (payloadChecksum: Checksum | undefined): Uint8Array =>
    encodeHead({ key, info, reads, payloadBytes, payloadChecksum });
  const hasChecksum = payloadCheck === 'checksum' && payloadBytes > 0;
  const head = headWith(hasChecksum ? [0, 0] : undefined);
  const sizeBytes = payloadStart(head.length, payloadBytes) + payloadBytes;
  if (sizeBytes > maxBytes) return undefined;

  const temporary = join(folder, `.new-${process.pid}-${Date.now().toString(36)}-${counter++}`);
  const file = fs.openSync(temporary, 'wx', 0o600);
  try {
    writeFully(file, head, 0);
    const summer = hasChecksum ? new Checksummer() : undefined;
    let at = head.length;
    const write = (piece: Uint8Array): void => {
      summer?.update(piece);
      writeFully(file, piece, at);
      at += piece.length;
    };
    if (isPieces(payload)) payload.forEach(write);
    else payload.writeTo(write);
    if (at !== sizeBytes) throw new Error(`the payload has ${at - head.length} bytes, not ${payloadBytes}`);
    if (summer !== undefined) writeFully(file, headWith(summer.finish()), 0);
    // Without a checksum nothing would tell that a crash has lost a part of it.
    else if (payloadBytes > 0 && payloadCheck === 'disk') fs.fsyncSync(file);
    fs.renameSync(temporary, target);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  } finally {
    fs.closeSync(file);
  }
  return sizeBytes;
}

function isPieces(payload: Payload): payload is readonly Uint8Array[] {
  return Array.isArray(payload);
}

// oxlint-disable-next-line eslint/max-params -- as writeSync
function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += fs.writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}
