/** What a cache can be asked, as an OpenAPI 3.1 document. */

export type OpenApiDocument = {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, PathItem>>;
};

type PathItem = {
  readonly parameters?: readonly Parameter[];
  readonly get?: Operation;
  readonly head?: Operation;
  readonly put?: Operation;
};

type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description: string;
  readonly schema: { readonly type: string; readonly pattern?: string };
};

type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
};

type Content = Readonly<
  Record<string, { readonly schema: { readonly type: string; readonly format?: string } }>
>;

export function openApiDocument(version: string): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Neve binary cache',
      version,
      description: 'A binary cache of Nix: what `nix copy`, substituters and browsers ask for.',
    },
    paths: Object.fromEntries(files.map((file) => [file.path, pathItem(file)])),
  };
}

type CacheFile = {
  readonly path: string;
  readonly name: string;
  readonly what: string;
  readonly type: string;
  readonly ranges?: boolean;
  readonly put?: string;
};

const files: readonly CacheFile[] = [
  {
    path: '/nix-cache-info',
    name: 'CacheInfo',
    what: 'the cache',
    type: 'text/x-nix-cache-info',
    put: 'must be equal',
  },
  {
    path: '/{hashPart}.narinfo',
    name: 'NarInfo',
    what: 'what is known of a store path',
    type: 'text/x-nix-narinfo',
    put: 'makes a path visible; its NAR and its references were put before',
  },
  {
    path: '/{hashPart}.ls',
    name: 'Listing',
    what: 'the listing of a NAR',
    type: 'application/json',
    put: 'is ignored',
  },
  {
    path: '/nar/{narFile}',
    name: 'Nar',
    what: 'a NAR by the SHA-256 of its file',
    type: 'application/x-nix-nar',
    ranges: true,
    put: 'the file of a NAR',
  },
  {
    path: '/nar/snix-castore/{node}',
    name: 'NodeNar',
    what: 'the NAR of a castore node',
    type: 'application/x-nix-nar',
    ranges: true,
  },
  { path: '/log/{derivation}', name: 'Log', what: 'what a build printed', type: 'text/plain', put: 'a log' },
  {
    path: '/debuginfo/{buildId}',
    name: 'DebugInfo',
    what: 'where debug information is',
    type: 'application/json',
    put: 'is ignored',
  },
  {
    path: '/build-trace-v2/{derivation}/{output}.doi',
    name: 'BuildTrace',
    what: 'the path of an output that follows from its contents',
    type: 'application/json',
    put: 'a build trace; its path was put before',
  },
  {
    path: '/realisations/{realisation}.doi',
    name: 'Realisation',
    what: 'the same for versions of Nix before 2.35',
    type: 'application/json',
    put: 'a build trace; its path was put before',
  },
  {
    path: '/serve/{hashPart}/{file}',
    name: 'File',
    what: 'a file of a store path, or a page with the entries of a directory',
    type: 'application/octet-stream',
    ranges: true,
  },
  { path: '/healthz', name: 'Health', what: 'whether the process answers', type: 'text/plain' },
  { path: '/readyz', name: 'Readiness', what: 'whether its services answer', type: 'text/plain' },
  { path: '/metrics', name: 'Metrics', what: 'metrics for Prometheus', type: 'text/plain' },
];

const parameters: Readonly<Record<string, Omit<Parameter, 'name' | 'in' | 'required'>>> = {
  hashPart: {
    description: 'the first 32 characters of a store path',
    schema: { type: 'string', pattern: '^[0-9a-df-np-sv-z]{32}$' },
  },
  narFile: {
    description: 'nixbase32 of the SHA-256 of the file, `.nar`, and the extension of its compression',
    schema: { type: 'string', pattern: '^[0-9a-df-np-sv-z]{52}\\.nar(\\.[0-9A-Za-z]+)?$' },
  },
  node: {
    description: 'an `Entry` without a name in base64url',
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]+$' },
  },
  derivation: { description: 'the base name of a derivation', schema: { type: 'string' } },
  output: { description: 'the name of an output', schema: { type: 'string' } },
  buildId: { description: 'a build id of 40 digits', schema: { type: 'string', pattern: '^[0-9a-f]{40}$' } },
  realisation: {
    description: '`sha256:<hex>!<output>`',
    schema: { type: 'string', pattern: '^sha256:[0-9a-f]{64}!.+$' },
  },
  file: { description: 'a path below the store path', schema: { type: 'string' } },
};

const size: Parameter = {
  name: 'narsize',
  in: 'query',
  required: true,
  description: 'the size of the NAR in bytes',
  schema: { type: 'integer' },
};

const range: Parameter = {
  name: 'Range',
  in: 'header',
  description: 'one range of bytes',
  schema: { type: 'string' },
};

function pathItem({ path, name, what, type, ranges = false, put }: CacheFile): PathItem {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => parameter);
  const own = names.flatMap((parameter): Parameter[] => {
    const described = parameters[parameter];
    return described === undefined ? [] : [{ name: parameter, in: 'path', required: true, ...described }];
  });
  const all = path.includes('snix-castore') ? [...own, size] : own;
  const content: Content = { [type]: { schema: { type: 'string' } } };
  const responses = {
    200: { description: what, content },
    ...(ranges && { 206: { description: 'a part of it', content }, 416: { description: 'no such part' } }),
    304: { description: 'the client has it' },
    404: { description: 'it is not here' },
  };
  return {
    ...(all.length > 0 && { parameters: all }),
    get: { operationId: `get${name}`, summary: what, ...(ranges && { parameters: [range] }), responses },
    head: {
      operationId: `head${name}`,
      summary: `${what}, without a body`,
      responses: { 200: { description: what } },
    },
    ...(put !== undefined && { put: putOperation(name, put, content) }),
  };
}

function putOperation(name: string, what: string, content: Content): Operation {
  return {
    operationId: `put${name}`,
    summary: what,
    requestBody: { required: true, content },
    responses: {
      201: { description: 'it is here' },
      400: { description: 'it is not what it says; the body names what is wrong' },
      403: { description: 'nobody who is trusted has signed it' },
      405: { description: 'nothing can be put here' },
      409: { description: 'what it needs is not here, or something else is' },
      413: { description: 'it is too large' },
      415: { description: 'its compression cannot be read here' },
      503: { description: 'too many uploads are under way' },
    },
  };
}
