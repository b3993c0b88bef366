// What the golden files of the worker protocol, the serve protocol and what they share must be. A file is read, compared
// with the JSON beside it where there is one, and written again byte for byte.

import {
  contentAddressToJson,
  hashedRealisationOfJson,
  hashedRealisationToJson,
  isBuildSuccess,
  parseJson,
  pathInfoToJson,
  printHashedDrvOutput,
  printJson,
  realisationToJson,
  unkeyedRealisationToJson,
} from '@neve/nix-compat';
import {
  buildMode,
  contentAddress,
  daemonIntroduction,
  decodeWire,
  derivedPath,
  drvOutput,
  encodeWire,
  greetClient,
  greetDaemon,
  greetServeClient,
  greetServer,
  hashedDrvOutput,
  hashedRealisation,
  keyedBuildResult,
  keyedRealisation,
  listOf,
  optionalContentAddress,
  optionalStorePath,
  realisationWithPath,
  serveBuildOptions,
  serveBuildResult,
  servePathInfo,
  storePath,
  text,
  texts,
  trust,
  unkeyedRealisation,
  unkeyedValidPathInfo,
  validPathInfo,
  workerBuildResult,
  WireReader,
} from '@neve/nix-compat/protocols';
import { expectBytes, expectJson, store } from './golden-compare.mjs';

/** @typedef {import('./golden-compare.mjs').Check} Check */

/** @type {(minor: number, features?: readonly string[]) => import('@neve/nix-compat/protocols').WireContext} */
const speaking = (minor, features = []) => ({ store, minor, features: new Set(features) });

const withPath = speaking(38, [realisationWithPath]);

/** @typedef {{ read(from: any, context: any): any, write(to: any, value: any, context: any): void }} AnyCodec */

/** Values one after another, without a count. @type {(...codecs: readonly AnyCodec[]) => AnyCodec} */
function sequence(...codecs) {
  return {
    *read(from, context) {
      const values = [];
      for (const codec of codecs) values.push(yield* codec.read(from, context));
      return values;
    },
    write: (to, values, context) => codecs.forEach((codec, i) => codec.write(to, values[i], context)),
  };
}

/** As many as there are. @type {(codec: AnyCodec) => AnyCodec} */
function many(codec) {
  return {
    *read(from, context) {
      const values = [];
      while (from.available > 0) values.push(yield* codec.read(from, context));
      return values;
    },
    write: (to, values, context) => values.forEach((/** @type {any} */ it) => codec.write(to, it, context)),
  };
}

/** Old realisations with signatures as objects, as one version wrote them. @type {AnyCodec} */
const realisationWithObjects = {
  *read(from, context) {
    const printed = yield* text.read(from, context);
    return hashedRealisationOfJson(parseJson(Buffer.from(printed)));
  },
  write: (to, it) => to.text(printJson(hashedRealisationToJson(it, 'object'))),
};

/**
 * A file of values with a codec, and how the values look in the JSON beside it.
 *
 * @type {(codec: AnyCodec, context: any, show?: (value: any) => any) => Check}
 */
function values(codec, context, show) {
  return ({ name, bytes: whole, sibling }) => {
    const value = decodeWire(codec, whole, context);
    expectBytes(encodeWire(codec, value, context), whole);
    const json = sibling(name.replace(/\.bin$/, '.json'));
    if (json === undefined) return;
    if (show === undefined) throw new Error('has JSON beside it, but no rule how to compare');
    expectJson(show(value), json);
  };
}

/** @type {(path: any) => any} */
const showPath = (path) => path?.baseName ?? null;
/** @type {(address: any) => any} */
const showAddress = (address) => (address === undefined ? null : contentAddressToJson(address));
/** @type {(output: any) => any} */
const showDrvOutput = ({ drvPath, outputName }) => ({ drvPath: drvPath.baseName, outputName });
/** @type {(realisation: any) => any} */
const showUnkeyed = (it) => unkeyedRealisationToJson(it);
/** @type {(show: (value: any) => any) => (values: any) => any} */
const each = (show) => (them) => them.map(show);

/** @type {(path: any) => any} */
function showDerivedPath(path) {
  if (path.kind === 'opaque') return path.path.baseName;
  const drvPath = showDerivedPath(path.drvPath);
  if ('output' in path) return { drvPath, output: path.output };
  return { drvPath, outputs: path.outputs === 'all' ? ['*'] : path.outputs };
}

