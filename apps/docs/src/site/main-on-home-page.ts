/** The home page of VitePress has no `main`, which every page needs: its component gets one while it is bundled. */
import type { UserConfig } from 'vitepress';

type VitePlugins = NonNullable<NonNullable<UserConfig['vite']>['plugins']>;

const file = 'VPHome.vue';

export function mainOnHomePage(): VitePlugins[number] {
  return {
    name: 'main-on-home-page',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith(`/${file}`)) return undefined;
      const changed = code.replace('class="VPHome"', 'role="main" class="VPHome"');
      if (changed === code)
        throw new Error(`${file} of VitePress has changed: look for its outermost element`);
      return changed;
    },
  };
}
