// The regular expression engine against what Nix 2.34 (libstdc++ 6.0.36) answers: every expectation of the tables below
// was recorded from `builtins.match` and `builtins.split`. Subjects are UTF-8, and matching is by bytes.
// `regex-differential.mjs` makes more such comparisons, with random patterns.
import { beforeAll, describe, expect, test } from 'vitest';
import { type ProbeMode, compileProbe } from './probe.ts';

type Groups = readonly (string | null)[];

/** Pattern, subject, and the groups of a whole match; null for none. */
const matches: readonly (readonly [string, string, Groups | null])[] = [
  ['a', 'a', []],
  ['a', 'b', null],
  ['a', '', null],
  ['', '', []],
  ['.', '\n', []],
  ['.', 'é1', null],
  ['a.c', 'abc', []],
  ['a*', 'aaa', []],
  ['(a*)*', 'aaa', ['']],
  ['(a*)+', 'aaa', ['']],
  ['(a*)*', '', ['']],
  ['((a)*)*', 'aa', ['', 'a']],
  ['((a)|b)*', 'ab', ['b', 'a']],
  ['((a)|(b))*', 'ab', ['b', 'a', 'b']],
  ['((a)|(b))*', 'ba', ['a', 'a', 'b']],
  ['(a|ab)(c|bcd)(d*)', 'abcd', ['a', 'bcd', '']],
  ['(a|ab)(bc|c)?', 'abc', ['a', 'bc']],
  ['(a*)(a*)', 'aaa', ['aaa', '']],
  ['(a?)(a?)', 'a', ['a', '']],
  ['(a+)(a*)(a?)', 'aaaa', ['aaaa', '', '']],
  ['(a{2})(a*)', 'aaaa', ['aa', 'aa']],
  ['(a{0,2})(a*)', 'aaaa', ['aa', 'aa']],
  ['(a{0})(a*)', 'aa', ['', 'aa']],
  ['(a){0}b', 'b', [null]],
  ['(a){2}', 'aa', ['a']],
  ['(ab|a){2}', 'aab', ['ab']],
  ['(ab|a){2,3}', 'aabab', ['ab']],
  ['(a|b){1,}', 'abba', ['a']],
  ['a{2}', 'aa', []],
  ['a{2}', 'aaa', null],
  ['a{2,}', 'aaaa', []],
  ['a{1,3}', 'aaaa', null],
  ['a{0}', '', []],
  ['a{000000002}', 'aa', []],
  ['a{1}{2}', 'aa', []],
  ['a{2}{3}', 'aaaaaa', []],
  ['(a*){2,3}', 'aaaa', ['']],
  ['(a*){2}', '', ['']],
  ['(a?){3}', 'aa', ['']],
  ['((a?){2}b)*', 'aabab', ['ab', '']],
  ['a**', 'aaa', []],
  ['a+?', 'aaa', []],
  ['a+?', '', []],
  ['a?*', 'aaa', []],
  ['a*?', 'a', []],
  ['(a*)?', '', ['']],
  ['(|a)', 'a', ['a']],
  ['(|a)', '', ['']],
  ['(a|)', 'a', ['a']],
  ['(a|)', '', ['']],
  ['()', '', ['']],
  ['()a', 'a', ['']],
  ['(|a)*', 'aa', ['']],
  ['(a|)*', 'aa', ['']],
  ['(|a)+', 'aa', ['']],
  ['(|a|b)*c', 'abc', ['']],
  ['(a|b|)(c|)', 'b', ['b', '']],
  ['|', '', []],
  ['a||b', 'a', []],
  ['^a$', 'a', []],
  ['a^b', 'ab', null],
  ['a$b', 'ab', null],
  ['^^a$$', 'a', []],
  ['(^a)', 'a', ['a']],
  ['(^|b)a', 'a', ['']],
  ['(^|b)a', 'ba', ['b']],
  ['x*^a', 'a', []],
  ['(a|^b)*', 'bb', null],
  ['($)', '', ['']],
  ['()$', '', ['']],
  ['(a*$)', 'aa', ['aa']],
  ['a\\.b', 'a.b', []],
  ['a\\.b', 'axb', null],
  ['\\(a\\)', '(a)', []],
  ['\\[a]', '[a]', []],
  ['\\{a}', '{a}', []],
  ['a}', 'a}', []],
  ['a]', 'a]', []],
  ['\\^\\$\\|\\*\\+\\?', '^$|*+?', []],
  ['\\\\', '\\', []],
  ['[a\\]]', '\\]', []],
  ['[\\.]', '\\', []],
  ['[]a]', ']', []],
  ['[^]a]', 'b', []],
  ['[a-]', '-', []],
  ['[-a]', '-', []],
  ['[^-a]', '-', null],
  ['[a-c-]', '-', []],
  ['[+--]', ',', []],
  ['[--/]', '.', []],
  ['[[]', '[', []],
  ['[[a]', '[', []],
  ['[a[]', '[', []],
  ['[a[b]]', '[]', []],
  ['[[.a.]]', 'a', []],
  ['[[.hyphen.]]', '-', []],
  ['[[.a.]-c]', 'b', []],
  ['[[.space.]]', ' ', []],
  ['[[=a=]]', 'A', []],
  ['[[=Z=]]', 'z', []],
  ['[[=tilde=]]', '~', []],
  ['[[:alpha:][:digit:]]+', 'a1', []],
  ['[^[:space:]]+', 'ab', []],
  ['[[:space:]]+', ' \t\n', []],
  ['[[:ALPHA:]]', 'q', []],
  ['[[:w:]]+', 'a_1', []],
  ['[[:d:]]+', '12', []],
  ['[[:s:]]', '\t', []],
  ['[a-z]+-[0-9]+', 'abc-12', []],
  ['[^/]+', 'file', []],
  ['[^/]+', 'dir/file', null],
  ['(.*)-([0-9].*)', 'hello-world-2.12.1', ['hello-world', '2.12.1']],
  ['(.*)-([0-9].*)', 'hello', null],
  ['([^-]*)-([^-]*)', 'a-b', ['a', 'b']],
  [
    '([a-zA-Z0-9_+.-]+)-([0-9]+)\\.([0-9]+)(\\.tar\\.(gz|bz2|xz))?',
    'some-package-7.12.tar.gz',
    ['some-package', '7', '12', '.tar.gz', 'gz'],
  ],
  [
    '([a-zA-Z0-9_+.-]+)-([0-9]+)\\.([0-9]+)(\\.tar\\.(gz|bz2|xz))?',
    'some-package-7.12',
    ['some-package', '7', '12', null, null],
  ],
  ['[[:space:]]*([^[:space:]](.*[^[:space:]])?)[[:space:]]*', '  a text ', ['a text', ' text']],
  ['.*(foo|bar).*', 'a bar here foo', ['foo']],
  ['(.*)\\.(nix|txt)', 'a.nix.txt', ['a.nix', 'txt']],
  ['(/[^/]*)*/([^/]*)', '/usr/share/doc', ['/share', 'doc']],
  ['(/[^/]*)*/([^/]*)', 'relative', null],
  ['([0-9]+)(\\.[0-9]+)*', '1.22.333', ['1', '.333']],
  ['([0-9]+)(\\.([0-9]+))?(\\.([0-9]+))?', '1.22', ['1', '.22', '22', null, null]],
  ['(a|b)*abb', 'abaabb', ['a']],
  ['(x+x+)+y', 'xxxxxxxxxxy', ['xxxxxxxxxx']],
  ['(x+x+)+y', 'xxxxxxxxxx', null],
  ['(a|aa)+', 'aaaaa', ['a']],
  ['(aa|a)+', 'aaaaa', ['a']],
  ['(a*|b)*', 'abab', ['']],
  ['(a*|b)*c', 'aabbc', ['']],
  ['((a*)|(b*))*', 'aabb', ['', '', 'bb']],
  ['((a*)(b*))*', 'abba', ['', '', '']],
  ['(a*b*)*', 'abba', ['']],
  ['((a|b)*c)*', 'abcbc', ['bc', 'b']],
  ['((a|(b))*c)*', 'abcac', ['ac', 'a', 'b']],
  ['(((a))*)*', 'aa', ['', 'a', 'a']],
  ['((a?)*)*', 'a', ['', '']],
  ['((a*)?)*b', 'aab', ['', '']],
  ['(((a*)*)*)', 'aa', ['aa', '', '']],
  ['((a*)+)+', 'aa', ['', '']],
  ['(a(b)?)+', 'aba', ['a', 'b']],
  ['(a(b)?c?)*', 'abaca', ['a', 'b']],
  ['((x)|(y)|(z))*', 'xyz', ['z', 'x', 'y', 'z']],
  ['(a|b(c|d)*)*', 'abcdbd', ['bd', 'd']],
  ['(a?|b?|c?)*', 'cab', ['']],
  ['(ab?)*?', 'aba', ['a']],
  ['([ab]*)([bc]*)', 'abbc', ['abb', 'c']],
  ['(.?)(.?)(.?)', 'ab', ['a', 'b', '']],
  ['(a)|(b)', 'b', [null, 'b']],
  ['(a)(b)?', 'a', ['a', null]],
  ['((a)(b)?)*', 'aba', ['a', 'a', 'b']],
];

