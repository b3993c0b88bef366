/** What Nix 2.34.8 built and registered; real-builds.nix says of what. */
import { printContentAddress } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';

/** A row of Nix's database. */
export type RealPathInfo = {
  readonly narHash: string;
  readonly narSize: number;
  readonly ca: string | null;
  readonly deriver: string | null;
  readonly references: readonly string[];
};

type RealBuilds = {
  readonly derivations: Readonly<Record<string, readonly [baseName: string, text: string]>>;
  readonly pathInfos: Readonly<Record<string, RealPathInfo>>;
};

const builds: RealBuilds = {
  derivations: {
    env: [
      'g3alp4xw8vqilzvlbyd4xmvwpirnszkl-env.drv',
      'Derive([("out","/nix/store/ycz5617l9ac3gg82h4pyvsm21my2f84w-env","","")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","bb=/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox; $bb env > $out"],[("builder","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox"),("hello","wörld\\n\\"x\\\\"),("name","env"),("out","/nix/store/ycz5617l9ac3gg82h4pyvsm21my2f84w-env"),("system","x86_64-linux")])',
    ],
    structured: [
      '7cznwknz499ln8h449kwkl252ls6db0m-sa.drv',
      'Derive([("dev","/nix/store/3ghbh10kkrjbkf1fp4czhzqi53jqj33h-sa-dev","",""),("out","/nix/store/grjc9y2dlx9bfinh9ckgvg85yxqaqvzd-sa","","")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","bb=/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox; $bb mkdir -p /1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9 /02qcpld1y6xhs5gz9bchpxaw0xdhmsp5dv88lh25r2ss44kh8dxz; $bb cp $NIX_ATTRS_SH_FILE $NIX_ATTRS_JSON_FILE /1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9/; $bb env > /1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9/env; $bb ls -la > /1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9/ls"],[("__json","{\\"Z\\":1,\\"a-b\\":1,\\"big\\":3000000000,\\"bl\\":9007199254740993,\\"builder\\":\\"/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox\\",\\"e\\":[],\\"eo\\":{},\\"exportReferencesGraph\\":{\\"graph\\":[\\"/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox\\"]},\\"fl\\":1e+20,\\"fz\\":16777217.5,\\"mixed\\":[1,[2]],\\"n\\":{\\"deep\\":{}},\\"name\\":\\"sa\\",\\"neg\\":-5,\\"nul\\":null,\\"outputs\\":[\\"out\\",\\"dev\\"],\\"s\\":\\"x\\\\ny\\",\\"small\\":1e-07,\\"system\\":\\"x86_64-linux\\",\\"tr\\":true,\\"uni\\":\\"é\\\\t1f\\",\\"x\\":1.5,\\"y\\":[1,2,3.0,\\"a\'b\\"],\\"z\\":{\\"a\\":1,\\"b c\\":null,\\"f\\":false,\\"t\\":true},\\"é\\":1}"),("dev","/nix/store/3ghbh10kkrjbkf1fp4czhzqi53jqj33h-sa-dev"),("out","/nix/store/grjc9y2dlx9bfinh9ckgvg85yxqaqvzd-sa")])',
    ],
    passAsFile: [
      '1mfkic6gnpkqa5bv5j4flhdvxn02a34p-pf.drv',
      'Derive([("out","/nix/store/db4yr2zmhdbw7h3rxhlyfr69q634y48x-pf","","")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","bb=/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox; $bb mkdir $out; $bb cp $aPath $out/a; $bb env > $out/env; $bb ls -a > $out/ls; $bb cp graph $out/"],[("a","xx /1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("builder","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox"),("exportReferencesGraph","graph /nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"),("name","pf"),("out","/nix/store/db4yr2zmhdbw7h3rxhlyfr69q634y48x-pf"),("passAsFile","a nope"),("system","x86_64-linux")])',
    ],
    a: [
      '6hj88rr9hzc921dy33smj10qhzpy3imn-a.drv',
      'Derive([("dev","","r:sha256",""),("out","","r:sha256","")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","bb=/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox; $bb mkdir $out; echo $dev $out x > $out/f; $bb ln -s $out/f $out/l; echo $bb > $dev; "],[("builder","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox"),("dev","/02qcpld1y6xhs5gz9bchpxaw0xdhmsp5dv88lh25r2ss44kh8dxz"),("name","a"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("outputHashAlgo","sha256"),("outputHashMode","nar"),("outputs","out dev"),("system","x86_64-linux")])',
    ],
    b: [
      'hgi0yr59bzvph3dnin0v00l6xld71m5n-b.drv',
      'Derive([("out","","r:sha256","")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox","/nix/store/l213d8qwi5ls7bqvjlp7nsrhvnpgh6cs-a-dev","/nix/store/z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","bb=/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox; $bb mkdir $out; echo /nix/store/z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a $out /nix/store/l213d8qwi5ls7bqvjlp7nsrhvnpgh6cs-a-dev > $out/g"],[("builder","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox"),("name","b"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("outputHashAlgo","sha256"),("outputHashMode","nar"),("system","x86_64-linux")])',
    ],
    c: [
      'nnapk09kh0241hja2p7h5szmakfn7q4j-c.drv',
      'Derive([("out","/nix/store/xlqgkx9kjgfwwv4dv5jhjc2x7bpf500i-c","","")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox","/nix/store/sbi1xzzcdyichq3s8kvjfgv5pi7pj1ll-b","/nix/store/z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","echo /nix/store/sbi1xzzcdyichq3s8kvjfgv5pi7pj1ll-b /nix/store/z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a $out > $out"],[("builder","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox"),("name","c"),("out","/nix/store/xlqgkx9kjgfwwv4dv5jhjc2x7bpf500i-c"),("system","x86_64-linux")])',
    ],
    text: [
      'n41hwdwsm6ndqq67h291wm9lghcl3xy9-t.drv',
      'Derive([("out","","text:sha256","")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","bb=/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox; echo hi /nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox > $out"],[("builder","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox"),("name","t"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("outputHashAlgo","sha256"),("outputHashMode","text"),("system","x86_64-linux")])',
    ],
    flat: [
      '4z48hd6fwgvqnfhsk52dczqa3wsfcz5c-fl.drv',
      'Derive([("out","","sha1","")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","bb=/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox; echo hi > $out"],[("builder","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox"),("name","fl"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("outputHashAlgo","sha1"),("outputHashMode","flat"),("system","x86_64-linux")])',
    ],
    git: [
      '48ikb8x1fi0i8qaznxlj94q42589pd43-g.drv',
      'Derive([("out","","git:sha1","")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","bb=/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox; $bb mkdir -p $out/d $out/e; echo hi > $out/d.x; echo x > $out/d/y; $bb chmod +x $out/d/y;  $bb ln -s foo $out/e/s"],[("builder","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox"),("name","g"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("outputHashAlgo","sha1"),("outputHashMode","git"),("system","x86_64-linux")])',
    ],
    impure: [
      'kqz17jayac8xw98gkqynch3d16fzmrp7-imp.drv',
      'Derive([("out","","r:sha256","impure")],[],["/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox"],"x86_64-linux","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox",["sh","-c","bb=/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox; echo hi > $out"],[("builder","/nix/store/71fc7s32zl20dc955bhghy5dvalm7ndz-busybox/bin/busybox"),("name","imp"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("outputHashAlgo","sha256"),("outputHashMode","nar"),("system","x86_64-linux")])',
    ],
    mismatch: [
      'j11iznxqhh27bgf30i3mx16rvrc1ph24-bad.drv',
      'Derive([("out","/nix/store/wjswwj788gqgxjsn9lqjhfsfqnwlb2cb-bad","sha256","e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],[],[],"x86_64-linux","/bin/sh",["-c","echo hello > $out"],[("builder","/bin/sh"),("name","bad"),("out","/nix/store/wjswwj788gqgxjsn9lqjhfsfqnwlb2cb-bad"),("outputHash","sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),("outputHashAlgo","sha256"),("outputHashMode","flat"),("system","x86_64-linux"),("url","http://example.org/x")])',
    ],
    narReference: [
      '8jllk2pqvay1mc4929n7mcsicz6c612b-narref.drv',
      'Derive([("out","/nix/store/27f5qlx4d4piml6wkh6mhcpf29g4p029-narref","r:sha256","e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],[],["/nix/store/lfngsssysp6h1v4ccqg23c52s9sjl779-x"],"x86_64-linux","/bin/sh",["-c","echo $src > $out"],[("builder","/bin/sh"),("name","narref"),("out","/nix/store/27f5qlx4d4piml6wkh6mhcpf29g4p029-narref"),("outputHash","sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),("outputHashAlgo","sha256"),("outputHashMode","nar"),("src","/nix/store/lfngsssysp6h1v4ccqg23c52s9sjl779-x"),("system","x86_64-linux")])',
    ],
  },
  pathInfos: {
    '71fc7s32zl20dc955bhghy5dvalm7ndz-busybox': {
      narHash: 'sha256:494cdad037cf7d0a75ee816fc060b92663de1309602aff43c2f9ce55dade4c40',
      narSize: 1982736,
      ca: 'fixed:r:sha256:0h2cvvd5bkprq91zyak0149xwqr6p5hc0vw1xrshlzfg6z8dlk29',
      deriver: null,
      references: [],
    },
    'ycz5617l9ac3gg82h4pyvsm21my2f84w-env': {
      narHash: 'sha256:05d1829356e6aa010528cbc4d16aaa6d931c849a1f2b04dc6b12145490fdb8b6',
      narSize: 488,
      ca: null,
      deriver: 'g3alp4xw8vqilzvlbyd4xmvwpirnszkl-env.drv',
      references: ['71fc7s32zl20dc955bhghy5dvalm7ndz-busybox', 'ycz5617l9ac3gg82h4pyvsm21my2f84w-env'],
    },
    '3ghbh10kkrjbkf1fp4czhzqi53jqj33h-sa-dev': {
      narHash: 'sha256:a50a5ab6d992f5598edd92105059fae9acfc192981e08bd88534c2167e92526a',
      narSize: 96,
      ca: null,
      deriver: '7cznwknz499ln8h449kwkl252ls6db0m-sa.drv',
      references: [],
    },
    'grjc9y2dlx9bfinh9ckgvg85yxqaqvzd-sa': {
      narHash: 'sha256:2c82a281f8efca6fae36b100aeda7d4757f2da9450e8162d5568c1e4f9185850',
      narSize: 2848,
      ca: null,
      deriver: '7cznwknz499ln8h449kwkl252ls6db0m-sa.drv',
      references: [
        '3ghbh10kkrjbkf1fp4czhzqi53jqj33h-sa-dev',
        '71fc7s32zl20dc955bhghy5dvalm7ndz-busybox',
        'grjc9y2dlx9bfinh9ckgvg85yxqaqvzd-sa',
      ],
    },
    'db4yr2zmhdbw7h3rxhlyfr69q634y48x-pf': {
      narHash: 'sha256:624b45cc5ff62ce7ccc58509e01c593e816420af77a76fe73451555255601ba3',
      narSize: 1544,
      ca: null,
      deriver: '1mfkic6gnpkqa5bv5j4flhdvxn02a34p-pf.drv',
      references: ['71fc7s32zl20dc955bhghy5dvalm7ndz-busybox', 'db4yr2zmhdbw7h3rxhlyfr69q634y48x-pf'],
    },
    'l213d8qwi5ls7bqvjlp7nsrhvnpgh6cs-a-dev': {
      narHash: 'sha256:b8d69442e6fa6e8e0b057b28a771bdfa7012f5ca69a46f886d444b9285c3b8a4',
      narSize: 176,
      ca: 'fixed:r:sha256:195qqf2r4js4dn46z939rbsi4w7spmqsfa3v0l5qwvpswr199mmq',
      deriver: '6hj88rr9hzc921dy33smj10qhzpy3imn-a.drv',
      references: ['71fc7s32zl20dc955bhghy5dvalm7ndz-busybox'],
    },
    'z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a': {
      narHash: 'sha256:c6cff769a95ee439b5c5f68d4467ae7bd06a7fd3fdf7d935857df6a1e1007189',
      narSize: 616,
      ca: 'fixed:r:sha256:0ngmjpxz2qr0w3mf24zvdcrq6gzj18pjnmcfv8vy4frl5z6b7nc6',
      deriver: '6hj88rr9hzc921dy33smj10qhzpy3imn-a.drv',
      references: ['l213d8qwi5ls7bqvjlp7nsrhvnpgh6cs-a-dev', 'z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a'],
    },
    'sbi1xzzcdyichq3s8kvjfgv5pi7pj1ll-b': {
      narHash: 'sha256:e22dd9c9c5f494e9bf39d69da181377c6ca61d3bb7dbcfbab1380726159930b0',
      narSize: 424,
      ca: 'fixed:r:sha256:1ih5acd3zlcdw9630mn0ghgfdfw7z78495nvm2k1x8inmjr2lcg1',
      deriver: 'hgi0yr59bzvph3dnin0v00l6xld71m5n-b.drv',
      references: [
        'l213d8qwi5ls7bqvjlp7nsrhvnpgh6cs-a-dev',
        'sbi1xzzcdyichq3s8kvjfgv5pi7pj1ll-b',
        'z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a',
      ],
    },
    'xlqgkx9kjgfwwv4dv5jhjc2x7bpf500i-c': {
      narHash: 'sha256:8de415f567074ecd3fd7f59b40bbe4a87f861c0061c56d5c15a653c9a8481e28',
      narSize: 256,
      ca: null,
      deriver: 'nnapk09kh0241hja2p7h5szmakfn7q4j-c.drv',
      references: [
        'sbi1xzzcdyichq3s8kvjfgv5pi7pj1ll-b',
        'xlqgkx9kjgfwwv4dv5jhjc2x7bpf500i-c',
        'z3ixw9mm9qnqa9hqbwiixlc2sq7mqjmk-a',
      ],
    },
    '6pz834ygcn5wa7ddyghf0392gwnwr093-t': {
      narHash: 'sha256:53b8fdb1cbbcbbe1f4d6906460b4256e8abdd6b081f2b4f6ad20d5a0856a4793',
      narSize: 184,
      ca: 'text:sha256:1hj6wipqr9qlalc653a04r91dpmjb8c2f9xv78lwg93cz17ab0ij',
      deriver: 'n41hwdwsm6ndqq67h291wm9lghcl3xy9-t.drv',
      references: ['71fc7s32zl20dc955bhghy5dvalm7ndz-busybox'],
    },
    'nqz2xzvmwr8pv6rhgzcrnk9x57gcxxx8-fl': {
      narHash: 'sha256:10551daed7fa467d0b58826e7eb9a0f2af7d693de319f2ef775fffcda244b9f6',
      narSize: 120,
      ca: 'fixed:sha1:fd540npwk7x370s4s2jzpx74wf365jjm',
      deriver: '4z48hd6fwgvqnfhsk52dczqa3wsfcz5c-fl.drv',
      references: [],
    },
    'rn0y9ir90dd51q9n7vg2vycw020gsisd-g': {
      narHash: 'sha256:6e8cd4c84aac64c0e7e9ba3282b36eb51a355ff8aa05c099ae56c7793b6e03a4',
      narSize: 1040,
      ca: 'fixed:git:sha1:76mj5748gnfyh8m8yzw7wx15pvnq7x49',
      deriver: '48ikb8x1fi0i8qaznxlj94q42589pd43-g.drv',
      references: [],
    },
    'h5r5r27fxcx0q9w636f24ckmh4sw6i2w-imp': {
      narHash: 'sha256:10551daed7fa467d0b58826e7eb9a0f2af7d693de319f2ef775fffcda244b9f6',
      narSize: 120,
      ca: 'fixed:r:sha256:1xmr8jicvzszfzpz46g37mlpvbzjl2wpwvl2b05psipssyp1sm8h',
      deriver: 'kqz17jayac8xw98gkqynch3d16fzmrp7-imp.drv',
      references: [],
    },
    'mxxik735njznxmpghv8ffqql69a3bhw5-bad': {
      narHash: 'sha256:1c37d01af40be2e80691de3cc3df44377a699afbb17c68f080964b2fd071fc13',
      narSize: 120,
      ca: 'fixed:sha256:00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq',
      deriver: 'j11iznxqhh27bgf30i3mx16rvrc1ph24-bad.drv',
      references: [],
    },
    'qkix66xrs5schfjwdlih1rbgfjh7nz0g-narref': {
      narHash: 'sha256:7d71ed9582e1b403aaa6fd468e7c6837696f953d79a564406e937ceb11526e2e',
      narSize: 160,
      ca: 'fixed:r:sha256:0bkfa88ynz4kdr0699br7nanys9pd1y8wipxlsm07d71haayswbx',
      deriver: '8jllk2pqvay1mc4929n7mcsicz6c612b-narref.drv',
      references: ['lfngsssysp6h1v4ccqg23c52s9sjl779-x'],
    },
    'ymvlbp1ap9bsz1cb4x8if268i5jr515j-envn': {
      narHash: 'sha256:10551daed7fa467d0b58826e7eb9a0f2af7d693de319f2ef775fffcda244b9f6',
      narSize: 120,
      ca: null,
      deriver: 'zwpppym687cnfm1ms2dljipkd665kl8n-envn.drv',
      references: [],
    },
    '53h9m7mfd4nghc2kg0hbmsq1zy4y07yd-selfreq': {
      narHash: 'sha256:b6fa6b7fc9e45683073bb26d07191da835ad2c8d837df0eb0dc7a75472edffb5',
      narSize: 168,
      ca: null,
      deriver: 'ywfw2dg91z96z2h3p9samdbbx2d1vv5v-selfreq.drv',
      references: ['53h9m7mfd4nghc2kg0hbmsq1zy4y07yd-selfreq'],
    },
  },
};

/** By base name. */
export const realPathInfos: RealBuilds['pathInfos'] = builds.pathInfos;

export function realDerivation(name: string): readonly [text: string, baseName: string] {
  const found = builds.derivations[name];
  if (found === undefined) throw new Error(`there is no real derivation '${name}'`);
  return [found[1], found[0]];
}

/** A path info as a row. */
export function asRow(pathInfo: PathInfo): RealPathInfo {
  const { narHash, narSize, contentAddress, deriver, references } = pathInfo;
  return {
    narHash: `sha256:${narHash.format('hex')}`,
    narSize,
    ca: contentAddress === undefined ? null : printContentAddress(contentAddress),
    deriver: deriver?.baseName ?? null,
    references: references.map(({ baseName }) => baseName),
  };
}
