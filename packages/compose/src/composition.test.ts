// The linter reads tests without the types of Node.js, where `Symbol.asyncDispose` is declared.
/// <reference lib="esnext.disposable" />
/** Toy services, small enough to read: a map in memory, a cache of two, a list by priority, and a kind that uses them. */
import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import { Composition } from './composition.ts';
import { CompositionError } from './composition-error.ts';
import type { CompositionErrorCode } from './composition-error.ts';
import { describeComposition, printComposition } from './describe-composition.ts';
import { option } from './option.ts';
import { optionsFromUrl } from './options-from-url.ts';
import { composeFromUrls, parseComposition } from './parse-composition.ts';
import type { Prioritised } from './option.ts';
import { Registry } from './registry.ts';
import type { ServiceUrl } from './service-url.ts';
import { serviceKind } from './service-kind.ts';

interface Blobs {
  readonly label: string;
  get(key: string): string | undefined;
  put(key: string, value: string): void;
}

interface PathInfos {
  readonly blobs: Blobs;
}

const blobs = serviceKind<Blobs>({ name: 'blob', table: 'blobservices' });
const pathInfos = serviceKind<PathInfos>({ name: 'path info', table: 'pathinfoservices' });

class MemoryBlobs implements Blobs, AsyncDisposable {
  readonly label: string;
  readonly #log: string[];
  readonly #values = new Map<string, string>();

  constructor(label: string, log: string[]) {
    this.label = label;
    this.#log = log;
    log.push(`open ${label}`);
  }

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  put(key: string, value: string): void {
    this.#values.set(key, value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
    this.#log.push(`close ${this.label}`);
    if (this.label.endsWith('stuck')) throw new Error(`${this.label} is stuck`);
  }
}

/** A registry whose services write down when they are opened and closed. */
function toyRegistry(log: string[] = []): Registry {
  return new Registry()
    .register({
      kind: blobs,
      type: 'memory',
      description: 'A map',
      options: { delay: option.seconds().optional() },
      fromUrl: (url) => optionsFromUrl(url),
      async build({ delay = 0 }, { instanceName }) {
        await new Promise((resolve) => setTimeout(resolve, delay * 1000));
        return new MemoryBlobs(instanceName, log);
      },
    })
    .register({
      kind: blobs,
      type: 'cache',
      description: 'Near, then far',
      options: { near: option.reference(blobs), far: option.reference(blobs) },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ near, far }, { instanceName }) =>
        Object.assign(new MemoryBlobs(instanceName, log), {
          get: (key: string) => near.get(key) ?? far.get(key),
          put: (key: string, value: string) => {
            near.put(key, value);
          },
        }),
    })
    .register({
      kind: blobs,
      type: 'priority',
      description: 'Several, in order',
      options: { services: option.priorities(blobs) },
      fromUrl: (url) => optionsFromUrl(url, { query: 'services' }),
      build: ({ services }) => ({
        label: services.map(({ priority, service }) => `${priority} ${service.label}`).join(', '),
        get: (key) => services.map(({ service }) => service.get(key)).find((it) => it !== undefined),
        put: () => undefined,
      }),
    })
    .register({
      kind: blobs,
      type: 'broken',
      description: 'Never starts',
      options: {},
      fromUrl: (url) => optionsFromUrl(url),
      build() {
        throw new Error('no answer from s3://user:hunter2@host/?token=hunter2');
      },
    })
    .register({
      kind: blobs,
      type: 'objectstore',
      description: 'As Snix writes it',
      options: {
        object_store_url: option.url(),
        object_store_options: option.textMap(),
        avg_chunk_size: option.size({ min: 1024, max: 2 ** 30 }).default(262_144),
      },
      fromUrl: (url) => optionsFromUrl(url, { inner: 'object_store_url', query: 'object_store_options' }),
      build: ({ object_store_url: url, object_store_options: options }) =>
        new MemoryBlobs(`${url.text} ${JSON.stringify([...options])}`, log),
    })
    .register({
      kind: pathInfos,
      type: 'nix',
      description: 'As Snix writes it',
      options: {
        base_url: option.url(),
        public_keys: option.textList().default([]),
        blob_service: option.reference(blobs).default('&root'),
      },
      fromUrl(url) {
        const { trusted_public_keys: keys, ...rest } = optionsFromUrl(url, { inner: 'base_url' });
        return { ...rest, public_keys: keys };
      },
      build: ({ blob_service }) => ({ blobs: blob_service }),
    })
    .register({
      kind: pathInfos,
      type: 'redb',
      description: 'As Snix writes it',
      options: {
        path: option.path().optional(),
        is_temporary: option.boolean().default(false),
        cache_size: option.integer({ min: 1, max: 100 }).optional(),
        pin: option.text().secret().optional(),
      },
      fromUrl: (url) => optionsFromUrl(url, { path: 'path' }),
      build: () => ({ blobs: new MemoryBlobs('none', log) }),
    })
    .register({
      kind: pathInfos,
      type: 'lru',
      description: 'Without a URL',
      options: { capacity: option.integer({ min: 1 }) },
      build: () => ({ blobs: new MemoryBlobs('none', log) }),
    })
    .register({
      kind: pathInfos,
      type: 'cache',
      description: 'Near, then far',
      options: { near: option.reference(pathInfos), far: option.reference(pathInfos) },
      build: ({ far }) => far,
    });
}

