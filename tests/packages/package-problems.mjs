// What is wrong with the contents of a package as npm would publish it.

import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const allowed = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE-(APACHE|MIT)$/,
  /^dist\/.*\.(js|d\.ts)(\.map)?$/,
  /^src\/.*\.ts$/,
  /^build\/[a-z\d.-]+\.(wasm|js|ts)$/,
];

/**
 * @param {any} manifest
 * @param {string} folder
 * @param {readonly string[]} files
 * @returns {string[]}
 */
export function packageProblems(manifest, folder, files) {
  const there = new Set(files);
  const missing = ['name', 'version', 'description', 'license', 'type', 'exports', 'engines', 'files'];
  return [
    ...missing
      .filter((field) => manifest[field] === undefined)
      .map((field) => `package.json has no ${field}`),
    ...['README.md', 'LICENSE-APACHE', 'LICENSE-MIT']
      .filter((file) => !there.has(file))
      .map((file) => `there is no ${file}`),
    ...files.filter((file) => /\.test\./.test(file)).map((file) => `${file} is a test`),
    ...files
      .filter((file) => !allowed.some((pattern) => pattern.test(file)))
      .map((file) => `${file} does not belong there`),
    ...targetsOf(manifest.exports)
      .filter((file) => !there.has(file))
      .map((file) => `the export ${file} is missing`),
    ...Object.entries(manifest.exports).flatMap(([path, target]) =>
      typeof target === 'string' || Object.hasOwn(/** @type {object} */ (target), 'types')
        ? []
        : [`the export ${path} has no types`],
    ),
    ...files.filter((file) => file.endsWith('.map')).flatMap((file) => missingSources(folder, file, there)),
    ...files.filter((file) => file.startsWith('dist/')).flatMap((file) => leftOver(file, there)),
  ];
}

/** @param {Record<string, string | Record<string, string>>} exports */
function targetsOf(exports) {
  return Object.values(exports)
    .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    .map((path) => posix.normalize(path));
}

/** @param {string} folder @param {string} file @param {ReadonlySet<string>} there */
function missingSources(folder, file, there) {
  /** @type {{ sources: string[], sourceRoot?: string }} */
  const { sources, sourceRoot = '' } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  return sources
    .map((source) => posix.join(posix.dirname(file), sourceRoot, source))
    .filter((source) => !there.has(source))
    .map((source) => `${file} points to ${source}, which is missing`);
}

/** What an earlier build has left in `dist`. @param {string} file @param {ReadonlySet<string>} there */
function leftOver(file, there) {
  const source = file.replace(/^dist\//, 'src/').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
  return there.has(source) ? [] : [`${file} comes from no source`];
}
