/** The files of the project as a row of buttons. The first file is the program; the others can be imported. */
import { element } from './dom.ts';
import type { Project } from './project.ts';

export type FileTabsOptions = {
  readonly onShow: (name: string) => void;
  readonly onRemove: (name: string) => void;
};

export function showFileTabs(node: HTMLElement, { files, active }: Project, options: FileTabsOptions): void {
  const tabs = files.map(({ name }, index) => {
    const open = element(
      'button',
      { type: 'button', class: 'file-name', 'aria-pressed': String(name === active) },
      name,
    );
    open.addEventListener('click', () => options.onShow(name));
    if (index === 0) {
      open.title = 'The program';
      return element('div', { class: 'file' }, open);
    }
    const remove = element(
      'button',
      { type: 'button', class: 'file-remove', 'aria-label': `Remove ${name}`, title: `Remove ${name}` },
      '×',
    );
    remove.addEventListener('click', () => options.onRemove(name));
    return element('div', { class: 'file' }, open, remove);
  });
  node.replaceChildren(...tabs);
}