function compose(text: string, log: string[] = []): Composition {
  return new Composition(parseComposition(text, 'store.toml', toyRegistry(log)));
}

async function rejection(promise: Promise<unknown>): Promise<CompositionError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CompositionError);
  return error as CompositionError;
}

// Reading

const snixLike = `
[blobservices.root]
type = "objectstore"
object_store_url = "file:///var/lib/store/blobs"
object_store_options = {}

[pathinfoservices.root]
type = "cache"
near = "redb"
far = "cache-nixos-org"

[pathinfoservices.redb]
type = "redb"
is_temporary = false
path = "/var/lib/store/pathinfo.redb"

[pathinfoservices.cache-nixos-org]
type = "nix"
base_url = "https://cache.nixos.org"
public_keys = ["cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="]
blob_service = "root"
`;

test('a file as Snix documents it, with bare names', async () => {
  await using composition = compose(snixLike);
  expect(describeComposition(composition.config)).toEqual({
    blobservices: {
      root: {
        type: 'objectstore',
        object_store_url: 'file:///var/lib/store/blobs',
        object_store_options: {},
        avg_chunk_size: 262_144,
      },
    },
    pathinfoservices: {
      root: { type: 'cache', near: '&redb', far: '&cache-nixos-org' },
      redb: { type: 'redb', path: '/var/lib/store/pathinfo.redb', is_temporary: false },
      'cache-nixos-org': {
        type: 'nix',
        base_url: 'https://cache.nixos.org',
        public_keys: ['cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY='],
        blob_service: '&root',
      },
    },
  });
  const root = await composition.get(pathInfos);
  expect(root.blobs).toBe(await composition.get(blobs));
  expect(root.blobs.label).toBe('file:///var/lib/store/blobs []');
});

test('the configuration in effect reads back as itself', () => {
  const check = (text: string): void => {
    const config = parseComposition(text, 'store.toml', toyRegistry());
    const again = parseComposition(printComposition(config), 'printed', toyRegistry());
    expect(describeComposition(again)).toEqual(describeComposition(config));
  };
  check(snixLike);
  check('[blobservices]\nroot = "cache:?near=&a&far=memory:%3Fdelay=0.5"\na = "memory:"');
  check('[blobservices.root]\ntype = "priority"\nservices = { 20 = "memory:", 3 = { type = "memory" } }');
  check('[blobservices.root]\ntype="cache"\nnear="&disk"\nfar="memory:"\n[blobservices]\ndisk="memory:"');
  check('[blobservices]\nroot = "objectstore+s3://bucket/p?region=eu&avg_chunk_size=3"');
});

test('secrets are not in a description', () => {
  const config = parseComposition(
    `[blobservices.root]
type = "objectstore"
object_store_url = "s3://user:hunter2@bucket"
object_store_options = { aws_secret_access_key = "hunter2", region = "eu" }
[pathinfoservices.root]
type = "redb"
pin = "hunter2"`,
    'store.toml',
    toyRegistry(),
  );
  expect(printComposition(config)).not.toContain('hunter2');
  expect(JSON.stringify(describeComposition(config))).not.toContain('hunter2');
  expect(describeComposition(config)).toMatchObject({
    blobservices: {
      root: {
        object_store_url: 's3://user:***@bucket',
        object_store_options: { aws_secret_access_key: '***', region: 'eu' },
      },
    },
    pathinfoservices: { root: { pin: '***' } },
  });
});

