// What the golden files of JSON and of derivations must be: read and printed again. JSON is compared after it is indented
// as the files are.

import {
  DerivationHashes,
  contentAddressOfJson,
  contentAddressToJson,
  derivationPath,
  derivationToJson,
  fingerprintRealisation,
  narListingToJson,
  parseDerivation,
  parseDerivationJson,
  parseJson,
  parseNarListing,
  parsePathInfoJson,
  parseStorePath,
  pathInfoToJson,
  printDerivation,
  realisationOfJson,
  realisationToJson,
  resolveDerivation,
  signatureOfJson,
  signatureToJson,
  unkeyedRealisationOfJson,
  unkeyedRealisationToJson,
} from '@neve/nix-compat';
import { nodeHashes } from '@neve/bytes/node';
import { isRemoteStoreUrl, parseMachines, parseRemoteStoreUrl } from '@neve/nix-daemon/client';
import { expectText, expectBytes, expectJson, codeOf, expectRefusal, store } from './golden-compare.mjs';

/** @typedef {import('./golden-compare.mjs').Check} Check */

/** Read and printed again. @type {(again: (value: any) => any) => Check} */
function json(again) {
  return ({ bytes: whole }) => expectJson(again(parseJson(whole)), whole);
}

/** @type {Check} */
function pathInfoFile({ name, bytes: whole, sibling }) {
  const version = /** @type {1 | 2 | 3} */ (Number(/json-(\d)/.exec(name)?.[1]));
  const pure = /(^|[/_])pure/.test(name);
  const info = parsePathInfoJson(parseJson(whole), store);
  // What has no version is only read; it is the same as the one that has.
  const expected = name.endsWith('_noversion.json') ? sibling(name.replace('_noversion', '')) : whole;
  if (expected === undefined) throw new Error('the file with a version is missing');
  expectJson(pathInfoToJson(info, { store, version, pure }), expected);
}

const derivationNames = new Map([
  ['simple-derivation', 'simple-derivation'],
  ['dyn-dep-derivation', 'dyn-dep-derivation'],
]);

/** @type {Check} */
function derivationText({ name, bytes: whole, sibling }) {
  const stem = /** @type {string} */ (/([^/]+)\.drv$/.exec(name)?.[1]);
  const beside = sibling(name.replace(/\.drv$/, '.json'));
  const its =
    beside === undefined
      ? (derivationNames.get(stem) ?? stem)
      : JSON.parse(Buffer.from(beside).toString()).name;
  const derivation = parseDerivation(whole, { name: its, store });
  expectBytes(printDerivation(derivation, store), whole);
  if (beside !== undefined) expectJson(derivationToJson(derivation), beside);
}

/** The paths in them are made up, so that inputs are out of order; Nix only measures how long they take to read. @type {Check} */
function unorderedDerivation({ bytes: whole }) {
  const once = printDerivation(parseDerivation(whole, { name: 'any', store }), store);
  expectBytes(printDerivation(parseDerivation(once, { name: 'any', store }), store), once);
  expectText([...once].sort().join(), [...whole].sort().join());
}

/** Its output has another path than its hash gives, which is found where outputs are checked. @type {Check} */
async function wrongPath({ bytes: whole }) {
  const lookUp = () => {
    throw new Error('it has no inputs');
  };
  const hashes = new DerivationHashes({ store, hashes: nodeHashes, lookUp });
  const checking = hashes.checkOutputPaths(parseDerivation(whole, { name: 'fixed', store }));
  const code = await checking.then(() => 'none', codeOf);
  if (code !== 'bad-derivation') throw new Error(`was refused with '${code}'`);
}

/** @type {Check} */
function derivationJson({ bytes: whole }) {
  expectJson(derivationToJson(parseDerivationJson(whole, store)), whole);
}

/** An output alone, in a derivation of ours. @type {Check} */
function outputJson({ bytes: whole }) {
  const shown = `{"args":[],"builder":"","env":{},"inputs":{"drvs":{},"srcs":[]},"name":"drv-name","outputs":{"output-name":${Buffer.from(whole)}},"system":"","version":4}`;
  const derivation = derivationToJson(parseDerivationJson(Buffer.from(shown), store));
  expectJson(/** @type {any} */ (derivation.get('outputs')).get('output-name'), whole);
}

/** The text whose hash names a derivation: ours has the same hash. @type {Check} */
async function moduloText({ name, bytes: whole, sibling }) {
  const folder = name.slice(0, name.lastIndexOf('/'));
  const stems = [
    'source-first',
    'source-second',
    'intermediate-first',
    'intermediate-second',
    'parent-joined',
    'parent-split',
  ];
  const known = new Map(
    stems.map((stem) => {
      const shown = sibling(`${folder}/${stem}.json`);
      if (shown === undefined) throw new Error(`${stem}.json is missing`);
      const derivation = parseDerivationJson(shown, store);
      return [derivationPath(derivation, { store, hashes: nodeHashes }).baseName, derivation];
    }),
  );
  const lookUp = (/** @type {any} */ path) => {
    const derivation = known.get(path.baseName);
    if (derivation === undefined) throw new Error(`${path.baseName} is not among the files`);
    return derivation;
  };
  const hashes = new DerivationHashes({ store, hashes: nodeHashes, lookUp });
  const derivation = parseDerivationJson(
    /** @type {Uint8Array} */ (sibling(name.replace('-modulo.drv', '.json'))),
    store,
  );
  const modulo = await hashes.hashOfOutputs(derivation);
  const digest = modulo.byOutput.get('out');
  expectText(String(digest?.format('hex')), nodeHashes.hash('sha256', whole).format('hex'));
}