/** Pattern, subject, and the parts: text between matches, groups of a match, in turn. */
const splits: readonly (readonly [string, string, readonly (string | Groups)[]])[] = [
  ['a', 'bab', ['b', [], 'b']],
  ['(a)', 'bab', ['b', ['a'], 'b']],
  ['(a)b', 'abc', ['', ['a'], 'c']],
  ['([ac])', 'abc', ['', ['a'], 'b', ['c'], '']],
  ['(a)|(c)', 'abc', ['', ['a', null], 'b', [null, 'c'], '']],
  ['(a|ab)', 'xabx', ['x', ['ab'], 'x']],
  ['(a|ab|abc)', 'xabcx', ['x', ['abc'], 'x']],
  ['(ab|a)', 'xabx', ['x', ['ab'], 'x']],
  ['(a*)(ab)?', 'aab', ['', ['aa', null], '', ['', null], 'b', ['', null], '']],
  ['a*', 'baaac', ['', [], 'b', [], '', [], 'c', [], '']],
  ['a*', '', ['', [], '']],
  ['(a*)', 'aba', ['', ['a'], '', [''], 'b', ['a'], '', [''], '']],
  ['(a*)', 'b', ['', [''], 'b', [''], '']],
  ['', 'abc', ['', [], 'a', [], 'b', [], 'c', [], '']],
  ['()', 'ab', ['', [''], 'a', [''], 'b', [''], '']],
  ['x*', 'abc', ['', [], 'a', [], 'b', [], 'c', [], '']],
  ['x*', 'xaxx', ['', [], '', [], 'a', [], '', [], '']],
  ['(x*)y?', 'xxyay', ['', ['xx'], '', [''], 'a', [''], '', [''], '']],
  ['^a', 'aaa', ['', [], 'aa']],
  ['^', 'abc', ['', [], 'abc']],
  ['$', 'abc', ['abc', [], '']],
  ['^$', '', ['', [], '']],
  ['^$', 'a', ['a']],
  ['(^a)|b', 'aab', ['', ['a'], 'a', [null], '']],
  ['a$', 'aa', ['a', [], '']],
  ['(a|$)', 'aba', ['', ['a'], 'b', ['a'], '', [''], '']],
  ['(^|a)', 'ba', ['', [''], 'b', ['a'], '']],
  ['(^|-)', 'a-b', ['', [''], 'a', ['-'], 'b']],
  ['b*$', 'abb', ['a', [], '', [], '']],
  ['b*^', 'abb', ['', [], 'abb']],
  ['b*^a', 'abb', ['', [], 'bb']],
  [',', 'a,b,,c,', ['a', [], 'b', [], '', [], 'c', [], '']],
  ['(,)', 'a,b,,c,', ['a', [','], 'b', [','], '', [','], 'c', [','], '']],
  [',?', 'a,b', ['', [], 'a', [], '', [], 'b', [], '']],
  ['[ \t\n]+', 'a b\t\nc', ['a', [], 'b', [], 'c']],
  ['([[:upper:]]+)', ' FOO ', [' ', ['FOO'], ' ']],
  ['(/)', '/a//b/', ['', ['/'], 'a', ['/'], '', ['/'], 'b', ['/'], '']],
  ['/+', '/a//b/', ['', [], 'a', [], 'b', [], '']],
  ['([a-z]+)([0-9]+)', 'ab12-c3d', ['', ['ab', '12'], '-', ['c', '3'], 'd']],
  ['([0-9]+)', 'v1.22.3', ['v', ['1'], '.', ['22'], '.', ['3'], '']],
  ['\\.', '1.2.3', ['1', [], '2', [], '3']],
  ['(\\.)', '1.2.3', ['1', ['.'], '2', ['.'], '3']],
  ['[-.]', '1.2-3', ['1', [], '2', [], '3']],
  ['([a-z]|[b-d]x|c)*', 'abcbxd', ['', ['d'], '', [null], '']],
  ['(a|b|c|d)*x?', 'abcdx', ['', ['d'], '', [null], '']],
  ['(a|ab)(c|bcd)?', 'abcd', ['', ['a', 'bcd'], '']],
  ['(a|ab)(c|bcd)*', 'abcdcbcd', ['', ['a', 'bcd'], '']],
  ['(a|ab)*', 'abab', ['', ['ab'], '', [null], '']],
  ['(ab|a)*', 'abab', ['', ['ab'], '', [null], '']],
  ['(a|ab)*c', 'ababc', ['', ['ab'], '']],
  ['((a|ab)(c|bcd))?(d*)', 'abcd', ['', ['abcd', 'a', 'bcd', ''], '', [null, null, null, ''], '']],
  ['(a*|ab)+', 'aabab', ['', [''], '', [''], 'b', [''], '', [''], '']],
  ['(a|b)*|(c)', 'xabc', ['', [null, null], 'x', ['b', null], '', [null, 'c'], '', [null, null], '']],
  ['(aa|aaa)*', 'aaaaaaa', ['', ['aaa'], '', [null], '']],
  ['(aaa|aa)*', 'aaaaaaa', ['', ['aa'], '', [null], '']],
  ['(a|aa){2}', 'aaaaa', ['', ['aa'], 'a']],
  ['(a|ab|b){1,2}', 'abab', ['', ['ab'], '']],
  ['(a?|ab)(b?c)?', 'abc', ['', ['a', 'bc'], '', ['', null], '']],
  ['(|a)', 'aa', ['', ['a'], '', ['a'], '', [''], '']],
  ['(a|)', 'aa', ['', ['a'], '', ['a'], '', [''], '']],
  ['(|a)+', 'aab', ['', [''], '', [''], 'b', [''], '']],
  ['(a|ab)?(b|c)?', 'abc', ['', ['ab', 'c'], '', [null, null], '']],
  ['(a*)*', 'baab', ['', [''], 'b', [''], '', [''], 'b', [''], '']],
  ['(a*|b)*', 'cabc', ['', [''], 'c', [''], '', [''], 'c', [''], '']],
  ['((a*)(b|ab)*)*', 'aabx', ['', ['', '', 'b'], '', ['', '', null], 'x', ['', '', null], '']],
  ['a{2}', 'aaaaa', ['', [], '', [], 'a']],
  ['a{0}', 'ab', ['', [], 'a', [], 'b', [], '']],
  ['(a{1,2})', 'aaaaa', ['', ['aa'], '', ['aa'], '', ['a'], '']],
  ['.', 'a\nb', ['', [], '', [], '', [], '']],
  ['\n', 'a\nb\n', ['a', [], 'b', [], '']],
  ['foo(bar)?', 'foobarfoo', ['', ['bar'], '', [null], '']],
  ['([^,]*)(,|$)', 'a,b,c', ['', ['a', ','], '', ['b', ','], '', ['c', ''], '', ['', ''], '']],
  ['[[:space:]]*;[[:space:]]*', 'a ; b;c', ['a', [], 'b', [], 'c']],
  ['(\\$\\{[a-z]+})', 'x${ab}y', ['x', ['${ab}'], 'y']],
  ['$', '', ['', [], '']],
  ['(a$)', 'aba', ['ab', ['a'], '']],
  ['(b|^a)*', 'abab', ['', ['b'], '', [null], 'a', ['b'], '', [null], '']],
];