test('one URL for each kind', async () => {
  const urls = {
    blob: 'objectstore+s3://bucket/p?region=eu',
    'path info': 'nix+https://c?trusted-public-keys=a%20b',
  };
  const config = composeFromUrls(urls, toyRegistry());
  await using composition = new Composition(config);
  expect((await composition.get(pathInfos)).blobs.label).toBe('s3://bucket/p [["region","eu"]]');
  expect(describeComposition(config)['pathinfoservices']).toEqual({
    root: { type: 'nix', base_url: 'https://c', public_keys: ['a', 'b'], blob_service: '&root' },
  });
  expect(() => composeFromUrls({ blobs: 'memory:' }, toyRegistry())).toThrow(/blobs: .*did you mean "blob"/);
});

test('the types of options follow from the schema', () => {
  new Registry().register({
    kind: blobs,
    type: 'typed',
    description: '',
    options: {
      near: option.reference(blobs),
      all: option.priorities(pathInfos),
      path: option.path().optional(),
      size: option.size().default('1 MiB'),
      url: option.url(),
    },
    build(options) {
      expectTypeOf(options.near).toEqualTypeOf<Blobs>();
      expectTypeOf(options.all).toEqualTypeOf<readonly Prioritised<PathInfos>[]>();
      expectTypeOf(options.path).toEqualTypeOf<string | undefined>();
      expectTypeOf(options.size).toEqualTypeOf<number>();
      expectTypeOf(options.url).toEqualTypeOf<ServiceUrl>();
      return options.near;
    },
  });
});

test('what a value may look like', () => {
  const check = (key: string, value: string, expected: unknown): void => {
    const text = `[pathinfoservices.root]\ntype = "every"\n${key} = ${value}`;
    const registry = new Registry().register({
      kind: pathInfos,
      type: 'every',
      description: '',
      options: {
        size: option.size().optional(),
        list: option.textList().optional(),
        seconds: option.seconds().optional(),
        flag: option.boolean().optional(),
      },
      fromUrl: (url) => optionsFromUrl(url),
      build: () => ({ blobs: new MemoryBlobs('', []) }),
    });
    const read = (toml: string): unknown =>
      describeComposition(parseComposition(toml, 'x', registry))['pathinfoservices']?.['root']?.[key];
    expect(read(text), text).toEqual(expected);
  };
  check('size', '65536', 65_536);
  check('size', '"65536"', 65_536);
  check('size', '"64 KiB"', 65_536);
  check('size', '"64K"', 65_536);
  check('size', '"5MB"', 5_000_000);
  check('size', '"5 kB"', 5000);
  check('size', '"7B"', 7);
  check('size', '"2GiB"', 2_147_483_648);
  check('size', '"1 TiB"', 1_099_511_627_776);
  check('list', '["a b", "c"]', ['a b', 'c']);
  check('seconds', '0.5', 0.5);
  check('flag', 'false', false);
});

test('texts of a URL become what the schema says', () => {
  const check = (url: string, expected: unknown): void => {
    const config = composeFromUrls({ 'path info': url }, toyRegistry());
    expect(describeComposition(config)['pathinfoservices']?.['root']).toEqual(expected);
  };
  check('redb:', { type: 'redb', is_temporary: false });
  check('redb://', { type: 'redb', is_temporary: false });
  check('redb:///a?is-temporary&cache-size=7', {
    type: 'redb',
    path: '/a',
    is_temporary: true,
    cache_size: 7,
  });
  check('redb:/a%20b?is_temporary=0', { type: 'redb', path: '/a b', is_temporary: false });
});

// Mistakes

type Mistake = { readonly code: CompositionErrorCode; readonly message: string };

function checkMistake(text: string, expected: Mistake): void {
  let error: unknown;
  try {
    parseComposition(text, 'f', toyRegistry());
  } catch (caught) {
    error = caught;
  }
  expect(error, text).toBeInstanceOf(CompositionError);
  const { code, message } = error as CompositionError;
  expect({ code, message }, text).toEqual(expected);
}

/** A blob service `root` with these lines. */
const root = (lines: string): string => `[blobservices.root]\n${lines}`;
/** A path info service `root` of type `redb` with these lines. */
const redb = (lines: string): string => `[pathinfoservices.root]\ntype = "redb"\n${lines}`;

