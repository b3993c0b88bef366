/** Where a job is: the names on the way to it. */
export type JobPath = readonly string[];

/** As one text: names with dots in them are quoted. */
export function joinedPath(path: JobPath): string {
  return path.map((name) => (name.includes('.') ? `"${name}"` : name)).join('.');
}
