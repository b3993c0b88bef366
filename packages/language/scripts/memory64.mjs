// Compiles the same sources for a memory of 64-bit addresses: a transform of asc, given to it by the build (ADR 0034).
//
// asc 0.28 knows a target whose `usize` has 64 bits, which nothing of its command line selects, and then declares a memory of
// 32 bits beside it. Both are mended here, before the module is validated and optimised:
//
// - the memory becomes one of 64 bits, with its data;
// - `memory.size` and `memory.grow`, whose types asc has wrong, get functions of their own;
// - a custom section says which parameters and results of exports are 64-bit integers, so that the host, for which these are
//   BigInts, can convert them (packages/eval/src/wide-addresses.ts).

/** The number of `Target.Wasm64` in asc. */
const wasm64 = 2;
const memoryName = '0';
const chunks = 'assembly/memory/chunks';
/** The other place that grows a memory: the allocator of the stub runtime, for what the module makes when it starts. */
const stub = '~lib/rt/stub';

const longsSection = 'neve.longs';

// oxlint-disable-next-line import/no-default-export -- what asc takes of the module of a transform
export default class Memory64 {
  constructor() {
    const { options, module } = givenByAsc(this).program;
    options.target = wasm64;
    // It was made with the options as they were.
    module.sizeType = options.sizeTypeRef;
  }

  /** @param {any} module of binaryen */
  afterCompile(module) {
    widenMemory(module);
    const { binaryen } = givenByAsc(this);
    replaceGrowth(module, binaryen);
    module.addCustomSection(longsSection, Buffer.from(JSON.stringify(longsOf(module, binaryen))));
  }
}

/**
 * What asc puts into the prototype of a transform.
 *
 * @param {any} transform
 * @returns {{ program: any, binaryen: any }}
 */
function givenByAsc(transform) {
  return transform;
}

/** @param {any} module */
function widenMemory(module) {
  const { initial } = module.getMemoryInfo(memoryName);
  const segments = [];
  for (let i = 0; i < module.getNumDataSegments(); i++) {
    const { name, offset, data, passive } = module.getDataSegmentInfo(module.getDataSegmentByIndex(i));
    segments.push({ name, offset: module.i64.const(BigInt(offset)), data: new Uint8Array(data), passive });
  }
  const unlimited = -1;
  const exported = null;
  module.setMemory(initial, unlimited, exported, segments, false, true, memoryName);
}

/**
 * @param {any} module
 * @param {any} binaryen
 */
function replaceGrowth(module, { i32, i64, getFunctionInfo }) {
  const replace = (/** @type {string} */ name, /** @type {unknown} */ body) => {
    const { params, results } = getFunctionInfo(module.getFunction(name));
    module.removeFunction(name);
    module.addFunction(name, params, results, [], body);
  };
  const size = () => module.memory.size(memoryName, true);
  const grow = (/** @type {unknown} */ pages) => module.memory.grow(pages, memoryName, true);
  replace(`${chunks}/memoryPages`, module.i32.wrap(size()));
  replace(`${chunks}/growPages`, module.i32.wrap(grow(module.i64.extend_u(module.local.get(0, i32)))));

  // Until `newOffset` lies in the memory it grows; then that is where the next object goes.
  const pageBits = () => module.i64.const(16n);
  const newOffset = () => module.local.get(0, i64);
  const missing = () => module.i64.sub(newOffset(), module.i64.shl(size(), pageBits()));
  const missingPages = module.i64.shr_u(module.i64.add(missing(), module.i64.const(0xffffn)), pageBits());
  replace(
    `${stub}/maybeGrowMemory`,
    module.block(null, [
      module.if(module.i64.gt_s(missing(), module.i64.const(0n)), module.drop(grow(missingPages))),
      module.global.set(`${stub}/offset`, newOffset()),
    ]),
  );
}

/**
 * For each export that takes or returns 64-bit integers the indices of these parameters, and whether its result is one.
 *
 * @param {any} module
 * @param {any} binaryen
 * @returns {Record<string, { parameters: number[], result: boolean }>}
 */
function longsOf(module, { i64, expandType, getExportInfo, getFunctionInfo, ExternalFunction }) {
  /** @type {Record<string, { parameters: number[], result: boolean }>} */
  const longs = {};
  for (let i = 0; i < module.getNumExports(); i++) {
    const { name, kind, value } = getExportInfo(module.getExportByIndex(i));
    if (kind !== ExternalFunction) continue;
    const { params, results } = getFunctionInfo(module.getFunction(value));
    const parameters = expandType(params).flatMap(
      (/** @type {unknown} */ type, /** @type {number} */ index) => (type === i64 ? [index] : []),
    );
    const result = results === i64;
    if (parameters.length > 0 || result) longs[name] = { parameters, result };
  }
  return longs;
}
