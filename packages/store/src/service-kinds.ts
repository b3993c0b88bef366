/** The kind of service that this package adds to those of castore, for compositions. */
import { type ServiceKind, serviceKind } from '@neve/compose';
import type { PathInfoService } from './path-info-service.ts';

export const pathInfoKind: ServiceKind<PathInfoService> = serviceKind<PathInfoService>({
  name: 'pathinfo',
  table: 'pathinfoservices',
});
