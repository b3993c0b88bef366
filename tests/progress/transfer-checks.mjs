export const transferChecks = () => [];
