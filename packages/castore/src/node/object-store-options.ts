/**
 * Options of object stores in the cloud, under two sets of names: those of OpenDAL, which does the work, and those of the
 * Rust crate `object_store`, in which configurations of other stores are written. The latter also come from environment
 * variables (`AWS_REGION` is `aws_region`).
 *
 * Nothing comes from elsewhere: the libraries' own search in the environment, in files of the home directory and at metadata
 * services is turned off unless an option turns it on (`disable_config_load` = `false`). Only Azure's cannot be turned off:
 * without a key or a token among the options, OpenDAL takes those in the environment of the process.
 */
import { CastoreError } from '../castore-error.ts';

export type CloudService = 's3' | 'gcs' | 'azblob';

type OptionNames = {
  /** For messages: the name in URLs. */
  readonly own: readonly string[];
  /** A name of `object_store`, without its prefix, and OpenDAL's name. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly prefixes: readonly string[];
  readonly defaults: Readonly<Record<string, string>>;
};

const tables: Readonly<Record<CloudService, OptionNames>> = {
  s3: {
    own: [
      ...['access_key_id', 'secret_access_key', 'session_token', 'region', 'endpoint', 'bucket', 'root'],
      ...['allow_anonymous', 'enable_virtual_host_style', 'disable_config_load', 'disable_ec2_metadata'],
      ...['role_arn', 'external_id', 'role_session_name', 'default_storage_class', 'checksum_algorithm'],
      ...['server_side_encryption', 'server_side_encryption_aws_kms_key_id', 'enable_request_payer'],
    ],
    aliases: {
      access_key_id: 'access_key_id',
      secret_access_key: 'secret_access_key',
      session_token: 'session_token',
      token: 'session_token',
      region: 'region',
      default_region: 'region',
      endpoint: 'endpoint',
      endpoint_url: 'endpoint',
      bucket: 'bucket',
      bucket_name: 'bucket',
      virtual_hosted_style_request: 'enable_virtual_host_style',
      skip_signature: 'allow_anonymous',
      request_payer: 'enable_request_payer',
    },
    prefixes: ['aws_', ''],
    // Without a region requests cannot be signed; servers of others take any.
    defaults: { disable_config_load: 'true', disable_ec2_metadata: 'true', region: 'us-east-1' },
  },
  gcs: {
    own: [
      ...['bucket', 'root', 'endpoint', 'credential', 'credential_path', 'scope', 'service_account', 'token'],
      ...['allow_anonymous', 'disable_config_load', 'disable_vm_metadata', 'default_storage_class'],
      'predefined_acl',
    ],
    aliases: {
      bucket: 'bucket',
      bucket_name: 'bucket',
      service_account_path: 'credential_path',
      application_credentials: 'credential_path',
      service_account_key: 'credential',
      skip_signature: 'allow_anonymous',
    },
    prefixes: ['google_', ''],
    defaults: { disable_config_load: 'true', disable_vm_metadata: 'true' },
  },
  azblob: {
    own: [
      ...['account_name', 'account_key', 'sas_token', 'endpoint', 'container', 'root'],
      ...['encryption_key', 'encryption_key_sha256', 'encryption_algorithm'],
    ],
    aliases: {
      account_name: 'account_name',
      account_key: 'account_key',
      access_key: 'account_key',
      master_key: 'account_key',
      sas_key: 'sas_token',
      sas_token: 'sas_token',
      endpoint: 'endpoint',
      container_name: 'container',
    },
    prefixes: ['azure_storage_', 'azure_', ''],
    defaults: {},
  },
};

export type CloudOptionSources = {
  /** Later ones win. */
  readonly options: readonly Readonly<Record<string, string>>[];
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/**
 * OpenDAL's options. Unknown variables are ignored; an unknown option throws `CastoreError` (`unsupported`), and so does
 * `allow_http` = `false` for an endpoint without TLS.
 */
export function cloudOptions(
  service: CloudService,
  { options, environment }: CloudOptionSources,
): Record<string, string> {
  const table = tables[service];
  const result: Record<string, string> = { ...table.defaults };
  for (const [name, value] of Object.entries(environment)) {
    const known = opendalName(table, name.toLowerCase(), { prefixed: true });
    if (known !== undefined && value !== undefined && value !== '') result[known] = value;
  }
  let allowHttp = true;
  for (const [name, value] of options.flatMap((it) => Object.entries(it))) {
    const lower = name.toLowerCase();
    if (isAllowHttp(table, lower)) {
      allowHttp = isTrue(value);
      continue;
    }
    const known = opendalName(table, lower, { prefixed: false });
    if (known === undefined) throw unknownOption(name, table);
    result[known] = value;
  }
  if (service === 'gcs') encodeCredential(result);
  const endpoint = result['endpoint'];
  if (!allowHttp && endpoint?.startsWith('http:') === true) {
    throw new CastoreError(
      'unsupported',
      `the endpoint '${endpoint}' has no TLS; set allow_http to use it anyway`,
    );
  }
  return result;
}

function opendalName(
  table: OptionNames,
  name: string,
  { prefixed }: { readonly prefixed: boolean },
): string | undefined {
  if (!prefixed && table.own.includes(name)) return name;
  for (const prefix of table.prefixes) {
    if (!name.startsWith(prefix) || (prefixed && prefix === '')) continue;
    const alias = table.aliases[name.slice(prefix.length)];
    if (alias !== undefined) return alias;
  }
  return undefined;
}

function isAllowHttp(table: OptionNames, name: string): boolean {
  return table.prefixes.some((prefix) => name === `${prefix}allow_http`);
}

/** The JSON of a key, as `object_store` has it, is base64 for OpenDAL. */
function encodeCredential(options: Record<string, string>): void {
  const credential = options['credential'];
  if (credential?.trimStart().startsWith('{') === true) {
    options['credential'] = Buffer.from(credential).toString('base64');
  }
}

function isTrue(value: string): boolean {
  return ['true', '1', 'yes', 'on', ''].includes(value.toLowerCase());
}

function unknownOption(name: string, table: OptionNames): CastoreError {
  return new CastoreError(
    'unsupported',
    `an object store has no option '${name}'; there are ${[...table.own, 'allow_http'].join(', ')}`,
  );
}
