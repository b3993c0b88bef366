/** VitePress's own theme, with examples that run. */
import DefaultTheme from 'vitepress/theme';
import { onMounted } from 'vue';
import './style.css';

// oxlint-disable-next-line import/no-default-export -- VitePress asks for it
export default {
  extends: DefaultTheme,
  setup() {
    // After hydration, which must find the elements as they were rendered; and never on the machine that renders.
    onMounted(async () => {
      const { defineNixExample } = await import('../../src/nix-example/nix-example.ts');
      defineNixExample();
    });
  },
};
