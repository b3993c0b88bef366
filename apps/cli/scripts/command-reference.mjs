// Prints the reference of commands and settings as JSON, `{ "commands/build.md": "# neve build\n…" }`, for the documentation.
// Wants the bundle (`bundle.mjs`).
import { commandTable, helpScript } from './command-table.mjs';

process.stdout.write(`${JSON.stringify(helpScript().referencePages(commandTable()), null, 2)}\n`);
