/**
 * Calls `look` now and every `ms` after it finished, but not while the
 * page is hidden; coming back to it looks at once.
 *
 * @param {number} ms
 * @param {() => Promise<void>} look handles its own errors
 * @returns {() => void} stops it
 */
export function poll(ms, look) {
  let timer = 0;
  let busy = false;
  let stopped = false;
  const run = async () => {
    if (busy || stopped) return;
    busy = true;
    clearTimeout(timer);
    await look();
    busy = false;
    if (!stopped && !document.hidden) timer = setTimeout(run, ms);
  };
  const visible = () => {
    clearTimeout(timer);
    if (!document.hidden) run();
  };
  document.addEventListener('visibilitychange', visible);
  run();
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', visible);
  };
}