test.each<[string, Mistake]>([
  [
    '[blobservices.root\ntype = "memory"',
    { code: 'bad-toml', message: 'f:1: Invalid TOML document: illegal character in key' },
  ],
  [
    '[blobservice.root]\ntype = "memory"',
    {
      code: 'unknown-kind',
      message: 'f:1: blobservice: there is no kind of service with this table; did you mean "blobservices"?',
    },
  ],
  [
    'blobservices = 3',
    {
      code: 'bad-option',
      message: 'f:1: blobservices: must be a table of blob services by name, not 3',
    },
  ],
  [
    '[blobservices."a b"]\ntype = "memory"',
    {
      code: 'bad-name',
      message: 'f:1: blobservices."a b": a name consists of letters, digits, "_", "." and "-"',
    },
  ],
  [
    '[blobservices]\nroot = true',
    {
      code: 'bad-option',
      message: 'f:2: blobservices.root: must be a table with a type, or a service URL, not true',
    },
  ],
  [
    root('typ = "memory"'),
    {
      code: 'missing-option',
      message:
        'f:1: blobservices.root.type: must name the type of the service: one of memory, cache, priority, broken, objectstore',
    },
  ],
  [
    root('\ntype = "memroy"'),
    {
      code: 'unknown-type',
      message:
        'f:3: blobservices.root.type: there is no blob service of type "memroy"; did you mean "memory"?',
    },
  ],
  [
    '[blobservices]\nroot = "s3://user:hunter2@bucket"',
    {
      code: 'unknown-type',
      message:
        'f:2: blobservices.root: there is no blob service of type "s3"; known are memory, cache, priority, broken, objectstore',
    },
  ],
  [
    '[blobservices]\nroot = "s3://user:hunter2/@bucket"',
    {
      code: 'bad-url',
      message: 'f:2: blobservices.root: not a service URL: its host and port cannot be read',
    },
  ],
  [
    '[blobservices]\nroot = "memory:/path"',
    {
      code: 'bad-url',
      message: 'f:2: blobservices.root: "memory" cannot have this URL: it takes no path',
    },
  ],
  [
    '[blobservices]\nroot = "objectstore:/path"',
    {
      code: 'bad-url',
      message:
        'f:2: blobservices.root: "objectstore" cannot have this URL: it needs an inner URL, as in "objectstore+https://…"',
    },
  ],
  [
    '[pathinfoservices]\nroot = "lru:?capacity=3"',
    {
      code: 'bad-url',
      message:
        'f:2: pathinfoservices.root: a path info service of type "lru" has no URL; write a table with its options',
    },
  ],
  [
    '[pathinfoservices]\nroot = "redb:/a?path=/b"',
    { code: 'bad-option', message: 'f:2: pathinfoservices.root.path: must be a path, not a list' },
  ],
  [
    '[blobservices.root]\ntype = "cache"\nnera = "memory:"\nfar = "memory:"',
    {
      code: 'unknown-option',
      message:
        'f:3: blobservices.root.nera: unknown option; did you mean "near"?\n' +
        'f:1: blobservices.root.near: this option is missing; it must be a reference to a blob service, as "&name" or "memory:"',
    },
  ],
  [
    '[blobservices]\nroot = "cache:?near=&a"\na = "memory:"',
    {
      code: 'missing-option',
      message:
        'f:2: blobservices.root.far: this option is missing; it must be a reference to a blob service, as "&name" or "memory:"',
    },
  ],
  [
    redb('cache_size = 101'),
    {
      code: 'bad-option',
      message: 'f:3: pathinfoservices.root.cache_size: must be a whole number from 1 to 100, not 101',
    },
  ],
  [
    redb('cache_size = 1.5'),
    {
      code: 'bad-option',
      message: 'f:3: pathinfoservices.root.cache_size: must be a whole number from 1 to 100, not 1.5',
    },
  ],
  [
    redb('cache_size = "7"'),
    {
      code: 'bad-option',
      message: 'f:3: pathinfoservices.root.cache_size: must be a whole number from 1 to 100, not "7"',
    },
  ],
  [
    redb('path = ""'),
    { code: 'bad-option', message: 'f:3: pathinfoservices.root.path: must be a path, not ""' },
  ],
  [
    redb('is_temporary = 1'),
    {
      code: 'bad-option',
      message: 'f:3: pathinfoservices.root.is_temporary: must be true or false, not 1',
    },
  ],
  [
    redb('pin = 1234'),
    { code: 'bad-option', message: 'f:3: pathinfoservices.root.pin: must be a text, not this' },
  ],
  [
    root('type = "memory"\ndelay = 0'),
    {
      code: 'bad-option',
      message: 'f:3: blobservices.root.delay: must be a number of seconds above 0, not 0',
    },
  ],
  [
    root('type = "memory"\ndelay = 2020-01-01'),
    {
      code: 'bad-option',
      message: 'f:3: blobservices.root.delay: must be a number of seconds above 0, not a date',
    },
  ],
  [
    root(
      'type = "objectstore"\nobject_store_url = "x"\nobject_store_options = { a = 1 }\navg_chunk_size = "1 KB"',
    ),
    {
      code: 'bad-url',
      message:
        'f:3: blobservices.root.object_store_url: not a service URL: it does not start with a scheme, as "memory:" does\n' +
        'f:4: blobservices.root.object_store_options: must be a table of nothing but texts\n' +
        'f:5: blobservices.root.avg_chunk_size: must be a number of bytes from 1024 to 1073741824, as 65536 or "64 KiB", not "1 KB"',
    },
  ],
  [
    '[pathinfoservices.root]\ntype = "nix"\nbase_url = "https://c"\npublic_keys = [\n  "a",\n  1,\n]\n[blobservices]\nroot="memory:"',
    {
      code: 'bad-option',
      message: 'f:4: pathinfoservices.root.public_keys: must be a list of nothing but texts',
    },
  ],
  [
    '[pathinfoservices.root]\ntype = "nix"\nbase_url = "https://c"',
    {
      code: 'unknown-instance',
      message:
        'f:1: pathinfoservices.root.blob_service: there is no blob service named "root"; there are none',
    },
  ],
  [
    root('type = "cache"\nnear = "&naer"\nfar = "near"\n[blobservices.near]\ntype = "memory"'),
    {
      code: 'unknown-instance',
      message: 'f:3: blobservices.root.near: there is no blob service named "naer"; did you mean "near"?',
    },
  ],
  [
    root('type = "cache"\nnear = "&somewhere"\nfar = "memory:"'),
    {
      code: 'unknown-instance',
      message: 'f:3: blobservices.root.near: there is no blob service named "somewhere"; known are root',
    },
  ],
  [
    root('type = "cache"\nnear = "&"\nfar = { type = "cache", near = "memory:", far = 3 }'),
    {
      code: 'bad-option',
      message:
        'f:3: blobservices.root.near: must be a reference to a blob service, as "&name" or "memory:", not "&"\n' +
        'f:4: blobservices.root.far.far: must be a reference to a blob service, as "&name" or "memory:", not 3',
    },
  ],
  [
    root('type = "cache"\nnear = "memory:"\nfar = "cache:?near=memory:&far=nowhere"'),
    {
      code: 'unknown-instance',
      message: 'f:4: blobservices.root.far.far: there is no blob service named "nowhere"; known are root',
    },
  ],
  [
    root('type = "priority"\nservices = {}'),
    {
      code: 'bad-option',
      message:
        'f:3: blobservices.root.services: must be a table of priorities and references to blob services, as { 10 = "&name" }, not empty',
    },
  ],
  [
    root('type = "priority"\n[blobservices.root.services]\n10 = "memory:"\n010 = "memory:"\nx = 1'),
    {
      code: 'bad-option',
      message:
        'f:5: blobservices.root.services.010: the priority 10 is given twice\n' +
        'f:6: blobservices.root.services.x: a priority is a whole number from 0 to 999999999\n' +
        'f:6: blobservices.root.services.x: must be a reference to a blob service, as "&name" or "memory:", not 1',
    },
  ],
  [
    root('type = "cache"\nnear = "memory:"\nfar = "&root"'),
    {
      code: 'cycle',
      message:
        'f:4: blobservices.root.far: a service cannot need itself: blobservices.root.far → blobservices.root; take one of these references away',
    },
  ],
  [
    `[blobservices]\nroot = "cache:?near=memory:&far=&a"\na = "cache:?near=&b&far=memory:"\n[blobservices.b]
type = "cache"\nnear = "memory:"\nfar = { type = "priority", services = { 1 = "&a" } }`,
    {
      code: 'cycle',
      message:
        'f:3: blobservices.a.near: a service cannot need itself: blobservices.a.near → blobservices.b.far → blobservices.b.far.services.1 → blobservices.a; take one of these references away',
    },
  ],
])('mistake %#: %s', (text, expected) => {
  checkMistake(text, expected);
});

