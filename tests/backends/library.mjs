// What the tests of backends need of the packages; `run.mjs` bundles it from their sources.

export * as castore from '@neve/castore';
export * as castoreNode from '@neve/castore/node';
export * as castoreTesting from '@neve/castore/testing';
