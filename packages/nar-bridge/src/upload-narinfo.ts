/**
 * `PUT <hash part>.narinfo`: makes a path visible, when everything that it says is so.
 *
 *     the file that it names    was put before, with this hash, size and compression, and is still here
 *     NAR hash and size         are those of what was put
 *     references                are in the cache, or are the path itself
 *     content address           gives the path and is that of the contents, as far as it can be computed
 *     signatures                one by a trusted key, where that is wanted; contents that are addressed need none
 *
 * A narinfo for a path that is here with the same NAR adds its signatures. With another NAR it is refused: whoever has the
 * earlier one in his store would not see the change.
 */
import { type HashFunctions, decodeUtf8 } from '@neve/bytes';
import {
  type Ed25519,
  type NarInfo,
  NixCompatError,
  type PublicKey,
  type StoreDirectory,
  fingerprintPathInfo,
  parseNarInfo,
  verifyFingerprint,
} from '@neve/nix-compat';
import {
  type PathInfo,
  StoreError,
  type StoreServices,
  followsFromContentAddress,
  hasTrustedSignature,
  matchesContentAddress,
  narCalculationByRendering,
  nodeOfInfusedUrl,
  provesContents,
} from '@neve/store';
import type { Node } from '@neve/castore';
import type { CacheEvent } from './cache-event.ts';
import type { RouteAnswer } from './cache-route.ts';
import type { CompressedNars } from './compressed-nars.ts';
import type { DebugInfos } from './debug-infos.ts';
import type { CacheRequest, CacheResponse } from './http-exchange.ts';
import type { KnownNars } from './known-nars.ts';
import type { Decompress } from './nar-compressions.ts';
import type { NarInfoIndex } from './narinfo-index.ts';
import { narInfoHashPart } from './narinfo-routes.ts';
import { Refusal, answerRefusals } from './refusal.ts';
import { readRequestBody } from './request-body.ts';
import type { NarUploads } from './upload-nar.ts';
import type { UploadedNar } from './uploaded-nars.ts';

export type NarInfoUploadOptions = {
  readonly store: StoreServices;
  readonly storeDirectory: StoreDirectory;
  readonly hashes: HashFunctions;
  readonly ed25519: Ed25519;
  readonly decompress: Decompress;
  readonly nars: NarUploads;
  readonly known: KnownNars;
  readonly index: NarInfoIndex;
  readonly compressedNars: CompressedNars | undefined;
  readonly debugInfos: DebugInfos;
  /** Signatures by a key of these names that are wrong are left out. */
  readonly trustedKeys: readonly PublicKey[];
  readonly requireSignatures: boolean;
  /** A narinfo may name a node that is here, without its NAR being put. */
  readonly acceptNodes: boolean;
  readonly onEvent: (event: CacheEvent) => void;
};

const maxNarInfoBytes = 2 << 20;

export class NarInfoUploads {
  readonly #options: NarInfoUploadOptions;

  constructor(options: NarInfoUploadOptions) {
    this.#options = options;
  }

  /** Answers the PUT. */
  readonly put: RouteAnswer = async (request, path) => {
    const response = await this.#answer(request, path.at(-1) ?? '');
    const { status } = response;
    if (status >= 400) this.#options.onEvent({ kind: 'upload-refused', path: request.path, status });
    return response;
  };

