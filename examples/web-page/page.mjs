// Evaluates what is typed. The evaluator runs in a worker, so that the page never waits for it; an evaluation that takes too
// long is ended together with its worker.
// @ts-check

const timeLimitMs = 3000;
const source = /** @type {HTMLTextAreaElement} */ (document.querySelector('textarea'));
const output = /** @type {HTMLOutputElement} */ (document.querySelector('output'));

/** @type {Worker | undefined} */
let worker;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

function evaluate() {
  clearTimeout(timer);
  worker ??= startWorker();
  worker.postMessage(source.value);
  timer = setTimeout(() => {
    worker?.terminate();
    worker = undefined;
    output.textContent = 'this takes too long';
  }, timeLimitMs);
}

function startWorker() {
  const started = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  started.addEventListener('message', ({ data }) => {
    if (data.source !== source.value) return;
    clearTimeout(timer);
    output.textContent = data.text;
  });
  return started;
}

source.addEventListener('input', evaluate);
evaluate();