/** @type {(info: any) => any} */
function showPathInfo(info) {
  const json = new Map(pathInfoToJson(info, { store, version: 3 }));
  if (info.path !== undefined) json.set('path', info.path.baseName);
  return json;
}

/** @type {(form: 'keyed' | 'hashed') => (result: any) => any} */
function showBuildResult(form) {
  return (result) => {
    const success = isBuildSuccess(result.status);
    const outputs = new Map(
      Array.from(result.builtOutputs, ([name, it]) => [name, showBuiltOutput(form, name, it)]),
    );
    const { timesBuilt, startTime, stopTime, status, isNonDeterministic, errorMessage: errorMsg } = result;
    const { cpuUserMicroseconds: cpuUser, cpuSystemMicroseconds: cpuSystem } = result;
    return {
      ...(result.path === undefined ? {} : { path: showDerivedPath(result.path) }),
      ...(success ? { builtOutputs: outputs } : { errorMsg, isNonDeterministic }),
      ...(cpuUser === undefined ? {} : { cpuUser }),
      ...(cpuSystem === undefined ? {} : { cpuSystem }),
      ...{ startTime, status, stopTime, success, timesBuilt },
    };
  };
}

/** @type {(form: 'keyed' | 'hashed', outputName: string, output: any) => any} */
function showBuiltOutput(form, outputName, output) {
  if (form === 'keyed') return unkeyedRealisationToJson(output);
  return hashedRealisationToJson({ outputName, ...output });
}

/** A handshake as the client hears it, made by the server and understood by the client. @type {(protocol: 'worker' | 'serve') => Check} */
function handshake(protocol) {
  return async ({ bytes: whole }) => {
    const minor = protocol === 'worker' ? 10 : 5;
    const version = { minor, features: new Set(/** @type {string[]} */ ([])) };
    /** @type {Uint8Array[]} */
    const fromClient = [];
    const client = {
      reader: new WireReader(inOnePiece(whole)),
      send: async (/** @type {Uint8Array} */ it) => void fromClient.push(it),
    };
    const greeted =
      protocol === 'worker'
        ? (await greetDaemon(client, { store, version })).context
        : await greetServer(client, { store, minor });
    if (greeted.minor !== minor) throw new Error(`the client understood version ${greeted.minor}`);
    /** @type {Uint8Array[]} */
    const fromServer = [];
    const server = {
      reader: new WireReader(inOnePiece(Buffer.concat(fromClient))),
      send: async (/** @type {Uint8Array} */ it) => void fromServer.push(it),
    };
    if (protocol === 'worker')
      await greetClient(server, { store, version, introduction: { trust: 'unknown' } });
    else await greetServeClient(server, { store, minor });
    expectBytes(Buffer.concat(fromServer), whole);
  };
}

/** @param {Uint8Array} whole */
async function* inOnePiece(whole) {
  yield whole;
}

/** @type {(context: any) => [string, Check][]} */
const commonRules = (context) => [
  ['string', values(many(text), context, (it) => it)],
  ['store-path', values(many(storePath), context, each(showPath))],
  ['optional-store-path', values(many(optionalStorePath), context, each(showPath))],
  ['content-address', values(many(contentAddress), context, each(showAddress))],
  ['optional-content-address', values(many(optionalContentAddress), context, each(showAddress))],
  ['set', values(sequence(texts, texts, texts, listOf(texts)), context, (it) => it)],
  ['vector', values(sequence(texts, texts, texts, listOf(texts)), context, (it) => it)],
  ['drv-output', values(many(hashedDrvOutput), context, each(printHashedDrvOutput))],
  [
    'realisation',
    values(
      many(realisationWithObjects),
      context,
      each((it) => hashedRealisationToJson(it, 'object')),
    ),
  ],
  [
    'realisation-with-deps',
    values(
      many(hashedRealisation),
      context,
      each((it) => hashedRealisationToJson(it)),
    ),
  ],
];

const hashedResults = each(showBuildResult('hashed'));
const keyedResults = each(showBuildResult('keyed'));

