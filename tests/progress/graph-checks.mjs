export const graphChecks = () => [];