/** Patterns that are malformed: "invalid regular expression". */
const invalid: readonly string[] = [
  '*a',
  '+a',
  '?a',
  '{1}',
  'a{,3}',
  'a{',
  'a{1',
  'a{1,',
  'a{x}',
  'a{1,2',
  'a{2,1}',
  'a{1 }',
  'a{-1}',
  'a{1,2,3}',
  'a{2147483648}',
  '(',
  ')',
  '(a',
  'a)',
  '((a)',
  '^*',
  '$+',
  '^?',
  '^{2}',
  'a|*b',
  'a|+',
  '(*a)',
  '(?:a)',
  '(?=a)',
  '\\d',
  '\\w',
  '\\1',
  '(a)\\1',
  '\\n',
  '\\',
  '\\]',
  '\\}',
  '\\/',
  '\\-',
  '\\"',
  'a\\',
  '[',
  '[a',
  '[^',
  '[]',
  '[^]',
  '[z-a]',
  '[a--]',
  '[a-c-e]',
  '[[:alpha:]-z]',
  '[a-[:alpha:]]',
  '[a-[.c.]]',
  '[[:foo:]]',
  '[[:alpha]]',
  '[[:alpha:',
  '[[.-.]]',
  '[[.ab.]]',
  '[[=1=]]',
  '[[.a]]',
  '[[=a]]',
  '[[.space.]-[.a.]]',
  '[[=a=]-c]',
  '[[:]',
];

