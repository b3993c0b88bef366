/** What stands at the side: every page of the site, in reading order. */

type SidebarItem = { readonly text: string; readonly link: string };
type SidebarGroup = { readonly text: string; readonly items: SidebarItem[] };

export type SidebarOptions = {
  /** Paths of the pages in a folder, without its index, in reading order. */
  readonly pagesIn: (folder: string) => readonly string[];
  readonly hasPage: (path: string) => boolean;
  readonly titleOf: (path: string) => string;
};

/** Folders whose pages are listed beside themselves only. */
const folders: Readonly<Record<string, string>> = {
  adr: 'Decisions',
  'reference/builtins': 'Builtins',
  'reference/commands': 'Commands',
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
      'guides/images': 'Evaluate once',
      'guides/jobs': 'Many jobs',
      'guides/repl': 'The repl',
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
      'reference/commands/index': 'Commands',
      'reference/settings': 'Settings',
      'reference/configuration': 'Configuration',
      'reference/formats': 'Formats',
      'reference/protocols': 'Protocols',
    },
  ],
  ['Inside', { architecture: 'Architecture', 'adr/index': 'Decisions', contributing: 'How to work on Neve' }],
];

/** By the beginning of a path; pages that are not there are left out. */
export function sidebarOf({ pagesIn, hasPage, titleOf }: SidebarOptions): Record<string, SidebarGroup[]> {
  const everywhere = groups.map(([text, pages]) => ({
    text,
    items: Object.entries(pages)
      .filter(([path]) => hasPage(`${path}.md`))
      .map(([path, title]) => ({ text: title, link: linkTo(path) })),
  }));
  const sidebars: Record<string, SidebarGroup[]> = { '/': everywhere };
  for (const [folder, text] of Object.entries(folders)) {
    const items = pagesIn(folder).map((path) => ({ text: titleOf(path), link: linkTo(path) }));
    sidebars[`/${folder}/`] = [{ text, items }, ...everywhere];
  }
  return sidebars;
}

function linkTo(path: string): string {
  return `/${path.replace(/\.md$/, '').replace(/index$/, '')}`;
}
