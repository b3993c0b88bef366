/** The members of a group as build users, from `/etc/group` and `/etc/passwd`; as Nix has its `build-users-group`. */
import { readFile } from 'node:fs/promises';
import { BuildError } from '../build-error.ts';
import type { BuildUser } from './build-users.ts';

/** Throws `BuildError` (`no-sandbox`) when there is no such group, or nobody in it. */
export async function readBuildUsers(group: string): Promise<readonly BuildUser[]> {
  const [groups, users] = await Promise.all([
    readFile('/etc/group', 'utf8'),
    readFile('/etc/passwd', 'utf8'),
  ]);
  return parseBuildUsers(group, { groups, users });
}

/** From the texts of both files. */
export function parseBuildUsers(
  group: string,
  { groups, users }: { readonly groups: string; readonly users: string },
): readonly BuildUser[] {
  // Name, password, number, members.
  const found = groups
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === group);
  if (found === undefined) throw noUsers(group, 'there is no such group on this machine');
  const gid = Number(found[2]);
  const members = new Set((found[3] ?? '').split(',').filter(Boolean));
  if (members.size === 0) throw noUsers(group, 'nobody is a member of it');
  const buildUsers: BuildUser[] = [];
  for (const line of users.split('\n')) {
    const [name = '', , uid] = line.split(':');
    if (members.delete(name)) buildUsers.push({ uid: Number(uid), gid });
  }
  if (members.size > 0) throw noUsers(group, `there is no user '${[...members].join("', '")}'`);
  return buildUsers;
}

function noUsers(group: string, reason: string): BuildError {
  const problem = `the group '${group}' gives no users to build as: ${reason}`;
  return new BuildError('no-sandbox', `${problem}; make users for it, or name another group`);
}
