/** Messages of other programs, which may hold what a terminal would act upon. */

// Sequences that begin with an escape: colours (CSI) and titles or links (OSC).
// oxlint-disable-next-line eslint/no-control-regex
const sequences = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)/gs;

// oxlint-disable-next-line eslint/no-control-regex
const controls = /[\x00-\x08\x0b-\x1f\x7f]/g;

/** Without colours and control characters; lines and tabs stay. */
export function plainText(text: string): string {
  return text.replace(sequences, '').replace(controls, '');
}
