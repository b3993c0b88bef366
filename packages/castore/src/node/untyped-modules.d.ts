/** What is used here of modules that come without types. */

declare module 'lzma-native' {
  import type { Duplex } from 'node:stream';

  export type Liblzma = {
    readonly CHECK_CRC64: number;
    createStream(coder: 'aloneEncoder', options: { preset: number }): Duplex;
    createStream(coder: 'easyEncoder', options: { preset: number; check: number }): Duplex;
    createStream(coder: 'streamDecoder' | 'aloneDecoder', options: { memlimit: number }): Duplex;
    /** Of what comes after something with the checksum `previous`; perhaps negative. */
    crc32(bytes: Uint8Array, previous: number): number;
  };
  const lzma: Liblzma;
  export default lzma;
}

declare module 'yauzl' {
  import type { EventEmitter } from 'node:events';

  export type Entry = {
    /** With `decodeStrings: false`. */
    readonly fileName: Buffer;
    readonly versionMadeBy: number;
    readonly generalPurposeBitFlag: number;
    readonly compressionMethod: number;
    readonly crc32: number;
    readonly compressedSize: number;
    readonly uncompressedSize: number;
    readonly externalFileAttributes: number;
    readonly relativeOffsetOfLocalHeader: number;
    readonly extraFields: readonly { readonly id: number; readonly data: Buffer }[];
    isEncrypted(): boolean;
    /** Of an extra field if there is one, else the one of DOS as a local time. */
    getLastModDate(): Date;
  };

  export type ZipFile = EventEmitter & {
    readonly entryCount: number;
    readEntry(): void;
    close(): void;
  };

  export type Options = {
    readonly autoClose: boolean;
    readonly lazyEntries: boolean;
    readonly decodeStrings: boolean;
    readonly validateEntrySizes: boolean;
  };

  type Yauzl = {
    readonly RandomAccessReader: new () => RandomAccessReader;
    fromRandomAccessReader(
      reader: RandomAccessReader,
      totalSize: number,
      options: Options,
      done: (error: Error | null, zip: ZipFile) => void,
    ): void;
  };

  export interface RandomAccessReader extends EventEmitter {
    read(
      buffer: Uint8Array,
      offset: number,
      length: number,
      position: number,
      done: (error: Error | null, bytesRead?: number) => void,
    ): void;
    close(done: (error?: Error) => void): void;
  }

  const yauzl: Yauzl;
  export default yauzl;
}
