/** The selection paths of `-A`: names between dots, which quotes may hold together. */
import { EvaluationError } from './evaluator.ts';

export function parseSelectionPath(path: string): string[] {
  const names: string[] = [];
  let current = '';
  for (let i = 0; i < path.length; i++) {
    const character = path.charAt(i);
    if (character === '.') {
      names.push(current);
      current = '';
    } else if (character === '"') {
      const end = path.indexOf('"', i + 1);
      if (end < 0) throw missingQuote(path);
      current += path.slice(i + 1, end);
      i = end;
    } else {
      current += character;
    }
  }
  if (current !== '') names.push(current);
  return names;
}

function missingQuote(path: string): EvaluationError {
  const message = `missing closing quote in selection path '${path}'`;
  return new EvaluationError({ kind: 'error', message, traces: [], suggestions: [] });
}