test('a registration that no file could use is a bug', () => {
  const register = (type: string, name: string) => () =>
    toyRegistry().register({
      kind: blobs,
      type,
      description: '',
      options: { [name]: option.text() },
      build: () => new MemoryBlobs('', []),
    });
  expect(register('memory', 'a')).toThrow(/two types memory/);
  expect(register('Memory', 'a')).toThrow(/no scheme/);
  expect(register('other', 'type')).toThrow(/cannot be an option/);
  expect(register('other', 'a-b')).toThrow(/cannot be an option/);
});

// Running

test('several views share the services inside, each started once', async () => {
  const log: string[] = [];
  const text = `[blobservices]
shared = "memory:?delay=0.01"
alice-disk = "memory:"
alice = "cache:?near=&alice-disk&far=&shared"
bob = "priority:?20=&shared&3=memory:"
unused = "broken:"`;
  {
    await using composition = compose(text, log);
    expect(log).toEqual([]);
    const [alice, again, bob] = await Promise.all([
      composition.get(blobs, 'alice'),
      composition.get(blobs, 'alice'),
      composition.get(blobs, 'bob'),
    ]);
    expect(again).toBe(alice);
    expect(bob.label).toBe('3 bob.services.3, 20 shared');
    (await composition.get(blobs, 'shared')).put('k', 'for both');
    alice.put('mine', 'of alice');
    expect([alice.get('k'), bob.get('k')]).toEqual(['for both', 'for both']);
    expect([alice.get('mine'), bob.get('mine')]).toEqual(['of alice', undefined]);
    expect(log.toSorted()).toEqual(['open alice', 'open alice-disk', 'open bob.services.3', 'open shared']);
  }
  const closed = log.slice(4);
  expect(closed).toHaveLength(4);
  expect(closed.indexOf('close alice')).toBeLessThan(closed.indexOf('close shared'));
  expect(closed.indexOf('close alice')).toBeLessThan(closed.indexOf('close alice-disk'));
});