  async #answer(request: CacheRequest, name: string): Promise<CacheResponse> {
    const { decompress } = this.#options;
    const bytes = await readRequestBody(request, { maxBytes: maxNarInfoBytes, decompress });
    if (!(bytes instanceof Uint8Array)) return bytes;
    return answerRefusals(async () => {
      await this.#commit(this.#parse(name, bytes), request.signal);
      return { status: 201, headers: { 'content-length': '0' } };
    });
  }

  #parse(name: string, bytes: Uint8Array): NarInfo {
    const narInfo = this.#read(bytes);
    if (narInfo.storePath.hashPart !== narInfoHashPart(name)) {
      throw new Refusal(
        400,
        `this is the narinfo of '${narInfo.storePath.baseName}', which is not put as '${name}'`,
      );
    }
    return narInfo;
  }

  #read(bytes: Uint8Array): NarInfo {
    try {
      return parseNarInfo(decodeUtf8(bytes), this.#options.storeDirectory);
    } catch (error) {
      if (error instanceof NixCompatError) throw new Refusal(400, error.message);
      throw error;
    }
  }

  async #commit(narInfo: NarInfo, signal: AbortSignal): Promise<void> {
    const { store, index, known, compressedNars, debugInfos, nars, onEvent } = this.#options;
    const { storePath } = narInfo;
    const earlier = await this.#findEarlier(narInfo, signal);
    const upload = earlier === undefined ? await this.#findUpload(narInfo, signal) : undefined;
    const node = earlier?.node ?? upload?.node ?? (await this.#findNode(narInfo, signal));
    if (node === undefined) {
      throw new Refusal(409, `the NAR of '${storePath.baseName}', ${narInfo.url}, is not here; put it first`);
    }
    const pathInfo = this.#withoutWrongSignatures(pathInfoOf(narInfo, node));
    await this.#checkReferences(pathInfo, signal);
    await this.#checkTrust(pathInfo, signal);
    const stored = await store.pathInfos.put(pathInfo, signal);
    index.forget(storePath.hashPart);
    await known.record(stored);
    await debugInfos.record(stored, signal);
    if (upload !== undefined) await nars.keep(upload);
    onEvent({ kind: 'path-added', storePath, narSize: stored.narSize });
    compressedNars?.request(stored);
  }

  /** What is here of the path. Throws `Refusal` when it has another NAR. */
  async #findEarlier(
    { storePath, narHash, narSize }: NarInfo,
    signal: AbortSignal,
  ): Promise<PathInfo | undefined> {
    const earlier = await this.#options.store.pathInfos.get(storePath.hashPart, signal);
    if (earlier === undefined) return undefined;
    if (earlier.storePath.name !== storePath.name) {
      throw new Refusal(409, `the cache has '${earlier.storePath.baseName}', whose hash is the same`);
    }
    if (earlier.narHash.equals(narHash) && earlier.narSize === narSize) return earlier;
    const [here, given] = [earlier.narHash.format('sri'), narHash.format('sri')];
    throw new Refusal(
      409,
      `'${storePath.baseName}' is here with the NAR ${here}, and cannot become ${given}`,
    );
  }

  /** The upload that the narinfo names. Throws `Refusal` when it says anything else of it. */
  async #findUpload(narInfo: NarInfo, signal: AbortSignal): Promise<UploadedNar | undefined> {
    const name = /^nar\/([^/]+)$/.exec(narInfo.url)?.[1];
    const upload = name === undefined ? undefined : await this.#options.nars.find(name, signal);
    if (upload === undefined) return undefined;
    const { compression, fileHash, fileSize, narHash, narSize } = narInfo;
    const differences = [
      compression === upload.compression ? [] : [`Compression ${compression}, not ${upload.compression}`],
      fileHash?.equals(upload.fileHash) === false
        ? [`FileHash, which is ${upload.fileHash.format('sri')}`]
        : [],
      fileSize === undefined || fileSize === upload.fileSize
        ? []
        : [`FileSize ${fileSize}, not ${upload.fileSize}`],
      narHash.equals(upload.narHash) ? [] : [`NarHash, which is ${upload.narHash.format('sri')}`],
      narSize === upload.narSize ? [] : [`NarSize ${narSize}, not ${upload.narSize}`],
    ].flat();
    if (differences.length === 0) return upload;
    throw new Refusal(400, `the narinfo is not true of ${narInfo.url}: ${differences.join('; ')}`);
  }

  /** The node that the URL names, if it has the NAR of the narinfo. */
  async #findNode({ url, narHash, narSize }: NarInfo, signal: AbortSignal): Promise<Node | undefined> {
    const { store, hashes, acceptNodes } = this.#options;
    const node = acceptNodes ? nodeOfInfusedUrl(url, narSize) : undefined;
    if (node === undefined) return undefined;
    try {
      const nars = store.pathInfos.narCalculation ?? narCalculationByRendering({ ...store, hashes });
      const nar = await nars.calculateNar(node, signal);
      if (nar.narSize === narSize && nar.narHash.equals(narHash)) return node;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'not-found') return undefined;
      throw error;
    }
    throw new Refusal(400, `the narinfo is not true of the node in its URL: that has another NAR`);
  }

  async #checkReferences({ storePath, references }: PathInfo, signal: AbortSignal): Promise<void> {
    const { pathInfos } = this.#options.store;
    const others = references.filter(({ hashPart }) => hashPart !== storePath.hashPart);
    const missing: string[] = [];
    for (const reference of others) {
      if (!(await pathInfos.has(reference.hashPart, signal))) missing.push(`'${reference.baseName}'`);
    }
    if (missing.length === 0) return;
    throw new Refusal(
      409,
      `'${storePath.baseName}' refers to ${missing.join(', ')}, which must be put first`,
    );
  }

  async #checkTrust(pathInfo: PathInfo, signal: AbortSignal): Promise<void> {
    const { storeDirectory: store, requireSignatures, trustedKeys: keys, ed25519, hashes } = this.#options;
    const { storePath, contentAddress, signatures } = pathInfo;
    const { blobs, directories } = this.#options.store;
    if (contentAddress !== undefined && !followsFromContentAddress(pathInfo, store)) {
      throw new Refusal(400, `'${storePath.baseName}' does not follow from its content address`);
    }
    if (provesContents(pathInfo)) {
      const contents = { blobs, directories, hashes };
      if (await matchesContentAddress(pathInfo, { store, contents }, signal)) return;
      throw new Refusal(400, `the contents of '${storePath.baseName}' have another content address`);
    }
    if (!requireSignatures || hasTrustedSignature(pathInfo, { keys, store, ed25519 })) return;
    const names = signatures.map(({ keyName }) => `'${keyName}'`).join(', ');
    const problem = names === '' ? 'it is not signed' : `its signatures are by ${names}`;
    throw new Refusal(
      403,
      `'${storePath.baseName}' has no valid signature by a key that this cache trusts: ${problem}; sign it by one of them`,
    );
  }

  #withoutWrongSignatures(pathInfo: PathInfo): PathInfo {
    const { storeDirectory, trustedKeys, ed25519 } = this.#options;
    const fingerprint = fingerprintPathInfo(storeDirectory, pathInfo);
    const signatures = pathInfo.signatures.filter((signature) => {
      const keys = trustedKeys.filter(({ name }) => name === signature.keyName);
      return keys.length === 0 || verifyFingerprint(fingerprint, { signature, keys }, ed25519);
    });
    return { ...pathInfo, signatures };
  }
}

function pathInfoOf(narInfo: NarInfo, node: Node): PathInfo {
  const { storePath, references, narSize, narHash, signatures, deriver, contentAddress } = narInfo;
  return { storePath, node, references, narSize, narHash, signatures, deriver, contentAddress };
}
