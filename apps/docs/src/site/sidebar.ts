/** What stands at the side: every page of the site, in reading order. */

type SidebarItem = { readonly text: string; readonly link: string };
type SidebarGroup = { readonly text: string; readonly items: SidebarItem[] };

export type SidebarOptions = {
  /** Names of the files in `adr`. */
  readonly adrs: readonly string[];
  /** Whether there is a page, by its path. */
  readonly hasPage: (path: string) => boolean;
  /** The title of the page at a path. */
  readonly titleOf: (path: string) => string;
};

/** Pages by their paths without `.md`, with the text for the side. */
const groups: readonly (readonly [title: string, pages: Readonly<Record<string, string>>])[] = [
  [
    'Neve',
    {
      about: 'What Neve is, and is not yet',
      start: 'Five minutes',
      comparison: 'Nix, Lix, Snix and Neve',
    },
  ],
  [
    'Guides',
    {
      'guides/evaluate': 'Evaluate',
      'guides/build': 'Build',
      'guides/binary-cache': 'Run a binary cache',
      'guides/cache-server': 'Several caches with tokens',
      'guides/store': 'Compose stores',
      'guides/nix-daemon': 'Serve clients of Nix',
      'guides/daemon': 'One process for many',
      'guides/tracing': 'Trace',
      'guides/profiling': 'Profile',
      'guides/embed': 'Embed the evaluator',
      'guides/backend': 'Write a backend',
    },
  ],
  [
    'Reference',
    {
      'reference/language': 'The language',
      'reference/builtins/index': 'Builtins',
      'reference/commands': 'Commands',
      'reference/configuration': 'Configuration',
      'reference/formats': 'Formats',
      'reference/protocols': 'Protocols',
    },
  ],
  ['Inside', { architecture: 'Architecture', 'adr/index': 'Decisions', contributing: 'How to work on Neve' }],
];

/** The groups; pages that are not there are left out. Decisions are listed beside themselves only. */
export function sidebarOf({ adrs, hasPage, titleOf }: SidebarOptions): Record<string, SidebarGroup[]> {
  const everywhere = groups.map(([text, pages]) => ({
    text,
    items: Object.entries(pages)
      .filter(([path]) => hasPage(`${path}.md`))
      .map(([path, title]) => ({ text: title, link: `/${path.replace(/index$/, '')}` })),
  }));
  const decisions = adrs
    .filter((name) => !name.startsWith('0000'))
    .toSorted()
    .map((name) => ({ text: titleOf(`adr/${name}`), link: `/adr/${name.replace(/\.md$/, '')}` }));
  return { '/': everywhere, '/adr/': [...everywhere, { text: 'Decisions', items: decisions }] };
}
