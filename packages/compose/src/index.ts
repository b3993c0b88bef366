/**
 * Services by URL or configuration file: a registry of types, a checked configuration, and a graph of running instances
 * with one disposer. This package knows no service; packages that have some register them.
 *
 * 1. **Say what there is.** A kind is a typed key; a type has a schema of options, from which `build` gets its types.
 *
 *        const blobs = serviceKind<BlobService>({ name: 'blob', table: 'blobservices' });
 *
 *        const registry = new Registry()
 *          .register({
 *            kind: blobs,
 *            type: 'file',
 *            description: 'Blobs as files in a folder',
 *            options: { path: option.path(), read_only: option.boolean().default(false) },
 *            fromUrl: (url) => optionsFromUrl(url, { path: 'path' }),
 *            build: ({ path, read_only }) => openFileBlobs({ path, readOnly: read_only }),
 *          })
 *          .register({
 *            kind: blobs,
 *            type: 'cache',
 *            description: 'Fills a near store from a far one',
 *            options: { near: option.reference(blobs), far: option.reference(blobs) },
 *            fromUrl: (url) => optionsFromUrl(url),
 *            build: ({ near, far }) => cachedBlobs({ near, far }),
 *          });
 *
 * 2. **Read what is wanted.** Everything is checked here, before anything is started: unknown names, wrong types, missing
 *    options, references to nothing, cycles. All mistakes come in one `CompositionError`, each with its line and path.
 *
 *        [blobservices.root]                 # the entry point; other names are other views
 *        type = "cache"
 *        near = "&disk"                      # a named instance, shared by all who refer to it
 *        far = "grpc+unix:/run/neve.sock"    # an anonymous one
 *
 *        [blobservices]
 *        disk = "file:/var/lib/neve/blobs"   # a URL in place of a table
 *
 *        const config = parseComposition(text, 'store.toml', registry);
 *        const other = composeFromUrls({ blob: 'file:/var/lib/neve/blobs' }, registry);
 *
 * 3. **Use it.** A service is started when it is first asked for.
 *
 *        await using composition = new Composition(config);
 *        const root = await composition.get(blobs);
 *        const alice = await composition.get(blobs, 'alice');
 */
export { serviceKind } from './service-kind.ts';
export type { ServiceKind } from './service-kind.ts';
export { Registry } from './registry.ts';
export type { AnyServiceType, BuildContext, ServiceType } from './registry.ts';
export { option } from './option.ts';
export type { Option, OptionSchema, OptionType, OptionValues, Prioritised } from './option.ts';
export { ServiceUrl, formatServiceUrl } from './service-url.ts';
export type { ServiceUrlParts } from './service-url.ts';
export { optionsFromUrl } from './options-from-url.ts';
export type { UrlParts } from './options-from-url.ts';
export { composeFromUrls, parseComposition } from './parse-composition.ts';
export { readComposition } from './read-composition.ts';
export type { ReadCompositionOptions } from './read-composition.ts';
export type {
  CheckedOption,
  CompositionConfig,
  ConfigPath,
  Instance,
  Reference,
} from './composition-config.ts';
export { Composition } from './composition.ts';
export type { ServiceWrapper } from './composition.ts';
export { describeComposition, printComposition } from './describe-composition.ts';
export type {
  CompositionDescription,
  InstanceDescription,
  OptionDescription,
} from './describe-composition.ts';
export { CompositionError } from './composition-error.ts';
export type { CompositionErrorCode, Problem } from './composition-error.ts';
