/**
 * The composition root of realising: from settings to a store, what builds and fetches into it, and what evaluation sees of
 * it. A script of its own, which an evaluation loads when it first needs the store.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHashes } from '@neve/bytes/node';
import type { BuildService } from '@neve/build';
import { localBuilder } from '@neve/build/node';
import type { BlobReader } from '@neve/castore';
import { createStoreIO } from '@neve/eval-store/node/store';
import { type Derivation, StoreDirectory, type StorePath, parseDerivation, parsePublicKey } from '@neve/nix-compat';
import {
  KnownPaths,
  Realiser,
  SandboxedBuilder,
  defaultBuildSettings,
  parseSandboxPath,
} from '@neve/realise';
import { BuildLogs, lmdbRealisations, lmdbWorkLocks } from '@neve/realise/node';
import type { Castore, PathInfo, Substituter } from '@neve/store';
import { openHttpCache } from '@neve/store/node';
import { isBlobFiles } from '../store/blob-files.ts';
import { httpCacheSettings } from '../store/http-settings.ts';
import { type OpenStore, openNamedStore } from '../store/open-store.ts';
import { storeArguments } from '../store/store-options.ts';
import { type StoreState, openState } from '../store/store-state.ts';
import { UsageError } from '../usage-error.ts';
import type { RealiseOptions } from './realise-options.ts';
import { RealiseReport } from './realise-report.ts';
import type { RealiseSession } from './realise-session.ts';
import { Session } from './session.ts';
