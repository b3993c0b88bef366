/** The page: puts the editor, the worker and the panes together. */
import './style.css';
import { startWorker } from './embed.ts';
import { EvaluationClient } from './evaluation-client.ts';
import { Playground } from './playground.ts';
import { byId } from './dom.ts';
import { startTheme } from './theme.ts';

startTheme(byId('theme', HTMLButtonElement));
const playground = new Playground(new EvaluationClient(startWorker));
void playground.start();

// Once it was here, the page works without a network.
if ('serviceWorker' in navigator && import.meta.env.PROD) {
  // Without it, or where it is forbidden, the page only needs its server again.
  navigator.serviceWorker.register('./service-worker.js').catch(() => {});
}
