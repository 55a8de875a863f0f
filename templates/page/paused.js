/** Leaves the page only when the service is back: until then nothing moves under the reader. */
async function look() {
  if (document.hidden) return;
  // A proxy in between answers 502 or 504 while Odoo is starting.
  const answer = await fetch('/web/health', { cache: 'no-store', redirect: 'manual' }).catch(() => null);
  if (answer && answer.status < 500) location.replace(location.pathname + location.search);
}

setInterval(look, 10_000);
// Whoever comes back from paying in another tab does not wait.
document.addEventListener('visibilitychange', look);
