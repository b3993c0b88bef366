export function commandChecks() {
  return [];
}
