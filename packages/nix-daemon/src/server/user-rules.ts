/**
 * Which users may connect, and which are trusted, by lists as in `nix.conf`: names of users, `@` and the name of a group, or
 * `*` for everybody. A trusted client may do what root may do with the store.
 */

export type UserRules = {
  readonly trustedUsers: readonly string[];
  readonly allowedUsers: readonly string[];
};

/** Who is on the other side, as far as that is known. */
export type Peer = {
  /** Its number where it has no name. */
  readonly user: string | undefined;
  /** All groups that the user is in. */
  readonly groups: readonly string[];
};

/** `undefined` for who may not connect. */
export function trustOf(
  peer: Peer,
  { trustedUsers, allowedUsers }: UserRules,
): 'trusted' | 'not-trusted' | undefined {
  if (matches(peer, trustedUsers)) return 'trusted';
  return matches(peer, allowedUsers) ? 'not-trusted' : undefined;
}

function matches({ user, groups }: Peer, rules: readonly string[]): boolean {
  return rules.some((rule) => {
    if (rule === '*') return true;
    return rule.startsWith('@') ? groups.includes(rule.slice(1)) : rule === user;
  });
}
