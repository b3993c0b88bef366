/** The page: puts the editor, the worker and the panes together. */
import './style.css';
import { EvaluationClient } from './evaluation-client.ts';
import { Playground } from './playground.ts';
import { byId } from './dom.ts';
import { startTheme } from './theme.ts';

startTheme(byId('theme', HTMLButtonElement));
const playground = new Playground(new EvaluationClient(startWorker));
void playground.start();

/** Written out here, so that bundlers see what the worker is. */
function startWorker(): Worker {
  return new Worker(new URL('./worker/evaluation-worker.ts', import.meta.url), {
    type: 'module',
    name: 'nix',
  });
}

// Once it was here, the page works without a network.
if ('serviceWorker' in navigator && import.meta.env.PROD) {
  // Without it, or where it is forbidden, the page only needs its server again.
  navigator.serviceWorker.register('./service-worker.js').catch(() => {});
}