/** By the path of the file, without its extension, below the folder of the protocol. @type {Readonly<Record<string, readonly [string, Check][]>>} */
export const protocolRules = {
  'common-protocol': commonRules(speaking(10)),
  'worker-protocol': [
    ...commonRules(speaking(10)),
    [
      'build-mode',
      values(
        many(buildMode),
        speaking(10),
        each((it) => ['normal', 'repair', 'check'].indexOf(it)),
      ),
    ],
    [
      'optional-trusted-flag',
      values(
        many(trust),
        speaking(10),
        each((it) => ({ unknown: null, trusted: true, notTrusted: false })[/** @type {'unknown'} */ (it)]),
      ),
    ],
    ['client-handshake-info_1_30', introductions(speaking(30))],
    ['client-handshake-info_1_33', introductions(speaking(33))],
    ['client-handshake-info_1_35', introductions(speaking(35))],
    ['handshake-to-client', handshake('worker')],
    ['derived-path-1.29', values(many(derivedPath), speaking(29), each(showDerivedPath))],
    ['derived-path-1.30', values(many(derivedPath), speaking(30), each(showDerivedPath))],
    ['unkeyed-valid-path-info-1.15', values(many(unkeyedValidPathInfo), speaking(15), each(showPathInfo))],
    ['valid-path-info-1.15', values(many(validPathInfo), speaking(15), each(showPathInfo))],
    ['valid-path-info-1.16', values(many(validPathInfo), speaking(16), each(showPathInfo))],
    ['build-result-1.27', values(many(workerBuildResult), speaking(27), keyedResults)],
    ['build-result-1.28', values(many(workerBuildResult), speaking(28), hashedResults)],
    ['build-result-1.29', values(many(workerBuildResult), speaking(29), hashedResults)],
    ['build-result-1.29-compat', values(many(workerBuildResult), speaking(29), keyedResults)],
    ['build-result-1.37', values(many(workerBuildResult), speaking(37), hashedResults)],
    ['build-result-realisation-with-path-not-hash', values(many(workerBuildResult), withPath, keyedResults)],
    ['keyed-build-result-1.29', values(many(keyedBuildResult), speaking(29), hashedResults)],
    ['drv-output-realisation-with-path-not-hash', values(many(drvOutput), withPath, each(showDrvOutput))],
    ['unkeyed-realisation-realisation-with-path-not-hash', values(unkeyedRealisation, withPath, showUnkeyed)],
    [
      'realisation-realisation-with-path-not-hash',
      values(keyedRealisation, withPath, (it) => realisationToJson(it)),
    ],
  ],
  'serve-protocol': [
    ...commonRules(speaking(5)),
    ['handshake-to-client', handshake('serve')],
    ...[1, 2, 3, 7].map(
      (minor) =>
        /** @type {[string, Check]} */ ([
          `build-options-2.${minor}`,
          values(many(serveBuildOptions), speaking(minor)),
        ]),
    ),
    ['unkeyed-valid-path-info-2.3', values(many(servePathInfo), speaking(3), each(showServePathInfo))],
    ['unkeyed-valid-path-info-2.4', values(many(servePathInfo), speaking(4), each(showServePathInfo))],
    ['build-result-2.2', values(many(serveBuildResult), speaking(2), keyedResults)],
    ['build-result-2.3', values(many(serveBuildResult), speaking(3), keyedResults)],
    ['build-result-2.6', values(many(serveBuildResult), speaking(6), hashedResults)],
    ['build-result-2.7-compat', values(many(serveBuildResult), speaking(7), keyedResults)],
    ['build-result-2.8', values(many(serveBuildResult), speaking(8), keyedResults)],
    ['drv-output-2.8', values(many(drvOutput), speaking(8), each(showDrvOutput))],
    ['unkeyed-realisation-2.8', values(unkeyedRealisation, speaking(8), showUnkeyed)],
    ['realisation-2.8', values(keyedRealisation, speaking(8), (it) => realisationToJson(it))],
  ],
};

/** Before 2.4 nobody says the hash; Nix shows the one of nothing then. @param {any} info */
function showServePathInfo(info) {
  const nothing = { algorithm: 'sha256', format: () => `sha256-${Buffer.alloc(32).toString('base64')}` };
  return showPathInfo({ narHash: nothing, ...JSON.parse('{}'), ...withoutUndefined(info) });
}

/** @param {Record<string, any>} fields */
function withoutUndefined(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The JSON beside them is not compared where the file is empty. @type {(context: any) => Check} */
function introductions(context) {
  return values(many(daemonIntroduction), context);
}
