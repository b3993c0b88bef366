import { describe, expect, test } from 'vitest';
import * as cache from '../cache/cache-main.ts';
import type { CommandTable } from '../command-description.ts';
import * as daemon from '../daemon/daemon-main.ts';
import { describe as describeEvaluate } from '../evaluate-main.ts';
import * as image from '../images/image-main.ts';
import { describe as describeJobs } from '../jobs/jobs-main.ts';
import * as narBridge from '../nar-bridge/nar-bridge-main.ts';
import * as nixDaemon from '../nix-daemon/nix-daemon-main.ts';
import * as store from '../store/store-main.ts';
import { notesOfCommands } from './command-notes.ts';
import { makeCommandTable } from './command-table.ts';
import { manualPages } from './manual-page.ts';
import { allCommands, commandNamed } from './named-command.ts';
import { referencePages } from './reference-pages.ts';

const table: CommandTable = makeCommandTable({ version: '1.2.3', date: '2026-01-31' }, [
  ...describeEvaluate(),
  ...describeJobs(),
  ...[store, image, cache, daemon, nixDaemon, narBridge].map((it) => it.describe()),
]);

describe('the table of commands', () => {
  test('is data', () => {
    expect(JSON.parse(JSON.stringify(table))).toEqual(table);
  });

  test('what manuals say is said of commands that exist', () => {
    for (const name of Object.keys(notesOfCommands)) {
      expect(commandNamed(name.split(' '), table), name).toBeDefined();
    }
  });

  test('no command has an option twice', () => {
    for (const { path, command } of allCommands(table)) {
      const names = command.options.flatMap((it) => it.names);
      expect(new Set(names).size, path.join(' ')).toBe(names.length);
    }
  });

  test('an option says of each argument what it is, or of none', () => {
    for (const { command } of allCommands(table)) {
      for (const { names, values, parameters } of command.options) {
        if (values !== undefined) expect(values.length, names[0]).toBe(parameters.length);
      }
    }
  });

  test('a usage begins with the name of its command', () => {
    for (const { path, command } of allCommands(table)) {
      for (const usage of command.usage) expect(`${usage} `).toContain(`${path.join(' ')} `);
    }
  });

  test('every command has a manual page and a page of the reference', () => {
    const paths = allCommands(table).map(({ path }) => path);
    const manuals = manualPages(table).map(({ file }) => file);
    expect(manuals).toEqual([...paths.map((path) => `${['neve', ...path].join('-')}.1`), 'neve-settings.5']);
    expect(Object.keys(referencePages(table))).toContain('commands/store-copy.md');
  });

  test('links between the pages of the reference lead to pages', () => {
    const pages = referencePages(table);
    for (const [path, text] of Object.entries(pages)) {
      for (const [, link = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
        const target = new URL(link, `file:///${path}`).pathname.slice(1);
        expect(Object.keys(pages), `${path}: ${link}`).toContain(target);
      }
    }
  });

  test('a setting that the reference documents has a description', () => {
    for (const { name, description } of table.settings) expect(description, name).toMatch(/\.$/);
  });
});
