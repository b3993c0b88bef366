// Cases of the upstream language suite that Neve does not pass, each with its reason.
//
// A case that is listed may fail without failing the run; a listed case that passes is
// reported, so that the list can only shrink to what is true.

/** @type {ReadonlyMap<string, string>} name of the case → why it is not passed */
export const knownFailures = new Map([]);
