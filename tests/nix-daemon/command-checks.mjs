export function commandChecks() { return []; }
