// The two files are those that a build with Nix 2.34.8 found in its folder, for the attributes given in `__json`.
import { expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { addToAttrs, isJsonObject, parseJson, printAttrsJson, printAttrsShell } from './index.ts';

const given = String.raw`{"Z":1,"a-b":1,"big":3000000000,"bl":9007199254740993,"e":[],"eo":{},"exportReferencesGraph":{"graph":["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"]},"fl":1e+20,"fz":16777217.5,"mixed":[1,[2]],"n":{"deep":{}},"name":"sa","neg":-5,"nul":null,"outputs":["out","dev"],"s":"x\ny","small":1e-07,"system":"x86_64-linux","tr":true,"uni":"é\t1f","x":1.5,"y":[1,2,3.0,"a'b"],"z":{"a":1,"b c":null,"f":false,"t":true},"é":1}`;

const json = String.raw`{"Z":1,"a-b":1,"big":3000000000,"bl":9007199254740993,"e":[],"eo":{},"exportReferencesGraph":{"graph":["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"]},"fl":1e+20,"fz":16777217.5,"graph":[{"ca":"fixed:r:sha256:0h2cvvd5bkprq91zyak0149xwqr6p5hc0vw1xrshlzfg6z8dlk29","closureSize":1982736,"narHash":"sha256:0h2cvvd5bkprq91zyak0149xwqr6p5hc0vw1xrshlzfg6z8dlk29","narSize":1982736,"path":"/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox","references":[],"valid":true}],"mixed":[1,[2]],"n":{"deep":{}},"name":"sa","neg":-5,"nul":null,"outputs":{"dev":"/nix/store/3ghbh10kkrjbkf1fp4czhzqi53jqj33h-sa-dev","out":"/nix/store/grjc9y2dlx9bfinh9ckgvg85yxqaqvzd-sa"},"s":"x\ny","small":1e-07,"system":"x86_64-linux","tr":true,"uni":"é\t1f","x":1.5,"y":[1,2,3.0,"a'b"],"z":{"a":1,"b c":null,"f":false,"t":true},"é":1}`;

const shell = `declare Z=1
declare big=-1294967296
declare bl=1
declare -a e=()
declare -A eo=()
declare fl=-2147483648
declare fz=16777217
declare name='sa'
declare neg=-5
declare nul=''
declare -A outputs=(['dev']='/nix/store/3ghbh10kkrjbkf1fp4czhzqi53jqj33h-sa-dev' ['out']='/nix/store/grjc9y2dlx9bfinh9ckgvg85yxqaqvzd-sa' )
declare s='x
y'
declare system='x86_64-linux'
declare tr=1
declare uni='é	1f'
declare -a y=(1 2 3 'a'\\''b' )
declare -A z=(['a']=1 ['b c']='' ['f']= ['t']=1 )
`;

test('the files of a build', () => {
  const attrs = parseJson(encodeUtf8(given));
  if (!isJsonObject(attrs)) throw new Error('not an object');
  const path = '/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox';
  const hash = 'sha256:0h2cvvd5bkprq91zyak0149xwqr6p5hc0vw1xrshlzfg6z8dlk29';
  const info = {
    path,
    narHash: hash,
    narSize: 1982736,
    closureSize: 1982736,
    references: [],
    contentAddress: `fixed:r:${hash}`,
  };
  const seen = addToAttrs(attrs, {
    outputs: new Map([
      ['out', '/nix/store/grjc9y2dlx9bfinh9ckgvg85yxqaqvzd-sa'],
      ['dev', '/nix/store/3ghbh10kkrjbkf1fp4czhzqi53jqj33h-sa-dev'],
    ]),
    graphs: new Map([['graph', [info]]]),
  });
  expect(printAttrsJson(seen)).toBe(json);
  expect(printAttrsShell(seen)).toBe(shell);
});