/** Patterns that need too many states: "memory limit exceeded by regular expression". */
const tooLarge: readonly string[] = ['a{99994}', 'a{2147483647}', '(a{400}){400}', 'a{200000,1}'];

/** Patterns (a character a byte) and which of the bytes 01 to ff they match, in hexadecimal. */
const byteSets: readonly (readonly [string, string])[] = [
  ['[[:d:]]', '30-39'],
  ['[[:w:]]', '30-39 41-5a 5f 61-7a'],
  ['[[:s:]]', '09-0d 20'],
  ['[[:alnum:]]', '30-39 41-5a 61-7a'],
  ['[[:alpha:]]', '41-5a 61-7a'],
  ['[[:blank:]]', '09 20'],
  ['[[:cntrl:]]', '01-1f 7f'],
  ['[[:digit:]]', '30-39'],
  ['[[:graph:]]', '21-7e'],
  ['[[:lower:]]', '61-7a'],
  ['[[:print:]]', '20-7e'],
  ['[[:punct:]]', '21-2f 3a-40 5b-60 7b-7e'],
  ['[[:space:]]', '09-0d 20'],
  ['[[:upper:]]', '41-5a'],
  ['[[:xdigit:]]', '30-39 41-46 61-66'],
  ['.', '01-ff'],
  ['[^a]', '01-60 62-ff'],
  ['[\x80-\xff]', '80-ff'],
  ['[\x80-a]', '01-61 80-ff'],
  ['[^\x80-\xff]', '01-7f'],
  ['\xc3', 'c3'],
  ['[\xc3\xa9]', 'a9 c3'],
  ['[[=a=]]', '41 61'],
  ['[[=Z=]]', '5a 7a'],
  ['[[=tilde=]]', '7e'],
  ['[[.tilde.]]', '7e'],
  ['[!-~]', '21-7e'],
  ['[[:ALNUM:]_]', '30-39 41-5a 5f 61-7a'],
  ['[[.NUL.]-z]', '01-7a'],
  ['[[.a.]-c]', '61-63'],
  ['[[.hyphen.]]', '2d'],
  ['[[=A=]b-d]', '41 61-64'],
  ['[\\.]', '2e 5c'],
  ['[a\\]', '5c 61'],
  ['[--a]', '2d-61'],
  ['[+--]', '2b-2d'],
  ['[a-]', '2d 61'],
  ['[]-a]', '5d-61'],
  ['[^]]', '01-5c 5e-ff'],
  ['[[]', '5b'],
  ['[[a]', '5b 61'],
  ['[a-c-]', '2d 61-63'],
  ['[[:alpha:]-]', '2d 41-5a 61-7a'],
  ['[[.DEL.]]', '7f'],
];

