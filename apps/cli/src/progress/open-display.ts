/** Chooses how progress is shown. A script of its own, which whoever shows none need not load. */
import type { Environment } from '../caller.ts';
import { isTerminal, write, writeAsIs } from '../output.ts';
import { wantsColour } from '../terminal-wishes.ts';
import type { Display, DisplayOptions } from './display.ts';
import { InternalJsonDisplay } from './internal-json-display.ts';
import { JsonDisplay } from './json-display.ts';
import { LiveDisplay } from './live-display.ts';
import { PlainDisplay } from './plain-display.ts';
import { asciiSymbols, unicodeSymbols } from './progress-view.ts';
import { openTerminal } from './terminal.ts';

export type DisplayOpener = (options: DisplayOptions, environment: Environment) => Display;

export function openDisplay(options: DisplayOptions, environment: Environment): Display {
  switch (options.format) {
    case 'json':
      return new JsonDisplay(writeAsIs);
    case 'internal-json':
      return new InternalJsonDisplay(writeAsIs);
    case 'raw':
      return new PlainDisplay(write, options);
    case 'pretty': {
      const terminal = options.quiet ? undefined : openTerminal(environment);
      if (terminal === undefined) return new PlainDisplay(write, options);
      const symbols = isUnicode(environment) ? unicodeSymbols : asciiSymbols;
      return new LiveDisplay({ ...options, terminal, colour: wantsColour(environment, isTerminal), symbols });
    }
  }
}

function isUnicode({ LC_ALL: all = '', LC_CTYPE: type = '', LANG: lang = '' }: Environment): boolean {
  return /utf-?8/i.test(all !== '' ? all : type !== '' ? type : lang);
}
