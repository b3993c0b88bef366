/** The kind of the service of this package, as a composition names it. */
import { type ServiceKind, serviceKind } from '@neve/compose';
import type { BuildService } from './build-service.ts';

export const buildKind: ServiceKind<BuildService> = serviceKind({ name: 'build', table: 'buildservices' });
