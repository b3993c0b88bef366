import { expect, test } from 'vitest';
import { Composition, Registry, type ServiceKind, composeFromUrls, optionsFromUrl } from '@neve/compose';
import type { BlobService } from '../blob-service.ts';
import type { DirectoryService } from '../directory-service.ts';
import { memoryBlobs } from '../memory-blobs.ts';
import { memoryDirectories } from '../memory-directories.ts';
import { blobKind, directoryKind } from '../service-kinds.ts';
import { registerCastoreServices } from './register-castore-services.ts';

type Case = {
  readonly kind: ServiceKind<BlobService> | ServiceKind<DirectoryService>;
  readonly url: string;
  /** How many services it wraps. */
  readonly inner: number;
};

test.each<Case>([
  { kind: blobKind, url: 'cache:?near=counted:&far=counted:', inner: 2 },
  { kind: blobKind, url: 'combined:?near=counted:&far=counted:', inner: 2 },
  { kind: blobKind, url: 'verified:?inner=counted:', inner: 1 },
  { kind: blobKind, url: 'read-only:?inner=counted:', inner: 1 },
  { kind: blobKind, url: 'verified:?inner=read-only:%3Finner=counted:', inner: 1 },
  { kind: directoryKind, url: 'cache:?near=counted:&far=counted:', inner: 2 },
  { kind: directoryKind, url: 'priority:?1=counted:&2=counted:', inner: 2 },
  { kind: directoryKind, url: 'verified:?inner=counted:', inner: 1 },
  { kind: directoryKind, url: 'read-only:?inner=counted:', inner: 1 },
])('$kind.name $url leaves what it wraps to the composition, which closes it once', async (it) => {
  const { kind, url, inner } = it;
  let opened = 0;
  let closed = 0;
  const counted = <S extends object>(service: S): S => {
    opened++;
    return Object.assign(service, {
      [Symbol.asyncDispose]: async () => {
        closed++;
      },
    });
  };
  const shared = { type: 'counted', description: '', options: {}, fromUrl: optionsFromUrl } as const;
  const registry = new Registry()
    .register({ kind: blobKind, ...shared, build: () => counted(memoryBlobs()) })
    .register({ kind: directoryKind, ...shared, build: () => counted(memoryDirectories()) });
  registerCastoreServices(registry);
  const composition = new Composition(composeFromUrls({ [kind.name]: url }, registry));
  const service: AsyncDisposable = await composition.get<AsyncDisposable>(kind);
  await service[Symbol.asyncDispose]();
  expect([opened, closed]).toEqual([inner, 0]);
  await composition[Symbol.asyncDispose]();
  expect(closed).toBe(inner);
});