/** The largest repetition of a byte that Nix accepts. */
const largest = 'a{99993}';

const REGEX_INVALID = 1;
const REGEX_TOO_LARGE = 2;

/** Room for subjects and for groups in the module's memory. */
const SUBJECT_SIZE = 1 << 22;
const GROUPS_SIZE = 1 << 19;

interface RegexExports {
  readonly memory: WebAssembly.Memory;
  allocatePermanent(size: number): number;
  compileRegex(pattern: number, length: number): number;
  regexError(): number;
  regexGroupCount(program: number): number;
  matchWhole(program: number, text: number, length: number, groups: number): number;
  searchFrom(program: number, text: number, length: number, from: number, groups: number): number;
  searchNext(program: number, text: number, length: number, groups: number): number;
}

/** The engine with strings instead of addresses. */
class Engine {
  readonly #exports: RegexExports;
  readonly #subject: number;
  readonly #groups: number;

  constructor(instance: WebAssembly.Instance) {
    this.#exports = instance.exports as unknown as RegexExports;
    this.#subject = this.#exports.allocatePermanent(SUBJECT_SIZE);
    this.#groups = this.#exports.allocatePermanent(GROUPS_SIZE);
  }

  /** The program of a pattern, or 0. */
  compile(pattern: string | Uint8Array): number {
    return this.#exports.compileRegex(this.#subject, this.#put(pattern));
  }