/** What a derivation becomes when its inputs have paths. @type {Check} */
async function resolved({ name, bytes: whole, sibling }) {
  const trace = JSON.parse(String(sibling(name.replace(/(resolved|after)\.json$/, 'buildTrace.json'))));
  const before = parseDerivationJson(
    /** @type {Uint8Array} */ (sibling(name.replace(/(resolved|after)\.json$/, 'before.json'))),
    store,
  );
  const outputPath = (/** @type {any} */ { derivation, output }) => {
    const found = trace.find(
      (/** @type {any} */ [key]) => key.drvPath === derivation.baseName && key.output === output,
    );
    return found && parseStorePath(found[1]);
  };
  const after = await resolveDerivation(before, { store, hashes: nodeHashes, outputPath });
  const shown = new Map(derivationToJson(after));
  shown.set(
    'inputs',
    after.inputSources.map(({ baseName }) => baseName),
  );
  expectJson(shown, whole);
}

/** @type {Check} */
function fingerprint({ name, bytes: whole, sibling }) {
  const shown = /** @type {Uint8Array} */ (sibling(name.replace('-fingerprint.txt', '.json')));
  expectText(fingerprintRealisation(realisationOfJson(parseJson(shown))), Buffer.from(whole).toString());
}

/** @type {Check} */
function realisationWithTexts({ bytes: whole }) {
  const realisation = realisationOfJson(parseJson(whole));
  expectJson(realisationToJson(realisation, 'text'), whole);
}

/** Every machine of the list. @type {Check} */
function machinesFile({ name, bytes: whole }) {
  const parse = () =>
    parseMachines(Buffer.from(whole).toString(), { systems: [], readFile: () => undefined });
  if (name.endsWith('bad_format')) return expectRefusal(['invalid-request'], parse);
  const fields = Buffer.from(whole)
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  const read = parse().map(
    ({ url, systems, sshKey, maxJobs, speedFactor, features, mandatoryFeatures, hostKey }) =>
      [
        url.text.replace('ssh://', ''),
        systems,
        sshKey,
        maxJobs,
        speedFactor,
        [...features],
        [...mandatoryFeatures],
        hostKey,
      ].map(String),
  );
  const expected = fields.map((line) =>
    Array.from({ length: 8 }, (_, i) => line[i] ?? (i === 7 ? 'undefined' : '')),
  );
  expectText(JSON.stringify(read), JSON.stringify(expected));
}

/** Stores behind a protocol; what each part is follows from the text itself. @type {Check} */
function storeReference({ bytes: whole }) {
  const reference = Buffer.from(whole).toString().trim();
  if (!isRemoteStoreUrl(reference)) throw new Error('not a store behind a protocol of Nix');
  const url = parseRemoteStoreUrl(reference);
  const [bare = '', query = ''] = reference.split('?');
  expectText([...url.params].map(([key, value]) => `${key}=${value}`).join('&'), query);
  if (url.kind === 'unix') return expectText(url.socket ?? '', '');
  const { user, host, port } = url.host;
  const authority = `${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`;
  expectText(authority, bare.replace('ssh://', '').replace(/[[\]]/g, '').replaceAll('%25', '%'));
}

/** The rules for files outside of the protocols, the first that fits. @type {readonly [RegExp, Check][]} */
export const fileRules = [
  [/^libutil-tests\/data\/nar-listing\//, json((it) => narListingToJson(parseNarListing(it)))],
  [/\/(path|nar)-info\/json-\d\//, pathInfoFile],
  [/\/content-address\//, json((it) => contentAddressToJson(contentAddressOfJson(it)))],
  [/\/machines\//, machinesFile],
  [/\/store-reference\//, storeReference],
  [/\/realisation\/.*fingerprint\.txt$/, fingerprint],
  [/\/realisation\/unkeyed-/, json((it) => unkeyedRealisationToJson(unkeyedRealisationOfJson(it)))],
  [/\/realisation\/with-signature-unstructured\.json$/, realisationWithTexts],
  [/\/realisation\/(simple|with-signature)\.json$/, json((it) => realisationToJson(realisationOfJson(it)))],
  [/\/derivation\/bad-ca-fixed-path\.drv$/, wrongPath],
  [/\/derivation\/(hello|firefox)\.drv$/, unorderedDerivation],
  [/\/realisation\/.*-sig\.json$/, json((it) => signatureToJson(signatureOfJson(it), 'object'))],
  [
    /\/derivation\/bad-.*\.drv$/,
    ({ bytes: whole }) =>
      expectRefusal(['bad-derivation', 'unsupported-derivation'], () =>
        parseDerivation(whole, { name: 'fixed', store }),
      ),
  ],
  [/\/hash-modulo\/.*-modulo\.drv$/, moduloText],
  [/\/derivation\/.*\.drv$/, derivationText],
  [/\/derivation\/output-.*\.json$/, outputJson],
  [/\/try-resolve\/.*-(resolved|after)\.json$/, resolved],
  [/\/try-resolve\/.*-before\.json$/, derivationJson],
  [/\/store-path\/simple\.json$/, json((it) => parseStorePath(it).baseName)],
  [/\/derivation\/(ia|ca|hash-modulo|invariants)\/[^/]*\.json$/, derivationJson],
  [/\/derivation\/[^/]*\.json$/, derivationJson],
];
