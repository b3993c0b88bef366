export const formatChecks = () => [];