  /** Why a pattern is refused, 0 if it is not. */
  refusal(pattern: string): number {
    return this.compile(pattern) === 0 ? this.#exports.regexError() : 0;
  }

  match(pattern: string | Uint8Array, subject: string | Uint8Array): Groups | null {
    const program = this.compile(pattern);
    const length = this.#put(subject);
    const result = this.#exports.matchWhole(program, this.#subject, length, this.#groups);
    expect(result).not.toBe(-1);
    return result === 1 ? this.#captured(program) : null;
  }

  split(pattern: string, subject: string): (string | Groups)[] {
    const program = this.compile(pattern);
    const exports = this.#exports;
    const length = this.#put(subject);
    const parts: (string | Groups)[] = [];
    let end = 0;
    let result = exports.searchFrom(program, this.#subject, length, 0, this.#groups);
    while (result === 1) {
      const [start, next] = this.#offsets(0);
      parts.push(this.#text(end, start), this.#captured(program));
      end = next;
      result = exports.searchNext(program, this.#subject, length, this.#groups);
    }
    expect(result).toBe(0);
    return [...parts, this.#text(end, length)];
  }

  #put(text: string | Uint8Array): number {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    new Uint8Array(this.#exports.memory.buffer, this.#subject, SUBJECT_SIZE).set(bytes);
    return bytes.length;
  }

  #text(start: number, end: number): string {
    return new TextDecoder().decode(
      new Uint8Array(this.#exports.memory.buffer, this.#subject + start, end - start),
    );
  }

  #offsets(group: number): [number, number] {
    const view = new DataView(this.#exports.memory.buffer, this.#groups + group * 8);
    return [view.getInt32(0, true), view.getInt32(4, true)];
  }

  #captured(program: number): Groups {
    return Array.from({ length: this.#exports.regexGroupCount(program) }, (_, group) => {
      const [start, end] = this.#offsets(group + 1);
      return end === -1 ? null : this.#text(start, end);
    });
  }
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The bytes 01 to ff for which a predicate holds, as ranges in hexadecimal. */
function describeBytes(holds: (byte: number) => boolean): string {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  const ranges: string[] = [];
  for (let byte = 1; byte < 256; byte++) {
    if (!holds(byte)) continue;
    const first = byte;
    while (byte < 255 && holds(byte + 1)) byte++;
    ranges.push(first === byte ? hex(first) : `${hex(first)}-${hex(byte)}`);
  }
  return ranges.join(' ');
}

const modes: readonly ProbeMode[] = ['release', 'debug'];

describe.each(modes)('regular expressions, %s build', (mode) => {
  let engine: Engine;

  beforeAll(async () => {
    engine = new Engine(await compileProbe('regex', mode));
  }, 120_000);

  test.each(matches)('match %j %j', (pattern, subject, expected) => {
    expect(engine.match(pattern, subject)).toEqual(expected);
  });

  test.each(splits)('split %j %j', (pattern, subject, expected) => {
    expect(engine.split(pattern, subject)).toEqual(expected);
  });

  test.each(invalid)('%j is invalid', (pattern) => {
    expect(engine.refusal(pattern)).toBe(REGEX_INVALID);
  });

  test.each(tooLarge)('%j is too large', (pattern) => {
    expect(engine.refusal(pattern)).toBe(REGEX_TOO_LARGE);
  });

  test('the largest pattern is accepted', () => {
    expect(engine.match(largest, 'a'.repeat(99993))).toEqual([]);
  });

  test.each(byteSets)('the bytes of %j', (pattern, expected) => {
    const holds = (byte: number): boolean => engine.match(latin1(pattern), Uint8Array.of(byte)) !== null;
    expect(describeBytes(holds)).toBe(expected);
  });

  test('groups nest as deep as the states allow', () => {
    const depth = 33_000;
    expect(engine.match('('.repeat(depth) + ')'.repeat(depth), 'a')).toBeNull();
  });

  // What libstdc++ cannot answer in a reasonable time, or not at all; expectations by reasoning.
  test('nothing is exponential', () => {
    expect(engine.match('(x+x+)+y', 'x'.repeat(5000))).toBeNull();
    expect(engine.match('(a*)*b', 'a'.repeat(5000))).toBeNull();
    expect(engine.match('((((((((((a*)*)*)*)*)*)*)*)*)*)*b', 'a'.repeat(200))).toBeNull();
    expect(engine.match('(a?){50}a{50}', 'a'.repeat(50))).toEqual(['']);
    expect(engine.match('(a|a|a?)*b', 'a'.repeat(5000))).toBeNull();
    expect(engine.split('(x+x+)+y', 'x'.repeat(2000))).toEqual(['x'.repeat(2000)]);
    expect(engine.split('a*b', 'a'.repeat(20_000))).toEqual(['a'.repeat(20_000)]);
    expect(engine.split('((a*)*)*b', 'a'.repeat(500))).toEqual(['a'.repeat(500)]);
  });

  test('long subjects do not overflow a stack', () => {
    const long = 'ab'.repeat(1 << 17);
    expect(engine.match('(.*)', long)).toEqual([long]);
    expect(engine.match('(a|b)*', long)).toEqual(['b']);
    expect(engine.match('((a|b)*c?)*', long)).toEqual(['', 'b']);
    expect(engine.split('((a|ab|b)+)', long)).toEqual(['', [long, 'b'], '']);
  });
});
