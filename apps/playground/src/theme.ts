/** Light and dark: what the system prefers, until somebody chooses. The choice is remembered in this browser. */

export type Theme = 'light' | 'dark';

const storageKey = 'neve-playground-theme';
const darkSystem = '(prefers-color-scheme: dark)';

/** Sets the theme of the page and lets a button switch it. */
export function startTheme(button: HTMLButtonElement): void {
  const system = matchMedia(darkSystem);
  let chosen = rememberedTheme();
  const current = (): Theme => chosen ?? (system.matches ? 'dark' : 'light');
  const show = (): void => {
    const theme = current();
    document.documentElement.dataset['theme'] = theme;
    const other = theme === 'dark' ? 'light' : 'dark';
    button.setAttribute('aria-label', `Switch to the ${other} theme`);
    button.title = `Switch to the ${other} theme`;
  };
  button.addEventListener('click', () => {
    chosen = current() === 'dark' ? 'light' : 'dark';
    remember(chosen);
    show();
  });
  system.addEventListener('change', show);
  show();
}

function rememberedTheme(): Theme | undefined {
  try {
    const kept = localStorage.getItem(storageKey);
    return kept === 'light' || kept === 'dark' ? kept : undefined;
  } catch {
    // Storage may be forbidden; then the system's theme it is.
    return undefined;
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(storageKey, theme);
  } catch {
    // The same: the choice lasts as long as the page.
  }
}
