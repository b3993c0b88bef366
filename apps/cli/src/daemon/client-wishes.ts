/** What a client of the daemon wants in its messages. Of its terminal the daemon knows only whether it wants colours. */
import type { Caller, Environment } from '../caller.ts';
import { linkToFile } from '../source-link.ts';
import { isColourForced, wantsLinks } from '../terminal-wishes.ts';

export function clientWishes(
  environment: Environment,
  colour: boolean,
): Pick<Caller, 'wantsColour' | 'sourceLink'> {
  const isTerminal = colour && !isColourForced(environment);
  return {
    wantsColour: () => colour,
    sourceLink: wantsLinks(environment, () => isTerminal) ? linkToFile : undefined,
  };
}
