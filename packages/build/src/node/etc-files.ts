/** The files of `/etc` in a sandbox: byte for byte those of Nix, since what programs print and store depends on them. */
import type { BuildRequest } from '../build-request.ts';
import type { UserIds } from './sandbox/sandbox.ts';

export type EtcFile = { readonly name: string; readonly text: string };

/** With a network, `hosts`, `resolv.conf` and `services` are the host's. */
export function etcFiles(
  { workingDirectory, constraints }: BuildRequest,
  { uid, gid }: UserIds,
): readonly EtcFile[] {
  const home = `/${workingDirectory}`;
  const passwd = [
    `root:x:0:0:Nix build user:${home}:/noshell`,
    `nixbld:x:${uid}:${gid}:Nix build user:${home}:/noshell`,
    'nobody:x:65534:65534:Nobody:/:/noshell',
  ];
  const group = ['root:x:0:', `nixbld:!:${gid}:`, 'nogroup:x:65534:'];
  const network = constraints.network
    ? { name: 'nsswitch.conf', text: lines(['hosts: files dns', 'services: files']) }
    : { name: 'hosts', text: lines(['127.0.0.1 localhost', '::1 localhost']) };
  return [{ name: 'passwd', text: lines(passwd) }, { name: 'group', text: lines(group) }, network];
}

function lines(texts: readonly string[]): string {
  return texts.map((it) => `${it}\n`).join('');
}