test('each place with a URL has a service of its own', async () => {
  await using composition = compose('[blobservices]\na = "cache:?near=memory:&far=memory:"');
  const log = await composition.get(blobs, 'a');
  log.put('k', 'v');
  expect(log.get('k')).toBe('v');
  expect((await rejection(composition.get(blobs, 'a.near'))).code).toBe('unknown-instance');
});

test('a name that is not there', async () => {
  await using composition = compose('[blobservices]\nroot = "memory:"\nalice = "memory:"');
  const error = await rejection(composition.get(blobs, 'alcie'));
  expect(error.message).toBe(
    'store.toml: blobservices.alcie: there is no blob service named "alcie"; did you mean "alice"?',
  );
  expect((await rejection(composition.get(pathInfos))).message).toContain('there are none');
});

test('a failure names the way to it, without passwords, and keeps its cause', async () => {
  await using composition = compose(
    '[blobservices]\nroot = "cache:?near=memory:&far=&b"\nb = "cache:?near=memory:&far=broken:"',
  );
  const error = await rejection(composition.get(blobs));
  expect(error.code).toBe('build-failed');
  expect(error.message).toBe(
    'store.toml: blobservices.root.far: blobservices.b.far: ' +
      'the blob service of type "broken" could not be started: no answer from s3://user:***@host/?token=***',
  );
  const causes: string[] = [];
  for (let it: unknown = error; it instanceof Error; it = it.cause) causes.push(it.name);
  expect(causes).toEqual(['CompositionError', 'CompositionError', 'Error']);
});

test('after a failure, asking again tries again', async () => {
  let attempts = 0;
  const registry = new Registry().register({
    kind: blobs,
    type: 'flaky',
    description: '',
    options: {},
    fromUrl: (url) => optionsFromUrl(url),
    build() {
      attempts += 1;
      if (attempts === 1) throw new Error('not yet');
      return new MemoryBlobs('flaky', []);
    },
  });
  await using composition = new Composition(composeFromUrls({ blob: 'flaky:' }, registry));
  const both = await Promise.allSettled([composition.get(blobs), composition.get(blobs)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(attempts).toBe(1);
  expect((await composition.get(blobs)).label).toBe('flaky');
});

test('everything is closed, even when something fails at that', async () => {
  const log: string[] = [];
  const composition = compose(
    '[blobservices]\nroot = "cache:?near=&a-stuck&far=&c"\na-stuck = "memory:"\nc = "cache:?near=&b-stuck&far=memory:"\nb-stuck = "memory:"',
    log,
  );
  await composition.get(blobs);
  const error = await rejection(composition[Symbol.asyncDispose]());
  expect(error.code).toBe('dispose-failed');
  expect((error.cause as AggregateError).errors.map((it: Error) => it.message).toSorted()).toEqual([
    'blobservices.a-stuck: a-stuck is stuck',
    'blobservices.b-stuck: b-stuck is stuck',
  ]);
  const opened = log.filter((it) => it.startsWith('open')).map((it) => it.slice(5));
  const closed = log.filter((it) => it.startsWith('close')).map((it) => it.slice(6));
  expect(opened).toHaveLength(5);
  expect(closed).toEqual(opened.toReversed());
  expect(await rejection(composition[Symbol.asyncDispose]())).toBe(error);
  expect((await rejection(composition.get(blobs))).code).toBe('disposed');
});

test('closing waits for what is being started, and starts nothing more', async () => {
  const log: string[] = [];
  const composition = compose('[blobservices]\nroot = "cache:?near=memory:&far=memory:%3Fdelay=0.02"', log);
  const root = rejection(composition.get(blobs));
  while (log.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await composition[Symbol.asyncDispose]();
  expect((await root).code).toBe('disposed');
  expect(log).toEqual(['open root.near', 'open root.far', 'close root.far', 'close root.near']);
});

test('a service that is handed on is closed once, after all who use it', async () => {
  const log: string[] = [];
  const registry = toyRegistry(log).register({
    kind: blobs,
    type: 'same',
    description: '',
    options: { inner: option.reference(blobs) },
    build: ({ inner }) => inner,
  });
  const text = `[blobservices]\na = "memory:"\nroot = "cache:?near=&b&far=&b"\n[blobservices.b]\ntype = "same"\ninner = "&a"`;
  const composition = new Composition(parseComposition(text, 'f', registry));
  await composition.get(blobs);
  await composition[Symbol.asyncDispose]();
  expect(log).toEqual(['open a', 'open root', 'close root', 'close a']);
});

test('a wrapper is around every service of its kind, inner ones too', async () => {
  const seen: string[] = [];
  await using composition = compose('[blobservices]\nroot = "priority:?1=memory:"').wrap(
    blobs,
    (service, { path }) => {
      seen.push(path);
      return { ...service, label: `<${service.label}>`, get: () => 'wrapped', put: () => undefined };
    },
  );
  const service = await composition.get(blobs);
  expect(service.label).toBe('<1 <root.services.1>>');
  expect(seen).toEqual(['blobservices.root.services.1', 'blobservices.root']);
});

test('a generated graph without cycles starts each service once and closes it before what it needs', async () => {
  const edges = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(edges, async (generated) => {
      // Service n refers to two of the services before it; the first two are plain.
      const lines = generated.map(
        ([near, far], i) => `n${i + 2} = "cache:?near=&n${near % (i + 2)}&far=&n${far % (i + 2)}"`,
      );
      const log: string[] = [];
      const composition = compose(
        ['[blobservices]', ...lines, 'n0="memory:"', 'n1="memory:"'].join('\n'),
        log,
      );
      const names = composition.config.names(blobs);
      await Promise.all(names.map((name) => composition.get(blobs, name)));
      await composition[Symbol.asyncDispose]();
      const opened = log.slice(0, names.length).map((it) => it.replace('open ', ''));
      expect(opened.toSorted()).toEqual([...names].toSorted());
      expect(log.slice(names.length)).toEqual(opened.toReversed().map((it) => `close ${it}`));
      for (const [i, [near, far]] of generated.entries()) {
        for (const inner of [near, far]) {
          expect(opened.indexOf(`n${inner % (i + 2)}`)).toBeLessThan(opened.indexOf(`n${i + 2}`));
        }
      }
    }),
    { numRuns: 50 },
  );
});
